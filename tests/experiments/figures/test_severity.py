"""Figures over the severity of disturbances: maps, and lines of what has no severity."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import pytest
from matplotlib.legend import Legend

from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import COLUMN, PAGE, SETTINGS
from experiments.figures.robustness.maps import gain_map, severity_map
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from tests.experiments.figures.studies import column, draw_named, point, scores, study, table

SEVEN = ("fog", "rain", "snow", "night", "drops", "occlusion", "contrast")
GAINS = {"blind": 0.0, "masks": 2.0, "true masks": 3.0}
SCORES = ["region_psnr_db", "iou_truth", "iou_clean"]


def gained(system: str, name: str, severity: int, image: str) -> float:
    """Return the gain of the region: less for higher severities, and more for image ``b``."""
    how = 0.1 * severity + 0.01 * len(name) if name else 0.0
    return GAINS.get(system, 1.0) * (1 - how + (image == "b"))


def cell(system: str, name: str, severity: int) -> Point:
    """Return a point of two images, of which the masks are the worse the higher the severity."""
    key = System(system, (("disturbance", name), ("severity", severity)))
    seen = {n: [scores(30 + gained(system, name, severity, n), 25)] for n in ("a", "b")}
    axes = {"disturbance": name, "severity": severity, "blind": system == "blind"}
    segmenter = "beside" if system == "true masks" else "graph"
    made = point(key, seen, segmenter=segmenter, **axes)
    for row in made.rows:
        row.record.update(iou_truth=0.9 - 0.1 * severity, iou_clean=1 - 0.1 * severity)
    return made


def disturbed(
    cells: Iterable[tuple[str, int]], systems: Sequence[str] = tuple(GAINS)
) -> SuiteResults:
    points = [cell(system, *how) for system, how in itertools.product(systems, cells)]
    about = {"systems": {system: {} for system in systems}, "anchor": "blind", "scores": SCORES}
    return study(points, **about)


def mean_gain(system: str, name: str, severity: int) -> float:
    return sum(gained(system, name, severity, image) for image in ("a", "b")) / 2


def test_the_map_of_gains_has_those_of_the_table() -> None:
    cells = list(itertools.product(SEVEN, (1, 3, 5)))
    made = disturbed([("", 3), *cells])
    data = draw_named(made)["gain-map-1"].data
    told = table(made, "gains")
    assert set(column(data, "system")) == {"masks", "true masks"}
    assert len(data.rows) == 2 * len(cells)
    for system, (name, severity) in itertools.product(("masks", "true masks"), cells):
        (shown,) = column(
            data, "region_psnr_db", system=system, disturbance=name, severity=severity
        )
        assert shown == pytest.approx(mean_gain(system, name, severity))
        label = f"{system}, {name}, severity {severity}"
        assert column(told, "region, dB", system=label) == [shown]
    assert "gain over blind: region PSNR, dB" in data.title
    assert "Means over 2 images of the difference for each image." in data.caption


def test_maps_share_one_scale_of_colours() -> None:
    (drawing,) = gain_map(disturbed(itertools.product(SEVEN, (1, 5))), width=COLUMN)
    values = column(drawing.data, "region_psnr_db")
    maps = [image for plot in drawing.figure.axes for image in plot.get_images()]
    assert [image.get_clim() for image in maps] == [(min(values), max(values))] * 2


def test_many_systems_have_several_figures() -> None:
    made = disturbed(itertools.product(SEVEN, (1, 5)), ["blind", *"abcde"])
    drawn = {drawing.data.name: drawing.data for drawing in gain_map(made, width=COLUMN)}
    shown = {name: "".join(dict.fromkeys(column(data, "system"))) for name, data in drawn.items()}
    assert shown == {"gain-map-1": "abcd", "gain-map-2": "e"}


def test_each_iou_of_masks_that_were_looked_for_has_a_map() -> None:
    made = disturbed(itertools.product(SEVEN, (1, 5)))
    first, truth, clean = (drawing.data for drawing in severity_map(made, width=COLUMN))
    assert set(column(first, "system")) == set(GAINS)
    assert column(first, "region_psnr_db", system="blind") == [pytest.approx(30)] * 14
    for data, score, best in ((truth, "iou_truth", 0.9), (clean, "iou_clean", 1.0)):
        assert set(column(data, "system")) == {"masks"}  # blind and true masks are not looked for
        assert column(data, score, disturbance="fog") == pytest.approx([best - 0.1, best - 0.5])
        assert data.caption.endswith("Means over 2 images.")


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_maps_and_their_titles_are_no_wider_than_the_figure(width: float) -> None:
    systems = ["blind", *(" ".join([f"the system {i} of a long name"] * 4) for i in range(3))]
    made = disturbed(itertools.product((*SEVEN, "pgd:goal=mirror"), (1, 2, 3, 4, 5)), systems)
    for drawing in (*severity_map(made, width=width), *gain_map(made, width=width)):
        with plain_text(SETTINGS):
            drawing.figure.draw_without_rendering()
            box = drawing.figure.get_tightbbox()
        assert box.x0 >= -1e-3, drawing.data.name
        assert box.x1 <= width, drawing.data.name


def test_few_disturbances_have_no_map() -> None:
    made = disturbed(itertools.product(SEVEN[:6], (1, 5)))
    assert gain_map(made, width=COLUMN) == severity_map(made, width=COLUMN) == []


@pytest.mark.parametrize(("more", "first"), [([], 1), ([("", 3)], 0)])
def test_the_control_is_a_line_in_each_panel(more: list[tuple[str, int]], first: int) -> None:
    cells = [*more, ("jitter", 3), *itertools.product(("fog", "rain"), (1, 3, 5))]
    drawn = draw_named(disturbed(cells))
    gains = drawn["gain-severity-region-psnr"]
    assert set(column(gains.data, "disturbance")) == {"fog", "rain"}
    for name in ("fog", "rain"):
        where = {"system": "masks, jitter", "disturbance": name}
        assert column(gains.data, "severity", **where) == [first, 5]
        value = pytest.approx(mean_gain("masks", "jitter", 3))
        assert column(gains.data, "region_psnr_db", **where) == [value] * 2
        where["system"] = "masks"
        assert column(gains.data, "severity", **where) == [0] * len(more) + [1, 3, 5]
    (legend,) = gains.figure.findobj(Legend)
    assert "true masks, jitter" in [text.get_text() for text in legend.get_texts()]
    assert "Thin horizontal lines: jitter, of a single severity." in gains.data.caption
    truth = drawn["severity-iou-truth"].data
    assert column(truth, "iou_truth", system="masks, jitter") == pytest.approx([0.6] * 4)


def test_another_disturbance_of_one_severity_is_a_line_unless_it_has_a_panel() -> None:
    cells = [("night", 5), *itertools.product(("fog", "rain"), (1, 3))]
    for more, panels in (([], {"fog", "rain"}), ([("", 3)], {"night", "fog", "rain"})):
        data = draw_named(disturbed([*more, *cells]))["severity-region-psnr"].data
        assert set(column(data, "disturbance")) == panels
        assert ("masks, night" in column(data, "system")) == (not more)
