"""Which figures there are, and the numbers in them, of studies made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.legend import Legend

from experiments.analysis.all_tables import tables
from experiments.analysis.papers import published
from experiments.figures.all_figures import draw
from experiments.intervals import mean_interval
from experiments.store.measured import SuiteResults
from experiments.suites.axes import System
from experiments.suites.literature import literature
from tests.experiments.figures.studies import (
    CBRS,
    Scores,
    column,
    fading,
    masks,
    named,
    point,
    scores,
    study,
    table,
)


def test_only_what_the_data_support_is_drawn() -> None:
    assert draw(study([point("one", {"a": [scores(30, 30)]})])) == []
    assert set(named(draw(masks()))) == {"rate-distortion"}
    one_theta = {"rate-distortion", "gain-cbr", "scatter"}
    assert set(named(draw(masks(0.5)))) == one_theta
    assert set(named(draw(masks(0.5, 0.8)))) == one_theta | {"region-background", "gain-theta"}
    assert set(named(draw(masks(0.5, cbrs=["1/16"], snrs=[4.0, 10.0])))) == {
        "quality-snr",
        "gain-snr",
        "scatter",
    }
    assert set(named(draw(fading()))) == {
        "quality-snr",
        "gain-snr",
        "outage",
        "outage-snr",
        "scatter",
    }


def test_a_region_that_is_everything_has_no_scores_of_its_own() -> None:
    whole: Scores = {"psnr_db": 30.0, "region_psnr_db": 30.0, "background_psnr_db": None}
    made = study([point("one", {"a": [whole]}, cbr=cbr) for cbr in CBRS])
    assert set(column(named(draw(made))["rate-distortion"].data, "score")) == {"psnr_db"}


def test_channels_and_snrs_have_panels_of_their_own() -> None:
    points = [
        point("one", {"a": [scores(db, db)]}, channel=channel, snr_db=snr_db, cbr=cbr)
        for channel, db in (("awgn", 30.0), ("rayleigh", 20.0))
        for snr_db in (4.0, 10.0)
        for cbr in ("1/24", "1/16")
    ]
    found = named(draw(study(points)))
    drawing = found["rate-distortion-region-psnr"]
    assert [axes.get_title() for axes in drawing.figure.axes] == [
        "awgn, 4 dB",
        "awgn, 10 dB",
        "rayleigh, 4 dB",
        "rayleigh, 10 dB",
    ]
    assert [set(line.get_ydata()) for axes in drawing.figure.axes for line in axes.get_lines()] == [
        {30.0},
        {30.0},
        {20.0},
        {20.0},
    ]


@pytest.mark.parametrize("made", [masks(0.5, 0.8), fading()], ids=["masks", "fading"])
def test_the_table_has_what_the_lines_have(made: SuiteResults) -> None:
    for drawing in draw(made):
        x, y = (drawing.data.columns.index("system") + i for i in (1, 2))
        told = sorted((cells[x], cells[y]) for cells in drawing.data.rows)
        shown = sorted(
            (px, py)
            for axes in drawing.figure.axes
            for line in axes.get_lines()
            if line.get_color() not in ("0.3", "0.4", "0.45") and line.get_marker() != "_"
            for px, py in zip(line.get_xdata(), line.get_ydata(), strict=True)
        )
        assert np.array(shown) == pytest.approx(np.array(told)), drawing.data.name


def test_bars_are_the_intervals_over_the_draws() -> None:
    made = fading(apart=2.0)
    data = named(draw(made))["quality-snr"].data
    for p in made.points:
        where = {"system": p.system, "snr_db": p.setting.snr_db, "score": "region_psnr_db"}
        sums = [r.sums["region_psnr_db"] for r in p.rows]
        interval = mean_interval("region_psnr_db", sums, 4)
        assert column(data, "interval_low", **where) == [interval.low]
        assert column(data, "interval_high", **where) == [interval.high]
        assert column(data, "error_low", **where) == pytest.approx(
            [p.mean("region_psnr_db") - p.standard_error("region_psnr_db")]
        )
    assert "interval_low" not in named(draw(masks(0.5)))["rate-distortion"].data.columns


def test_outage_of_known_draws() -> None:
    found = named(draw(fading()))
    data = found["outage"].data
    # Draws at 10, 20, 30, 40 dB: nothing is below the least, all is below the end.
    where = {"system": "plain", "snr_db": 5.0}
    assert column(data, "region_psnr_db", **where) == pytest.approx([9.5, 10, 20, 30, 40, 45.5])
    assert column(data, "outage", **where) == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1])
    # Clopper and Pearson for none of 8 draws: 1 - 0.025^(1/8).
    assert column(data, "interval_high", **where)[0] == pytest.approx(1 - 0.025 ** (1 / 8))
    # Below 25 dB are 10 and 20, or 15: the other is at the threshold, not below it.
    over = found["outage-snr"].data
    assert column(over, "outage", system="plain") == pytest.approx([0.5, 0.5])
    assert column(over, "outage", system="robust") == pytest.approx([0.25, 0.25])


def test_published_curves_stand_beside_kodak_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = replace(
        masks(), suite={**masks().suite, "beside": ["witt", "bpg-ldpc", "witt-rayleigh"]}
    )
    assert "differences" not in [table.name for table in tables(made)]
    assert "WITT" not in column(named(draw(made))["rate-distortion"].data, "system")
    monkeypatch.setattr(published, "is_kodak", lambda digests: digests == made.digests)
    data = named(draw(made))["rate-distortion"].data
    witt = literature()["witt"]
    assert column(data, "psnr_db" if "psnr_db" in data.columns else "value", system="WITT") == [
        value for _, value in witt.over_cbr(10.0)
    ]
    assert set(column(data, "system")) == {"blind", "WITT", "BPG + 5G LDPC"}
    differences = table(made, "differences")
    ours = column(table(made, "means"), "PSNR", CBR="1/16")[0]
    theirs = witt.at(1 / 16, 10.0)
    assert theirs is not None
    assert column(differences, "difference", CBR="1/16", published="WITT") == [ours - theirs]


def test_a_system_may_be_called_as_what_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [replace(p, key=System("WITT"), system="WITT") for p in masks().points]
    made = study(points, beside=["witt"])
    monkeypatch.setattr(published, "is_kodak", lambda digests: bool(digests))
    drawing = named(draw(made))["rate-distortion"]
    legends = drawing.figure.findobj(Legend)
    assert [text.get_text() for one in legends for text in one.get_texts()] == [
        "WITT",
        "published by others",
    ]
    assert len(column(drawing.data, "cbr", system="WITT", published=None, score="psnr_db")) == 5
    assert len(column(drawing.data, "cbr", system="WITT", published="yes")) > 1


def test_lost_pictures_have_an_interval() -> None:
    seen = {"a": [scores(10, 10)] * 5, "b": [scores(10, 10)] * 5}
    lost = table(study([point("one", seen, lost=5)]), "lost")
    assert column(lost, "lost") + column(lost, "draws") + column(lost, "%") == [10, 10, 100.0]
    assert column(lost, "to") == [100.0]
    assert column(lost, "from") == pytest.approx([100 * 0.025 ** (1 / 10)])
    assert "lost" not in [table.name for table in tables(masks(0.5))]


def test_expected_and_simulated_error() -> None:
    error = [scores(10, 10), scores(30, 30)]
    made = study(
        [
            replace(
                p,
                rows=tuple(
                    replace(r, record={**r.record, "expected_psnr_db": 20.0}) for r in p.rows
                ),
            )
            for p in [point("one", {"a": error})]
        ]
    )
    draws = table(made, "draws")
    found = dict(zip(draws.columns, draws.rows[0], strict=True))
    assert found["expected"] == found["mean"] == pytest.approx(20.0)
    assert found["simulated"] == pytest.approx(-10 * math.log10(0.0505))
    assert found["shown, %"] == 50.0
    assert draws.title == "over 2 draws of the channel each"
