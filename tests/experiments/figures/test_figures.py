"""Figures and tables of studies made by hand, of which everything is known."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image as PilImage

from experiments.analysis import published
from experiments.analysis.all_tables import tables
from experiments.analysis.bd_rate import bd_rate
from experiments.analysis.points import few, prepare, rescore
from experiments.analysis.printing import print_tables
from experiments.analysis.table import Table
from experiments.figures.all_figures import draw
from experiments.figures.drawing import Drawing
from experiments.figures.files import FORMATS, render, write
from experiments.figures.parts.style import COLUMN, PAGE, SETTINGS, system_look
from experiments.intervals import mean_interval
from experiments.store.common_images import align
from experiments.store.database import add_up
from experiments.store.measured import ImageRow, Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.literature import literature
from experiments.suites.setting import Setting

CBRS = ("1/48", "1/24", "1/16", "1/12", "1/8")
SYSTEMS = ("blind", "masks, θ 0.5")
Scores = dict[str, float | None]


def scores(region: float, background: float, theta: float = 0.65) -> Scores:
    """Return scores of a picture whose region is half of it."""
    error = theta * 10 ** (-region / 10) + (1 - theta) * 10 ** (-background / 10)
    whole = (10 ** (-region / 10) + 10 ** (-background / 10)) / 2
    return {
        "region_psnr_db": region,
        "background_psnr_db": background,
        "theta_psnr_db": -10 * math.log10(error),
        "psnr_db": -10 * math.log10(whole),
    }


def row(name: str, seen: Sequence[Scores], *, cbr: float, lost: int = 0, **more: Any) -> ImageRow:
    """Return one image of which each of ``seen`` was shown once, the first ``lost`` grey."""
    outcomes = [
        {"draw": i, "count": 1, "all_lost": i < lost, "packets_received": 1, "scores": values}
        for i, values in enumerate(seen)
    ]
    sums = {score: tuple(total) for score, total in add_up(outcomes).items()}
    image = hashlib.sha256(name.encode()).hexdigest()
    record = {"cbr": cbr, "sha256": image, **more}
    about = image, "", name, name, len(seen), lost
    return ImageRow(*about, sums, record, tuple(outcomes), name)  # type: ignore[arg-type]


def point(
    system: str | System, seen: dict[str, Sequence[Scores]], *, lost: int = 0, **axes: Any
) -> Point:
    """Return a point with what was seen of each image, by name."""
    setting = Setting(**axes)
    key = system if isinstance(system, System) else System(system)
    cbr = float(setting.budget)
    rows = (row(name, values, cbr=cbr, lost=lost) for name, values in seen.items())
    return Point(key, setting, tuple(rows), key.label)


def study(points: Sequence[Point], **suite: Any) -> SuiteResults:
    """Return a study of these points."""
    about = {
        "title": "by hand",
        "systems": {},
        "anchor": "",
        "scores": ["psnr_db", "region_psnr_db", "background_psnr_db", "theta_psnr_db", "lost"],
        "shown_db": 25.0,
        "beside": [],
        **suite,
    }
    return SuiteResults("hand", about, align(points), {}, None, "2024-01-01T00:00:00", 0)


def masks(
    *thetas: float, cbrs: Sequence[str] = CBRS, snrs: Sequence[float] = (10.0,)
) -> SuiteResults:
    """Return masks of several θ against blind, over bandwidth.

    All curves are linear in ln(CBR), 4 dB for each e-fold. The region of masks gains 10·θ dB, the
    background pays 2·θ dB; image ``b`` is 3 dB better than ``a`` under all systems.
    """

    def seen(cbr: str, snr_db: float, gain: float, loss: float, theta: float) -> Any:
        base = 45 + 4 * math.log(float(Setting(cbr=cbr).budget)) + snr_db / 2
        pictures = {"a": base, "b": base + 3}
        return {n: [scores(db + gain, db - loss, theta)] for n, db in pictures.items()}

    points = []
    for theta in (0.0, *thetas):
        name = System("masks", (("theta", theta),)) if theta else System("blind")
        for cbr in cbrs:
            for snr_db in snrs:
                pictures = seen(cbr, snr_db, 10 * theta, 2 * theta, theta or 0.65)
                axes = {"cbr": cbr, "snr_db": snr_db, "theta": theta or 0.65, "blind": not theta}
                points.append(point(name, pictures, **axes))
    return study(points, systems={"blind": {}, "masks": {}})


def fading(apart: float = 0.0) -> SuiteResults:
    """Return two systems over two SNRs; four draws of each image: 10, 20, 30, 40 dB.

    Image ``b`` is ``apart`` dB better than ``a``.
    """
    points = []
    for name, better in (("plain", 0.0), ("robust", 5.0)):
        for snr_db in (5.0, 10.0):
            region = [10.0 + better, 20.0 + better, 30.0 + better, 40.0 + better]
            pictures = {
                image: [scores(db + more, 20.0) for db in region]
                for image, more in (("a", 0.0), ("b", apart))
            }
            points.append(point(name, pictures, channel="rayleigh", snr_db=snr_db))
    return study(points)


def named(drawings: Sequence[Drawing]) -> dict[str, Drawing]:
    return {drawing.data.name: drawing for drawing in drawings}


def column(table: Table, name: str, **where: Any) -> list[Any]:
    """Return a column of the rows with these values."""
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]
    return [r[name] for r in rows if all(r[key] == value for key, value in where.items())]


def table(made: SuiteResults, name: str) -> Table:
    return next(table for table in tables(made) if table.name == name)


# Bandwidth at equal quality and gains


@pytest.mark.parametrize("factor", [1.0, 0.8, 1 / 3, 1.25])
def test_bd_rate_of_parallel_curves_is_their_distance(factor: float) -> None:
    rates = [1 / 48, 1 / 24, 1 / 16, 1 / 12, 1 / 8]
    anchor = [(rate, 40 + 4 * math.log(rate)) for rate in rates]
    test = [(rate * factor, quality) for rate, quality in anchor]
    found = bd_rate(anchor, test)
    assert found is not None
    assert found.rate == pytest.approx(factor - 1, abs=1e-9)
    assert found.times == pytest.approx(1 / factor)
    assert (found.low, found.high) == (anchor[0][1], anchor[-1][1])


def test_no_bd_rate_without_common_quality_points_or_order() -> None:
    anchor = [(rate, 40 + 4 * math.log(rate)) for rate in (0.02, 0.04, 0.06, 0.08)]
    assert bd_rate(anchor, [(rate, quality + 50) for rate, quality in anchor]) is None
    assert bd_rate(anchor[:3], anchor[:3]) is None
    assert bd_rate(anchor, [*anchor[:3], (0.08, 0.0)]) is None


def test_gains_are_the_known_differences_and_paired() -> None:
    made = masks(0.5, 0.8)
    gains = table(made, "gains")
    assert column(gains, "region, dB", system="masks, θ 0.8") == pytest.approx([8.0] * 5)
    assert column(gains, "rest, dB", system="masks, θ 0.5") == pytest.approx([-1.0] * 5)
    # At θ = 0.8, blind has its base everywhere: its θ-PSNR is that base at any θ.
    theta_psnr_db = -10 * math.log10(0.8 * 10**-0.8 + 0.2 * 10**0.16)
    assert column(gains, "θ-PSNR, dB", system="masks, θ 0.8") == pytest.approx([theta_psnr_db] * 5)
    # Images are 3 dB apart, but gain the same: the mean of the gains has no error.
    drawn = named(draw(made))["gain-cbr"].data
    for end in ("error_low", "error_high"):
        known = column(drawn, end) if end in drawn.columns else []
        ends = [
            (e, v) for e, v in zip(known, column(drawn, "value"), strict=False) if e is not None
        ]
        assert all(e == pytest.approx(v) for e, v in ends)


def test_the_bandwidth_that_a_gain_is_worth() -> None:
    # 8 dB at 4 dB for each e-fold of bandwidth, over the qualities that both reach.
    made = table(masks(0.4), "bd-rate")
    assert column(made, "times", score="region") == pytest.approx([math.e], rel=1e-6)
    assert column(made, "BD-rate, %", score="region") == pytest.approx([100 / math.e - 100])
    assert column(table(masks(0.8), "bd-rate"), "times", score="region") == [None]


def test_each_point_is_compared_with_the_anchor_most_like_it() -> None:
    points = [
        point(
            System(name, (("codec", codec),)),
            {"a": [scores(db, db)]},
            codec=codec,
            blind=name == "blind",
        )
        for name, codec, db in (
            ("blind", "hevc", 30.0),
            ("blind", "jpeg", 20.0),
            ("masks", "hevc", 31.0),
            ("masks", "jpeg", 22.0),
        )
    ]
    gains = table(study(points, systems={"blind": {}, "masks": {}}), "gains")
    assert column(gains, "system") == ["masks, hevc", "masks, jpeg"]
    assert column(gains, "region, dB") == pytest.approx([1.0, 2.0])


# Points


def test_seeds_are_joined_and_other_settings_are_not() -> None:
    made = study(
        [
            point("one", {"a": [scores(30, 30), scores(32, 32)]}, seed=0),
            point("one", {"a": [scores(37, 37)]}, seed=5),
            point("one", {"a": [scores(50, 50)]}, snr_db=5.0),
        ]
    )
    joined = prepare(made)
    assert [p.mean("region_psnr_db") for p in joined.points] == pytest.approx([33.0, 50.0])
    assert joined.points[0].rows[0].draws == 3
    means = table(made, "means")  # by rising SNR
    assert dict(zip(column(means, "SNR"), column(means, "draws"), strict=True)) == {5: 1, 10: 3}


@pytest.mark.parametrize("theta", [0.1, 0.8])
def test_theta_psnr_at_another_theta(theta: float) -> None:
    mine = point("one", {"a": [scores(30, 40, 0.65), scores(20, 25, 0.65)]}, theta=0.65)
    other = point("one", {"a": [scores(30, 40, theta), scores(20, 25, theta)]}, theta=theta)
    found = rescore(mine, theta)
    assert found.mean("theta_psnr_db") == pytest.approx(other.mean("theta_psnr_db"))
    assert found.interval("theta_psnr_db").high == pytest.approx(
        other.interval("theta_psnr_db").high
    )


def test_theta_psnr_of_a_part_without_error_or_meaning() -> None:
    perfect: Scores = {"region_psnr_db": None, "background_psnr_db": 30.0, "theta_psnr_db": 40.0}
    nothing: Scores = {"region_psnr_db": None, "background_psnr_db": 30.0, "theta_psnr_db": None}
    assert rescore(point("one", {"a": [perfect]}), 0.5).mean("theta_psnr_db") == pytest.approx(
        30 + 10 * math.log10(2)
    )
    assert rescore(point("one", {"a": [nothing]}), 0.5).mean("theta_psnr_db") is None


def lacking(made: SuiteResults, places: Sequence[int]) -> SuiteResults:
    """Return the study without the second image at some points."""
    points = [
        replace(p, rows=p.rows[:1] if i in places else p.rows) for i, p in enumerate(made.points)
    ]
    return replace(made, points=align(points))


def test_means_are_over_the_images_that_all_systems_have() -> None:
    """Blind lacks image b, which is 3 dB better, at the first of five bandwidths."""
    made = lacking(masks(0.5), [0])
    means = table(made, "means")
    assert column(means, "images") == [1, 1, *[2] * 8]
    first = {name: column(means, "PSNR", CBR="1/48", system=name)[0] for name in SYSTEMS}
    alone = {p.system: p.rows[0].mean("psnr_db") for p in made.points if p.setting.cbr == "1/48"}
    assert first == alone
    gains = table(made, "gains")
    assert column(gains, "images") == [1, 2, 2, 2, 2]
    assert column(gains, "PSNR, dB")[0] == pytest.approx(first["masks, θ 0.5"] - first["blind"])
    # A line goes through points over all images alone, and BD-rates are of such lines.
    drawn = named(draw(made))["rate-distortion"].data
    assert len(column(drawn, "cbr", system="blind", score="psnr_db")) == 4
    assert len(column(drawn, "cbr", system="masks, θ 0.5", score="psnr_db")) == 4
    assert "Left out for lack of results or finite values: 2 of 10 points" in drawn.caption
    rates, whole = table(made, "bd-rate"), table(masks(0.5, cbrs=CBRS[1:]), "bd-rate")
    assert rates.rows == whole.rows


def test_an_image_that_few_points_have_counts_nowhere() -> None:
    """A run that has only begun with it."""
    made = lacking(masks(0.5), range(8))
    drawn = named(draw(made))["rate-distortion"].data
    assert len(column(drawn, "cbr", score="psnr_db")) == 10
    assert "1 of 2 images of PSNR" in drawn.caption
    assert column(table(made, "means"), "images") == [1] * 10
    assert table(made, "means").title == "means of 1 image"


def test_a_system_that_lacks_most_images_decides_for_no_other() -> None:
    seen = {name: [scores(30 + i, 30 + i)] for i, name in enumerate("abcd")}
    better = {name: [scores(40 + 2 * i, 40 + 2 * i)] for i, name in enumerate("abcd")}
    made = study([point("blind", seen), point("masks", better), point("few", {"d": seen["d"]})])
    means = table(made, "means")
    assert column(means, "images") == [4, 4, 1]
    assert column(means, "PSNR") == pytest.approx([31.5, 43.0, 33.0])
    assert column(table(made, "gains"), "PSNR, dB") == pytest.approx([11.5, 0.0])
    assert column(table(made, "gains"), "images") == [4, 1]


def test_no_more_systems_than_a_panel_takes() -> None:
    kept, note = few(masks(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.9))
    assert [system.label for system in kept.systems] == ["blind", "masks, θ 0.6"]
    assert "nearest to 0.65" in note
    assert few(masks(0.5)) == (masks(0.5), "")


# Figures


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


# On paper


def test_looks_differ_without_colour() -> None:
    looks = [system_look(place) for place in range(49)]
    assert len({(look["marker"], str(look["linestyle"])) for look in looks}) == 49
    assert len({look["color"] for look in looks[:7]}) == 7


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("made", [masks(0.5, 0.65, 0.8), fading()], ids=["masks", "fading"])
def test_nothing_is_cut_off_or_hidden(made: SuiteResults, width: float) -> None:
    for drawing in draw(made, width=width):
        figure = drawing.figure
        assert figure.get_figwidth() == width
        assert figure.get_figheight() <= 9  # inches of text on a page
        with rc_context(SETTINGS):
            figure.draw_without_rendering()
        box = figure.get_tightbbox()  # of all that is seen, in inches
        assert box.min.min() >= 0, drawing.data.name
        assert box.x1 <= width, drawing.data.name
        assert box.y1 <= figure.get_figheight(), drawing.data.name
        sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
        assert 6 <= min(sizes) <= max(sizes) <= 8
        for legend in figure.findobj(Legend):
            for axes in figure.axes:
                assert not legend.get_window_extent().overlaps(axes.get_window_extent())


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_the_same_bytes(kind: str) -> None:
    made = masks(0.5, 0.8)
    once, again = (draw(made)[0] for _ in range(2))
    assert render(once, kind) == render(again, kind)
    with pytest.raises(ValueError, match="choices: png, pdf, svg"):
        render(once, "gif")


def test_files_are_at_size_and_have_real_fonts(tmp_path: Path) -> None:
    made = draw(masks(0.5))
    write(made, tables(masks(0.5)), tmp_path, FORMATS)
    with PilImage.open(tmp_path / "rate-distortion.png") as image:
        assert image.width == pytest.approx(300 * COLUMN, abs=1)
    pdf = (tmp_path / "rate-distortion.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType
    assert b"/Type3" not in pdf
    assert b"bandwidth ratio (CBR)" in (tmp_path / "rate-distortion.svg").read_bytes()
    with (tmp_path / "gains.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["region, dB"]) for line in lines] == pytest.approx([5.0] * 5)
    assert "**gain-cbr** – Gain at equal bandwidth" in (tmp_path / "captions.md").read_text("utf-8")


def test_printed_tables(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(tables(masks(0.4)))
    out = capsys.readouterr().out
    assert "masks, θ 0.4 against blind, at 10 dB" in out
    assert "blind needs 2.72 times the bandwidth for the same region PSNR" in " ".join(out.split())
    assert f"{100 / math.e - 100:+.1f} %" in out
    line = next(line for line in out.splitlines() if line.split()[:3] == ["1/16", "10", "blind"])
    assert line.split()[-1] == "0/2"
