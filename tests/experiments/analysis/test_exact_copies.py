"""Exact copies have no finite PSNR: what means, gains and rates make of them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.all_tables import tables
from experiments.analysis.export import export
from experiments.analysis.formats.printing import print_tables
from experiments.analysis.table import Table
from experiments.figures.all_figures import draw
from experiments.running.stopping import measure
from experiments.store.common_images import align
from experiments.store.database import Database, TaskResult, add_up
from experiments.store.measured import ImageRow, Key, Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import Setting

EXACT = None
Seen = Mapping[str, Sequence[float | None]]
"""By image: the PSNR of each draw, None for an exact copy."""


def row(name: str, seen: Sequence[float | None], cbr: float, mask: str = "") -> ImageRow:
    outcomes = tuple(
        {
            "draw": i,
            "count": 1,
            "all_lost": False,
            "packets_received": 1,
            "scores": {"psnr_db": value, "ssim": 1.0 if value is None else value / 100},
        }
        for i, value in enumerate(seen)
    )
    sums: Any = {score: tuple(total) for score, total in add_up(outcomes).items()}
    bits = int(1000 * cbr) + ord(name[0])
    record = {"cbr": cbr, "sha256": name, "num_bits": bits, "height": 10, "width": 10}
    task = f"{name} {mask}"
    return ImageRow(name, mask, task, task, len(seen), 0, sums, record, outcomes, name)


def point(system: str, seen: Seen, cbr: str = "1/16", **axes: Any) -> Point:
    setting = Setting(cbr=cbr, **axes)
    rows = tuple(row(name, values, float(setting.budget)) for name, values in seen.items())
    return Point(System(system), setting, rows, system)


def study(*points: Point) -> SuiteResults:
    about = {"title": "", "systems": {}, "anchor": "", "scores": ["psnr_db", "ssim"]}
    more: dict[str, Any] = {"shown_db": 25.0, "beside": []}
    return SuiteResults("s", {**about, **more}, align(points), {}, None, "", 0)


def cells(table: Table, name: str, **where: Any) -> list[Any]:
    each = [dict(zip(table.columns, one, strict=True)) for one in table.rows]
    return [one[name] for one in each if all(one[key] == value for key, value in where.items())]


def named(made: SuiteResults) -> dict[str, Table]:
    return {table.name: table for table in tables(made)}


def test_a_system_is_not_better_for_fewer_images(capsys: pytest.CaptureFixture[str]) -> None:
    """One is exact for four of five images, the other for three."""
    one = {"a": [21.0], **{name: [EXACT] for name in "bcde"}}
    other = {"a": [24.5], "b": [39.5], **{name: [EXACT] for name in "cde"}}
    found = named(study(point("one", one), point("other", other)))
    assert cells(found["means"], "PSNR") == [21.0, 24.5]
    assert cells(found["means"], "PSNR images") == [1, 1]
    assert cells(found["means"], "images") == [5, 5]
    assert cells(found["means"], "exact") == [4, 3]
    assert cells(found["means"], "SSIM") == pytest.approx([(0.21 + 4) / 5, (0.64 + 3) / 5])
    assert cells(found["gains"], "PSNR, dB") == [3.5]
    assert cells(found["gains"], "PSNR, dB images") == [1]
    print_tables(list(found.values()))
    said = " ".join(capsys.readouterr().out.split())
    assert "means of 5 images" in said
    for text in ("21.00 (1)", "24.50 (1)", "+3.50 (1)", "4/5", "3/5"):
        assert text in said
    assert (
        "An exact copy has no finite PSNR, so its image counts for no system at that point." in said
    )


def test_a_system_that_is_mostly_exact_is_compared_where_it_is_not() -> None:
    """Else it would be scored on what is hard, and the others on everything."""
    one = {"a": [21.0], **{name: [EXACT] for name in "bcde"}}
    other = {name: [20.0 + 5 * i] for i, name in enumerate("abcde")}
    found = named(study(point("one", one), point("other", other)))
    assert cells(found["means"], "PSNR") == [21.0, 20.0]
    assert cells(found["means"], "PSNR images") == [1, 1]
    assert cells(found["gains"], "PSNR, dB") == [-1.0]


def test_a_draw_that_is_exact_leaves_no_mean_over_the_others() -> None:
    """Seven exact copies and a lost picture are not 14 dB."""
    lucky, plain = [EXACT] * 7 + [14.0], [40.0] * 8
    made = study(point("lucky", {"a": lucky, "b": plain}), point("plain", {"a": plain, "b": plain}))
    assert made.points[0].rows[0].mean("psnr_db") is None
    assert [p.mean("psnr_db") for p in made.points] == [40.0, 40.0]
    assert [p.rows[0].exact for p in made.points] == [7, 0]
    # The squared error of an exact copy is 0, so that the mean of the error is finite.
    error = made.points[0].rows[0].psnr_of_mean_error("psnr_db")
    assert error == pytest.approx(14 + 10 * math.log10(8))
    interval = made.points[0].interval("psnr_db")
    assert (interval.images, interval.mean, interval.low) == (1, 40.0, 40.0)


def test_sampling_looks_at_the_same_images_as_tables_do(tmp_path: Any) -> None:
    values = {"a": [EXACT, 14.0, 15.0], "b": [30.0, 32.0, 31.0]}
    made = []
    for name, seen in values.items():
        scores = [{"psnr_db": value} for value in seen]
        outcomes = [{"count": 1, "all_lost": False, "scores": one} for one in scores]
        made.append(TaskResult(name, 0, 3, name, "", "s", 0, 0.0, {}, outcomes))
    with Database(tmp_path / "r.db", write=True) as database:
        database.add(made, "run")
        found = measure(database, "s", {("a", ""), ("b", "")}, "psnr_db")
    assert (found.images, found.draws, found.mean) == (1, 3, 31.0)


CBRS = ("1/48", "1/24", "1/16", "1/12", "1/8", "1/6")


def _curves(exact: Mapping[tuple[str, str], set[str]]) -> SuiteResults:
    """Two parallel curves of images a and b; which of the images are exact, by system and CBR."""
    points = []
    for system, gain in (("one", 0.0), ("other", 4.0)):
        for cbr in CBRS:
            base = 40 + 4 * math.log(float(Setting(cbr=cbr).budget)) + gain
            seen = {"a": [base], "b": [base + 20]}
            some = exact.get((system, cbr), set())
            points.append(
                point(system, {k: [EXACT] if k in some else v for k, v in seen.items()}, cbr)
            )
    return study(*points)


def test_curves_go_through_points_over_the_same_images() -> None:
    """Where one system is exact, lines of both end: else they would fall by 10 dB."""
    made = _curves({("other", "1/8"): {"b"}, ("other", "1/6"): {"b"}})
    drawing = {d.data.name: d for d in draw(made)}
    data = drawing["rate-distortion"].data
    lines = {name: cells(data, "value", system=name, score="psnr_db") for name in ("one", "other")}
    assert [len(line) for line in lines.values()] == [4, 4]
    assert all(line == sorted(line) for line in lines.values())
    assert "4 of 12 points of PSNR. An exact copy has no finite PSNR." in data.caption
    assert len(cells(data, "value", system="one", score="ssim")) == 6
    rates = named(made)["bd-rate"]
    assert cells(rates, "times", score="PSNR") == pytest.approx([math.e])
    assert cells(rates, "images", score="PSNR") == [2]
    assert cells(named(made)["gains"], "PSNR, dB") == pytest.approx([4.0] * 6)
    assert cells(named(made)["gains"], "PSNR, dB images") == [2, 2, 2, 2, 1, 1]


def test_an_image_that_is_mostly_exact_is_left_out_of_curves() -> None:
    """As a black frame is, which every codec sends as it is."""
    black = {(system, cbr): {"b"} for system in ("one", "other") for cbr in CBRS[1:]}
    made = _curves(black)
    found = named(made)
    assert set(cells(found["means"], "PSNR images")) == {1}
    assert cells(found["bd-rate"], "images", score="PSNR") == [1]
    assert cells(found["bd-rate"], "times", score="PSNR") == pytest.approx([math.e])
    data = {d.data.name: d.data for d in draw(made)}["rate-distortion"]
    assert "1 of 2 images of PSNR" in data.caption


def test_a_point_of_exact_copies_alone_has_no_psnr() -> None:
    made = study(point("one", {"a": [EXACT]}), point("other", {"a": [30.0]}))
    found = named(made)
    assert cells(found["means"], "PSNR") == [None, 30.0]
    assert cells(found["gains"], "PSNR, dB") == [None]


def test_exported_means_are_over_one_set_of_images_each(tmp_path: Path) -> None:
    seen: Seen = {"a": [20.0], "b": [30.0], "c": [EXACT]}
    made = study(point("one", seen))
    (file,) = export(made, tmp_path, ["json"])
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert results["psnr-rgb"] == [25.0]
    assert results["images"] == [2]
    assert results["bpp"] == pytest.approx([(62 + ord("a") + 62 + ord("b")) / 2 / 100])
    assert results["ssim-rgb"] == pytest.approx([0.25])


def test_symbols_are_no_bits_per_pixel(tmp_path: Path) -> None:
    """The bits of an analog codec are its side information alone."""
    made = point("one", {"a": [20.0]})
    rows = tuple(
        replace(row, record={**row.record, "accounting": {"analog": 900.0}}) for row in made.rows
    )
    (file,) = export(study(replace(made, rows=rows)), tmp_path, ["json"])
    assert json.loads(file.read_text(encoding="utf-8"))["results"]["bpp"] == [None]


PSNR = st.one_of(st.none(), st.floats(10, 60))
ROWS = st.dictionaries(st.sampled_from("abcde"), st.lists(PSNR, min_size=2, max_size=2), min_size=1)


def known(p: Point) -> set[Key]:
    return {row.key for row in p.rows if row.mean("psnr_db") is not None}


@given(st.lists(ROWS, min_size=2, max_size=4))
def test_a_gain_is_the_difference_of_two_means_over_the_same_images(seen: list[Seen]) -> None:
    made = study(*(point(f"s{i}", rows) for i, rows in enumerate(seen)))
    gains = next((t for t in tables(made) if t.name == "gains"), None)
    first, *others = made.points
    tally = Counter(key for p in made.points for key in known(p))
    some = sum(bool(known(p)) for p in made.points)
    images = {key for key, count in tally.items() if 2 * count >= some}
    for one in others:
        both = first.counted["psnr_db"] & one.counted["psnr_db"]
        # Whoever has results of half of the images that count has a mean over the same ones.
        there = [{row.key for row in p.rows} & images for p in (first, one)]
        if all(known(p) for p in (first, one)) and 2 * min(map(len, there)) >= len(images):
            assert first.counted["psnr_db"] == one.counted["psnr_db"]
        if gains is None or "PSNR, dB" not in gains.columns:
            continue
        (gain,) = cells(gains, "PSNR, dB", system=one.system)
        means = [{r.key: r.mean("psnr_db") for r in p.rows if r.key in both} for p in (first, one)]
        each = [means[1][key] - means[0][key] for key in both]  # type: ignore[operator]
        assert (gain is None) == (not each)
        if each:
            assert gain == pytest.approx(sum(each) / len(each), abs=1e-9)
            if first.counted["psnr_db"] == one.counted["psnr_db"]:
                a, b = first.mean("psnr_db"), one.mean("psnr_db")
                assert a is not None
                assert b is not None
                assert gain == pytest.approx(b - a, abs=1e-9)


def test_what_draws_make_of_it_says_over_how_many_images() -> None:
    """An image of which some draws are exact has no mean of decibels, and none of its error."""
    seen: Seen = {"a": [20.0, 40.0], "b": [EXACT, 30.0]}
    made = point("one", seen, blind=True)
    rows = tuple(replace(r, record={**r.record, "expected_psnr_db": 25.0}) for r in made.rows)
    found = named(study(replace(made, rows=rows)))["draws"]
    assert cells(found, "mean") == [30.0]
    for name in ("expected", "simulated", "mean"):
        assert cells(found, f"{name} images") == [1]
    assert cells(found, "images") == [2]
