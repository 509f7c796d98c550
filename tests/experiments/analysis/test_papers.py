"""What papers do: the best of several schemes at each point, and published curves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.analysis.all_tables import tables
from experiments.analysis.choice.best_of import about_best, best_of
from experiments.analysis.export import export
from experiments.analysis.formats.sheets import sheets
from experiments.analysis.papers import published
from experiments.analysis.points import prepare
from experiments.analysis.table import Table
from experiments.figures.all_figures import draw
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.suite import Suite
from tests.experiments.figures.studies import point, scores, study

ROBUST, FAST = "QPSK 0.333", "16-QAM 0.667"


def sent(scheme: str, snr_db: float, psnrs: dict[str, float], name: str = "papers") -> Point:
    seen = {image: [{**scores(psnr, psnr), "ms_ssim": psnr / 100}] for image, psnr in psnrs.items()}
    key = System(name, (("scheme", scheme),) if scheme else ())
    return point(key, seen, scheme=scheme, schemes="papers", snr_db=snr_db)


def envelope(*more: Point) -> SuiteResults:
    """Return two schemes: the robust one wins at 4 dB, the other one at 10 dB."""
    return study(
        [
            sent(ROBUST, 4.0, {"a": 30.0, "b": 28.0}),
            sent(FAST, 4.0, {"a": 33.0, "b": 6.0}),
            sent(ROBUST, 10.0, {"a": 30.0, "b": 28.0}),
            sent(FAST, 10.0, {"a": 33.0, "b": 27.0}),
            *more,
        ],
        best_of="scheme",
        scores=["psnr_db", "ms_ssim"],
    )


def means(made: SuiteResults) -> Table:
    return next(table for table in tables(made) if table.name == "means")


def test_the_best_in_the_mean_wins_and_is_named() -> None:
    made = prepare(envelope())
    assert [p.chosen for p in made.points] == [(ROBUST, 2), (FAST, 2)]
    assert [p.mean("psnr_db") for p in made.points] == pytest.approx([29.0, 30.0])
    assert [p.mean("ms_ssim") for p in made.points] == pytest.approx([0.29, 0.30])
    assert {p.system for p in made.points} == {"papers"}
    table = means(envelope())
    assert [row[table.columns.index("best")] for row in table.rows] == [ROBUST, FAST]
    assert "papers: at each point the best of 2 values of scheme" in table.caption
    shown = next(sheet for sheet in sheets([table]) if sheet.name == "means")
    assert [row[shown.head.index("best")] for row in shown.rows] == [ROBUST, FAST]


def test_without_the_key_nothing_is_chosen() -> None:
    plain = replace(envelope(), suite={**envelope().suite, "best_of": ""})
    assert best_of(plain) is plain
    assert len(prepare(plain).systems) == 2
    assert about_best(plain) == ""
    assert "best" not in means(plain).columns


def test_a_scheme_that_lacks_an_image_does_not_win() -> None:
    """Its mean over the easy images alone would be higher; it is not counted either."""
    short = sent("64-QAM 0.500", 10.0, {"a": 40.0})
    made = prepare(envelope(short))
    assert [p.chosen for p in made.points] == [(ROBUST, 2), (FAST, 2)]
    only = prepare(envelope(sent("64-QAM 0.500", 13.0, {"a": 40.0})))
    assert only.points[-1].chosen == ("64-QAM 0.500", 1)


def test_other_systems_stay_as_they_are() -> None:
    ours = sent("", 10.0, {"a": 34.0, "b": 30.0}, name="ours")
    made = prepare(envelope(ours))
    assert [(p.system, p.chosen[0]) for p in made.points][-1] == ("ours", "")
    table = means(envelope(ours))
    assert "ours:" not in table.caption


def test_figures_have_one_line_with_the_winners() -> None:
    data = next(d.data for d in draw(envelope()) if d.data.name.startswith("quality-snr"))
    assert "image" not in data.columns
    names = data.columns.index("best")
    psnr = [row for row in data.rows if row[data.columns.index("score")] == "psnr_db"]
    assert [row[names] for row in psnr] == [ROBUST, FAST]
    assert "best of 2 values of scheme" in data.caption


def test_json_has_the_layout_of_published_curves(tmp_path: Path) -> None:
    made = envelope()
    size = {"num_bits": 1000, "height": 10, "width": 10}
    rows = [tuple(replace(r, record={**r.record, **size}) for r in p.rows) for p in made.points]
    known = tuple(replace(p, rows=r) for p, r in zip(made.points, rows, strict=True))
    (path,) = export(replace(made, points=known), tmp_path, ("json",))
    content = json.loads(path.read_text(encoding="utf-8"))
    results = content["results"]
    assert results["best"] == [ROBUST, FAST]
    assert results["psnr-rgb"] == pytest.approx([29.0, 30.0])
    assert results["ms-ssim-rgb"] == pytest.approx([0.29, 0.30])
    assert results["snr_db"] == [4.0, 10.0]
    assert {"name", "description", "source", "obtained", "dataset", "channel", "bound"} < set(
        content
    )
    assert "best of 2 values of scheme" in content["obtained"]


def test_ms_ssim_is_compared_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    made = study(
        [sent("", snr_db, {"a": 96.0, "b": 98.0}) for snr_db in (4.0, 10.0)],
        scores=["psnr_db", "ms_ssim"],
        beside=["swinjscc", "witt"],
    )
    monkeypatch.setattr(published, "is_kodak", lambda _: True)
    (table,) = [one for one in tables(made) if one.name == "differences"]
    found = {row[3:6] + row[1:3]: row[6:] for row in table.rows}
    assert found["papers", "SwinJSCC", "MS-SSIM", "1/16", 10.0] == pytest.approx(
        (0.9772, 0.97 - 0.9772)
    )
    assert found["papers", "SwinJSCC", "PSNR", "1/16", 4.0] == pytest.approx((31.09, 97 - 31.09))
    assert ("papers", "WITT", "MS-SSIM", "1/16", 10.0) not in found
    titles = [sheet.title for sheet in sheets([table])]
    assert titles == ["PSNR of papers minus published, dB", "MS-SSIM of papers minus published"]
    lines = next(d.data for d in draw(made) if d.data.name.startswith("quality-snr"))
    shown = {
        (row[lines.columns.index("score")], row[lines.columns.index("system")])
        for row in lines.rows
    }
    assert ("ms_ssim", "SwinJSCC") in shown
    assert ("ms_ssim", "WITT") not in shown


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("snr_db", "best_of 'snr_db' is no axis of systems; choices: codec"),
        ("colour", "best_of 'colour' is no axis"),
        ("codec", "best_of: codec needs a part with several values of it"),
    ],
)
def test_what_cannot_be_the_best_of_is_refused(axis: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Suite(images="photos", scheme=[ROBUST, FAST], schemes="papers", best_of=axis)
