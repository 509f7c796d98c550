"""Points of studies made by hand: what is joined, and which images count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from experiments.analysis.points import few, prepare, rescore
from experiments.figures.all_figures import draw
from experiments.store.common_images import align
from experiments.store.measured import SuiteResults
from tests.experiments.figures.studies import (
    CBRS,
    Scores,
    column,
    masks,
    named,
    point,
    scores,
    study,
    table,
)

SYSTEMS = ("blind", "masks, θ 0.5")


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
