"""Names stay apart: of files on any file system, and of systems whatever they are called."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.gains import anchor_name, pairs
from experiments.analysis.points import families, family_names, prepare
from experiments.naming import file_names, unique
from experiments.running import runner
from experiments.running.unit import Unit
from experiments.store.database import TaskResult
from experiments.store.study import read_results
from experiments.suites.axes import System
from experiments.suites.suite import Suite
from experiments.suites.suite_file import read_suite

Run = Callable[..., Result]
TEXT = st.text(max_size=20)
NEAR = st.sampled_from(
    [
        *("a b", "a_b", "a/b", "A B", "a  b", "", ".", "..", "con", "CON.x", "nul", "θ", "theta"),
        *("基线", "我们的方法", "é", "e\u0301", "x" * 300, "x" * 301, "../../etc/passwd"),
        "a_b-c8687a08",
    ]
)
NAMES = st.lists(st.one_of(TEXT, NEAR), unique=True, max_size=12)
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?", re.IGNORECASE)


@given(NAMES)
def test_files_of_different_names_are_different_everywhere(names: list[str]) -> None:
    found = file_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        assert re.fullmatch(r"[A-Za-z0-9+][A-Za-z0-9.+_-]*", name), name
        assert not name.endswith(".")
        assert len(name) < 120
        assert not RESERVED.fullmatch(name)


@given(NAMES)
def test_plain_names_stay_what_they_are(names: list[str]) -> None:
    plain = ["blind", "masks_0.5", "hevc-2x2"]
    assert file_names(plain) == plain
    assert len(file_names([*plain, *names])) == len(plain) + len(names)


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (3)"]), max_size=8))
def test_names_on_the_screen_are_numbered_where_they_come_again(names: list[str]) -> None:
    found = unique(names)
    assert len(set(found)) == len(names)
    assert unique(found) == found
    for name, mine in zip(names, found, strict=True):
        assert mine.startswith(name)
    for name in set(names):
        assert name in found


# Systems

ODD = """
title: odd names
images: [a.png, b.png]
segmenter: graph
codec: jpeg2000
cbr: [1/5, 1/4, 1/3, 1/2]
snr_db: 13
pictures: 1
systems:
  "masks": {blind: true}
  "masks, θ 0.5": {theta: 0.6}
  "masks, all": {theta: [0.5, 0.9]}
  "against x, at equal bandwidth": {theta: 0.7}
  "a b": {theta: 0.71}
  "a_b": {theta: 0.72}
  "a/b": {theta: 0.73}
  "基线": {theta: 0.74}
anchor: masks
"""


def made_up(unit: Unit) -> list[TaskResult]:
    """Say that more bandwidth and a higher θ are better, without sending anything."""
    made = []
    for job in unit.jobs:
        s = job.setting
        base = 40 + 4 * math.log(float(s.budget)) + (0 if s.blind else s.theta)
        scores = {"psnr_db": base, "ssim": 0.9, "region_psnr_db": base, "background_psnr_db": base}
        seen = {"draw": 0, "count": job.draws, "all_lost": False, "packets_received": 1}
        record = {"sha256": unit.item.sha256, "height": 48, "width": 64, "cbr": float(s.budget)}
        record |= {"num_bits": 100, "region_area": 0.5, "packets_sent": 1, "scheme": "x"}
        outcomes = [{**seen, "sha256": "", "scores": scores}]
        made.append(unit.describe(job, seconds=0.0, record=record, outcomes=outcomes))
    return made


def make(text: str) -> None:
    Path("odd.yaml").write_text(text, encoding="utf-8")
    runner.run(read_suite(Path("odd.yaml")), Path("out"), name="odd", do=made_up, say=str)


@pytest.fixture
def odd(run: Run) -> Run:
    make(ODD)
    return run


@pytest.mark.filterwarnings("ignore:Glyph")  # of fonts that are here
def test_systems_are_what_the_suite_says_whatever_they_are_called(odd: Run) -> None:
    study = read_results(Path("out"))
    assert study.anchor == System("masks")
    assert anchor_name(study) == "masks"
    against = {pair.point.system: pair.anchor.system for pair in pairs(study)}
    assert set(against.values()) == {"masks"}
    assert set(against) == {
        "masks, θ 0.5",
        "masks, all, θ 0.5",
        "masks, all, θ 0.9",
        "against x, at equal bandwidth",
        *("a b", "a_b", "a/b", "基线"),
    }
    found = families(prepare(study).points)
    assert len(found) == 8
    assert {len(line) for line in found.values()} == {4, 8}
    assert len(found[System("masks, all")]) == 8
    assert family_names(study.points)[System("masks, θ 0.5")] == "masks, θ 0.5"
    printed = " ".join(odd("plot", "out", "--formats", "svg").stdout.split())
    assert "against x, at equal bandwidth against masks, at 13 dB" in printed
    assert "masks, θ 0.5 against masks, at 13 dB" in printed
    assert printed.count("masks needs ") == 8
    drawn = {path.name for path in Path("out/figures").iterdir()}
    assert all(re.fullmatch(r"[a-z0-9-]+\.(svg|csv|md)", name) for name in drawn)
    assert odd("report", "out").exit_code == 0


def test_a_file_for_every_system_is_exported(odd: Run) -> None:
    written = odd("export", "out", "--formats", "json").stdout.split()
    assert len(written) == len(set(map(str.casefold, written))) == 9
    names = {json.loads(Path(file).read_text(encoding="utf-8"))["name"] for file in written}
    assert names == set(read_results(Path("out")).labels.values())
    assert all(Path(file).parent == Path("out/export") for file in written)


@pytest.mark.usefixtures("images")
def test_systems_that_are_shown_alike_are_told_apart() -> None:
    """A system of that name, and another whose θ makes the same text."""
    text = ODD[: ODD.index("systems:")].replace("[1/5, 1/4, 1/3, 1/2]", "1/4")
    systems = 'systems:\n  m: {theta: [0.5, 0.6]}\n  "m, θ 0.5": {blind: true}\n'
    make(text + systems)
    study = read_results(Path("out"))
    assert list(study.labels.values()) == ["m, θ 0.5", "m, θ 0.6", "m, θ 0.5 (2)"]
    assert study.labels[System("m, θ 0.5")] == "m, θ 0.5 (2)"
    assert study.points[2].setting.blind


@pytest.mark.parametrize("theta", [(0.1234567, 0.1234568), (0.5, 0.5000001)])
def test_values_that_differ_are_shown_differently(theta: tuple[float, float]) -> None:
    content = {"title": "t", "images": "a", "segmenter": "graph", "theta": list(theta)}
    labels = {system.label for system, _ in Suite.model_validate(content).settings()}
    assert len(labels) == 2
