"""What a suite stands for: its settings, their ids, and their number."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.suites.axes import System
from experiments.suites.setting import AXES, Setting
from experiments.suites.suite import Suite
from experiments.suites.suite_file import read_suite
from tests.experiments.suites.texts import HEAD, ids_of, read, refused


def test_a_default_that_is_written_out_changes_no_id(tmp_path: Path) -> None:
    plain = ids_of(read(tmp_path, HEAD))
    suite = read(tmp_path, HEAD)
    ((_, setting),) = suite.settings()
    for axis in AXES:
        if axis in ("segmenter", "further_scores"):  # the latter follow from the scores
            continue
        value = getattr(setting, axis)
        assert ids_of(read(tmp_path, HEAD + f"{axis}: {json.dumps(value)}\n")) == plain, axis
    for same in ("cbr: 0.0625", "cbr: 2/32", "snr_db: 10.0", "snr_db: '10'", "systems: {a: {}}"):
        assert ids_of(read(tmp_path, HEAD + same)) == plain, same


def test_ids_are_what_they_were(tmp_path: Path) -> None:
    """Results on disk are found by them; from SHA-256 of the JSON, by hand."""
    from hashlib import sha256

    assert Setting().id == sha256(b"{}").hexdigest()
    text = HEAD + "blind: true\nsnr_db: -0.0\ncbr: 1/8\n"
    content = b'{"blind": true, "cbr": "1/8", "segmenter": "graph", "snr_db": 0.0}'
    assert ids_of(read(tmp_path, text)) == [sha256(content).hexdigest()]


def test_systems_are_told_apart_also_across_points(tmp_path: Path) -> None:
    text = HEAD + "points: [{theta: 0.5}, {theta: 0.8, snr_db: 3}]\nsystems: {m: {}}\n"
    systems = [system for system, _ in read(tmp_path, text).settings()]
    assert systems == [System("m", (("theta", 0.5),)), System("m", (("theta", 0.8),))]
    assert [system.label for system in systems] == ["m, θ 0.5", "m, θ 0.8"]
    text = HEAD + "blind: [true, false]\n"
    labels = [system.label for system, _ in read(tmp_path, text).settings()]
    assert labels == ["blind", "by importance"]


CHOICES: dict[str, list[Any]] = {
    "theta": [0.5, 0.6, 0.7],
    "blind": [True, False],
    "codec": ["jpeg", "hevc"],
    "planned_snr_db": [None, 0.0, 5.0],
    "snr_db": [-0.0, 0.0, 1.0, 10.0],
    "cbr": ["1/8", "1/16", "2/32"],
    "seed": [0, 1000, 2000],
}
AXIS = {name: st.lists(st.sampled_from(v), min_size=1, max_size=3) for name, v in CHOICES.items()}
SOME = st.fixed_dictionaries({}, optional=AXIS)


@given(
    base=SOME,
    points=st.lists(SOME, max_size=3),
    exclude=st.lists(SOME.filter(bool), max_size=2),
)
def test_a_suite_is_the_union_of_its_products_less_what_is_excluded(
    base: dict[str, Any], points: list[dict[str, Any]], exclude: list[dict[str, Any]]
) -> None:
    suite = Suite.model_validate(
        {
            "title": "t",
            "images": "a",
            "segmenter": "graph",
            **base,
            "points": points,
            "exclude": exclude,
        }
    )

    def same(value: Any) -> Any:
        return "1/16" if value == "2/32" else value

    wanted = set()
    for part in points or [{}]:
        grid = {**{name: [getattr(Setting(), name)] for name in CHOICES}, **base, **part}
        for values in itertools.product(*grid.values()):
            one = dict(zip(grid, map(same, values), strict=True))
            if not any(all(one[k] in map(same, drop[k]) for k in drop) for drop in exclude):
                wanted.add(Setting.of({"segmenter": "graph", **one}))
    settings = [setting for _, setting in suite.settings()]
    assert set(settings) == wanted
    assert len(settings) == len(wanted) == len({setting.id for setting in settings})


def test_shipped_suites_are_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.suites.shipped import shipped

    monkeypatch.setitem(os.environ, "SEMCOM_CACHE", "off")
    for path in shipped().values():
        for quick in (False, True):
            suite = read_suite(path, quick=quick)
            assert suite.question, path
            ids = ids_of(suite)
            assert len(ids) == len(set(ids)), path


HUGE = f"{HEAD}snr_db: ['0:99.9:0.1']\nseed: [{', '.join(map(str, range(100)))}]\n"


def test_a_suite_that_nobody_can_run_is_refused_before_it_is_counted(tmp_path, monkeypatch):
    """10⁵ settings are; 2·10⁷ are not, which would take minutes."""
    monkeypatch.setattr(Setting, "check", lambda _: None)
    assert read(tmp_path, HUGE).most_settings() == 100_000
    monkeypatch.setattr(Suite, "settings", None)
    thetas = ", ".join(f"0.{i}" for i in range(100, 300))
    told = refused(tmp_path, f"{HUGE}theta: [{thetas}]\n")
    expected = "20,000,000 settings, a suite takes at most 10,000,000: give shorter lists"
    assert expected in told
    assert "\n" not in told


def test_what_is_excluded_or_of_several_systems_counts(tmp_path):
    text = f"{HEAD}cbr: [1/16, 1/8]\nsystems: {{a: {{blind: true}}, b: {{theta: [0.5, 0.6]}}}}\n"
    suite = read(tmp_path, text)
    assert suite.most_settings() == len(ids_of(suite)) == 6
    excluded = read(tmp_path, f"{text}exclude: {{cbr: 1/16}}\n")
    assert (excluded.most_settings(), len(ids_of(excluded))) == (6, 3)
