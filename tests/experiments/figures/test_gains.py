"""Bandwidth at equal quality, and gains, of studies of which everything is known."""

from __future__ import annotations

import math

import pytest

from experiments.analysis.bd_rate import bd_rate
from experiments.figures.all_figures import draw
from experiments.suites.axes import System
from tests.experiments.figures.studies import column, masks, named, point, scores, study, table


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
