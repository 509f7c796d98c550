"""Names, options and what is missing: the registry by itself."""

from __future__ import annotations

import dataclasses
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from channels import registry
from channels.registry import Entry, Registry


@dataclasses.dataclass(frozen=True, kw_only=True)
class Thing:
    count: int = 1
    gain_db: float = 0.5
    mode: str = "plain"
    fast: bool = False
    table: tuple[int, ...] = ()


THING = Entry("thing", "things:Thing")


@pytest.fixture(autouse=True)
def things(monkeypatch):
    """Make this file importable as ``things``, which no name on the path could clash with."""
    monkeypatch.setitem(sys.modules, "things", sys.modules[__name__])


@pytest.fixture
def announce(monkeypatch):
    """Make entry points of this kind as if installed."""

    def announce(**targets):
        points = [EntryPoint(name, target, "some.group") for name, target in targets.items()]
        monkeypatch.setattr(
            registry, "entry_points", lambda group: EntryPoints(points).select(group=group)
        )

    return announce


def make(*entries, group="some.group"):
    return Registry("thing", entries or [THING], group=group)


def test_a_name_taken_is_refused_and_both_are_named():
    both = r"'thing' is registered twice: things:Thing \(semcom\) and other:Thing \(acme\)"
    other = Entry("thing", "other:Thing", source="acme")
    with pytest.raises(ValueError, match=both):
        make(THING, other)
    registered = make()
    with pytest.raises(ValueError, match=both):
        registered.add(other)
    assert registered.entry("thing") == THING


def test_an_entry_point_with_a_taken_name_says_so_each_time(announce):
    announce(fine="things:Thing", thing="other:Thing")
    registered = make()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"'thing' is registered twice: things.* and other"):
            registered.names()


def test_entry_points_come_behind_ours_and_only_of_the_group(announce):
    announce(late="things:Thing", later="things:Thing")
    assert make().names() == ["thing", "late", "later"]
    assert make(group="another.group").names() == ["thing"]
    assert make().create("late:count=2") == Thing(count=2)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("thong", r" \(did you mean 'thing'\?\)"), ("xyz", ""), ("", "")],
)
def test_an_unknown_name_lists_the_choices(name, hint):
    registered = make(THING, Entry("widget", "widgets:Widget"))
    with pytest.raises(
        ValueError, match=rf"^unknown thing '{name}'{hint}; choices: thing, widget$"
    ):
        registered.create(name)


@pytest.mark.parametrize(
    ("extra", "how"), [("big", r"pip install 'semcom\[big\]'"), ("", "install it")]
)
def test_a_missing_extra_says_what_to_install(extra, how):
    entry = Entry("thing", "things:Thing", requires=("sys", "no_such_module"), extra=extra)
    assert entry.missing == ("no_such_module",)
    with pytest.raises(ValueError, match=rf"^thing 'thing' needs no_such_module: {how}$"):
        make(entry).load("thing")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module:Thing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("things:Thong", "AttributeError: "),
        ("things", "TypeError: neither a class nor a function"),
        ("not a target", ""),
        ("broken_thing:Thing", "RuntimeError: first line$"),
    ],
)
def test_what_cannot_be_loaded_fails_alone_in_one_line(
    announce, target, reason, tmp_path, monkeypatch
):
    (tmp_path / "broken_thing.py").write_text("raise RuntimeError('first line\\nsecond line')")
    monkeypatch.syspath_prepend(tmp_path)
    announce(broken=target, fine="things:Thing")
    registered = make()
    assert registered.names() == ["thing", "broken", "fine"]
    assert registered.create("fine") == registered.create("thing") == Thing()
    with pytest.raises(
        ValueError, match=rf"^thing 'broken' of \w+ cannot be loaded from '{target}': {reason}"
    ) as caught:
        registered.create("broken")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_nothing_is_imported_before_it_is_asked_for(announce):
    announce(broken="no_such_module:Thing")
    registered = make(Entry("ours", "no_such_module:Thing"))
    assert registered.names() == ["ours", "broken"]
    assert registered.entry("broken").missing == ()


@pytest.mark.parametrize(
    ("files", "target", "about"),
    [
        ({"plug.py": 'class A:\n    """First line.\n\n    Second."""'}, "plug:A", "First line"),
        ({"plug.py": '"""Of the module."""\ndef a():\n    pass'}, "plug:a", "Of the module"),
        ({"plug.py": '"""Of the module."""\nfrom b import A'}, "plug:A", "Of the module"),
        ({"plug/__init__.py": "1 / 0", "plug/sub.py": '"""Tells."""'}, "plug.sub:a", "Tells"),
        ({"plug/__init__.py": "", "plug/sub/__init__.py": '"""Tells."""'}, "plug.sub:a", "Tells"),
        ({"plug.py": "class A: pass"}, "plug:A", ""),
        ({"plug.py": "class A:"}, "plug:A", ""),
        ({"plug.py": "\0"}, "plug:A", ""),
        ({}, "plug:A", ""),
        ({}, "no target", ""),
        ({}, "", ""),
    ],
)
def test_without_a_summary_the_docstring_tells_and_nothing_is_run(
    files, target, about, tmp_path, monkeypatch
):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert Entry("plugin", target).about == about
    assert Entry("plugin", target, "a summary").about == "a summary"
    assert not any(name.partition(".")[0] == "plug" for name in sys.modules)


@pytest.mark.parametrize(
    ("spec", "thing"),
    [
        ("thing", Thing()),
        ("thing:", Thing()),
        ("thing:count=-3", Thing(count=-3)),
        ("thing:gain_db=1e-3,mode=a=b", Thing(gain_db=1e-3, mode="a=b")),
        ("thing:fast=True,mode=", Thing(fast=True, mode="")),
        ("thing:fast=false", Thing()),
        ('thing:mode="a,b",count=2', Thing(mode="a,b", count=2)),
        ('thing:count=2,mode="a=1,b=2"', Thing(mode="a=1,b=2", count=2)),
        ('thing:mode="say ""a,b"""', Thing(mode='say "a,b"')),
        ('thing:mode=5" of rain,count=2', Thing(mode='5" of rain', count=2)),
        ('thing:mode="', Thing(mode='"')),
    ],
)
def test_options_take_the_type_of_their_default(spec, thing):
    made = make().create(spec)
    assert made == thing
    for field in dataclasses.fields(Thing):
        assert type(getattr(made, field.name)) is type(getattr(thing, field.name))


CHOICES = "options and defaults: count=1, gain_db=0.5, mode=plain, fast=False$"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("cuont=1", rf"^thing 'thing' has no option 'cuont=1'; {CHOICES}"),
        ("count", rf"no option 'count'; {CHOICES}"),
        ("count=1,", rf"no option ''; {CHOICES}"),
        ("table=1", rf"no option 'table=1'; {CHOICES}"),
        ("count=1.5", "option count must be int, got '1.5'$"),
        ("gain_db=loud", "option gain_db must be float, got 'loud'$"),
        ("fast=1", "option fast must be true or false, got '1'$"),
        ("count=1,count=2", "option count is given twice$"),
    ],
)
def test_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        make().create(f"thing:{options}")


def test_a_plugin_without_options_says_none():
    with pytest.raises(ValueError, match="has no option 'a=1'; options and defaults: none"):
        make(Entry("thing", "builtins:object")).create("thing:a=1")
