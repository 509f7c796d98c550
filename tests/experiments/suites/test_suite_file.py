"""Suite files: every error in one go with its place, and overrides."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from experiments.suites.shipped import find_suite
from tests.experiments.suites.texts import HEAD, ids_of, read, refused

WRONG = """\
title: t
images: a.png
codecs: hevc
codec: [jpeg, hvec]
cbr: [1/16, 0]
theta: 1.5
scheme: QPSK 0.7O3
snr_db:
  - 1
  - high
seed: -1
draws: {most: -3, firsst: 1}
blind: maybe
systems:
  a: {thetta: 0.5, channel: rayleig}
exclude:
  - {pilots: 0}
scores: [psnr]
copies: true
"""


def test_every_error_is_told_in_one_go_with_line_value_and_choices(tmp_path: Path) -> None:
    first, *lines = refused(tmp_path, WRONG).splitlines()
    assert first.endswith(f"{len(lines)} errors")
    expected = [
        (3, "codecs", "did you mean 'codec'?"),
        (4, "codec.1", "'hvec' (did you mean 'hevc'?); choices: hevc, bpg, jpeg"),
        (5, "cbr.1", "CBR must be a positive number such as 1/16 or 0.0625, got '0'"),
        (6, "theta", "got 1.5"),
        (7, "scheme", "QPSK 0.703"),
        (8, "snr_db", "got 'high'"),
        (11, "seed", "got -1"),
        (12, "draws.most", "got -3"),
        (12, "draws.firsst", "did you mean 'first'?"),
        (13, "blind", "got 'maybe'"),
        (15, "systems.a.thetta", "did you mean 'theta'?"),
        (15, "systems.a.channel", "did you mean 'rayleigh'?"),
        (17, "exclude.0.pilots", "got 0"),
        (18, "scores.0", "choices: psnr_db"),
        (19, "copies", "got True"),
    ]
    assert len(lines) == len(expected)
    for line, (number, key, text) in zip(lines, expected, strict=True):
        assert line.startswith(f"  s.yaml:{number}: {key}: "), line
        assert text in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: t\nimages: a\ntitle: u\n", "line 3: found duplicate key"),
        ("title: t\n\timages: a\n", "line 2: found character '\\t'"),
        ("", "a suite is a mapping"),
        ("- title\n- images\n", "a suite is a mapping"),
        ("just words", "a suite is a mapping"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8 text"),
        (b"title: \x00", "unacceptable character"),
        ("title: t\nimages: [a\n", "line 3: "),
        ("title: t\nimages: !!python/object/apply:os.getcwd []\n", "tag:yaml.org,2002:python"),
        ("title: t\nimages: !mine a\n", "line 2: could not determine a constructor"),
        ("title: t\nimages: a\n---\ntitle: u\n", "another document"),
        ("title: t\nimages: &a [*a]\n", "20 levels"),
        ("title: t\nimages: " + "[" * 2000, "nested too deep"),
        ("title: t\nimages: a\nquestion: 0001-99-99\n" + "# \n" * 400_000, "more than 1 MB"),
        ("title: t\nimages: a\nquestion: 2001-99-99\n", "month must be in 1..12"),
        ("? {a: b}\n: c\ntitle: t\nimages: a\n", "found unhashable key"),
        ("1: c\ntitle: t\nimages: a\n", "1"),
        ("title: t\n", "missing: every suite needs images"),
        ("title: t\nimages: []\n", "at least 1 item"),
        (HEAD + "snr_db: 0:1000:0.001\n", "at most 1000 SNRs"),
        (HEAD + "snr_db: .nan\n", "finite"),
        (HEAD + "anchor: masks\nsystems: {blind: {blind: true}}\n", "not a system; choices: blind"),
        (HEAD + "exclude: {system: masks}\n", "'masks' is not a system; choices: there are none"),
        (HEAD + "exclude: {blind: false}\n", "everything is excluded"),
        (HEAD + "seed: [0, 3]\ndraws: 4\n", "seeds 3 apart share draws"),
        (HEAD + "draws: 4\npoints: [{seed: 0}, {seed: 3}]\n", "seeds 3 apart share draws"),
        (HEAD + "systems: {a: {}, b: {blind: [true, false]}}\n", "'a' and 'b' are the same"),
        (HEAD + "bound: true\nchannel: rayleigh\n", "no bound, for channel 'rayleigh'"),
        (
            HEAD + "scheme: QPSK 0.703\nprotection: unequal\n",
            "chooses schemes and copies itself; leave out scheme and copies; drop it with exclude",
        ),
        (HEAD + "beside: nobody-2001\n", "unknown published curve"),
        (HEAD + "severity: 2\n", "s.yaml:4: severity: severity needs a disturbance"),
        (
            HEAD + "points: [{disturbance: fog}, {severity: 4}]\n",
            "s.yaml:4: points.1.severity: severity needs a disturbance",
        ),
        (
            HEAD + "systems:\n  a: {disturbance: fog}\n  b: {severity: [3, 4]}\n",
            "s.yaml:6: systems.b.severity: severity needs a disturbance",
        ),
    ],
)
def test_what_is_no_suite_is_refused_in_one_line(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    message = refused(tmp_path, text)
    assert said in message
    assert "\n" not in message


def test_aliases_that_would_grow_without_bounds_are_refused_before_they_do(tmp_path: Path) -> None:
    bomb = "k0: &k0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 20):
        bomb += f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 10)}]\n"
    start = time.perf_counter()
    assert "200000 parts" in refused(tmp_path, HEAD + bomb)
    assert time.perf_counter() - start < 10


def test_honest_aliases_and_merges_work(tmp_path: Path) -> None:
    text = HEAD + (
        "theta: &t [0.5, 0.7]\nsystems:\n  a: &a {blind: true, theta: *t}\n"
        "  b: {<<: *a, codec: jpeg}\n"
    )
    assert len(ids_of(read(tmp_path, text))) == 4


def test_a_list_of_ten_thousand_errors_is_cut_short_and_quick(tmp_path: Path) -> None:
    start = time.perf_counter()
    message = refused(tmp_path, HEAD + f"seed: [{'x,' * 10_000}]\n")
    assert "10000 errors" in message
    assert len(message) < 20_000
    assert time.perf_counter() - start < 20


def test_a_long_value_is_not_printed_in_full(tmp_path: Path) -> None:
    assert len(refused(tmp_path, HEAD + f"seed: {'x' * 5000}\n")) < 300


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").mkdir()
    for name in ("f.yaml", "none.yaml"):
        with pytest.raises(ValueError, match="no such suite file"):
            find_suite(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"unknown suite 'no-such'.*or a YAML file"):
        find_suite("no-such")


def test_set_overrides_keys_parts_and_items(tmp_path: Path) -> None:
    text = HEAD + (
        "cbr: [1/16, 1/8]\ndraws: {most: 9, within: 0.5}\n"
        "systems:\n  a: {theta: 0.5}\n  b: {blind: true}\npoints:\n  - {snr_db: 1}\n"
    )
    changes = [
        "cbr.1=1/4",
        "draws.most=3",
        "systems.a.theta=[0.6, 0.7]",
        "systems.c.codec=jpeg",
        "points.0.snr_db=5:7",
        "question='why: not'",
    ]
    suite = read(tmp_path, text, changes=changes)
    assert suite.cbr == ("1/16", "1/4")
    assert (suite.draws.most, suite.draws.within) == (3, 0.5)
    assert suite.systems["a"].theta == (0.6, 0.7)
    assert suite.systems["c"].codec == ("jpeg",)
    assert suite.points[0].snr_db == (5.0, 6.0, 7.0)
    assert suite.question == "why: not"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("cbr=0", "--set cbr=0: cbr: CBR must be"),
        ("cbrr=1", "--set cbrr=1: cbrr: unknown key (did you mean 'cbr'?)"),
        ("systems.a.thta=1", "--set systems.a.thta=1: systems.a.thta: unknown key"),
        ("codec", "--set takes KEY=VALUE"),
        ("=1", "--set takes KEY=VALUE"),
        ("a..b=1", "--set takes KEY=VALUE"),
        ("cbr.7=1/4", "--set cbr.7=1/4: there is no"),
        ("title.x=1", "'title' has no parts"),
        ("seed=!!python/name:os.getcwd", "the value is not valid YAML"),
        ("seed=[1", "the value is not valid YAML"),
        ("seed=", "--set seed=: seed"),
    ],
)
def test_set_says_where_it_went_wrong(tmp_path: Path, change: str, said: str) -> None:
    message = refused(tmp_path, HEAD + "cbr: [1/16]\n", changes=[change])
    assert said in message
    assert "s.yaml:" not in message


def test_set_corrects_an_error_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD + "theta: 7\n", changes=["theta=0.7"]).theta == (0.7,)


def test_quick_takes_the_suites_own_form_or_little_of_everything(tmp_path: Path) -> None:
    text = HEAD + "cbr: [1/16, 1/8, 1/4]\nsnr_db: [1, 2, 3]\ndraws: 50\n"
    own = "quick: {draws: 3, snr_db: 9}\n"
    assert read(tmp_path, text + own).draws.most == 50
    suite = read(tmp_path, text + own, quick=True)
    assert (suite.draws.most, suite.snr_db, suite.cbr) == (3, (9.0,), ("1/16", "1/8", "1/4"))
    suite = read(tmp_path, text, quick=True)
    assert (suite.most_images, suite.draws.most) == (2, 2)
    assert (suite.snr_db, suite.cbr) == ((1.0, 2.0), ("1/16", "1/8"))
    wrong = refused(tmp_path, text + "quick:\n  draws: 3\n  thta: 1\n", quick=True)
    assert wrong.startswith("s.yaml:9: thta: unknown key")


BOMB = "[&a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]" + "".join(
    f", &{name} [{', '.join([f'*{before}'] * 10)}]"
    for before, name in itertools.pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (f"{BOMB}]", "not a suite, because it has more than 200000 parts or 20 levels"),
        (
            f"{'[' * 30}{']' * 30}",
            "not a suite, because it has more than 200000 parts or 20 levels",
        ),
        ("{[1]: 2", "the value is not valid YAML"),
        ("2000-13-13", "month must be in 1..12"),
    ],
)
def test_a_change_that_would_grow_without_bounds_is_refused(tmp_path, value, message):
    told = refused(tmp_path, HEAD, changes=[f"snr_db={value}"])
    assert told.startswith(f"--set snr_db={value}: {message}")
    assert "\n" not in told
