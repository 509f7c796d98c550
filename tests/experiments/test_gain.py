"""Gains of importance against curves whose difference is known."""

from __future__ import annotations

import math

import pytest

from experiments.gain import bd_rate, print_gain
from experiments.means import Point


def point(system, cbr, psnr_db):
    scores = dict.fromkeys(("region_psnr_db", "psnr_db"), psnr_db)
    row = {"cbr": cbr, "sha256": "x", "packets_received": 1, **scores}
    return Point("hevc", system, 0.65, cbr, 10.0, (row,))


def curve(system, cbrs, factor):
    """Quality that is linear in ln(CBR): ``factor`` times the bandwidth gives the same."""
    return [point(system, cbr, 40 + 4 * math.log(cbr / factor)) for cbr in cbrs]


CBRS = (1 / 48, 1 / 24, 1 / 16, 1 / 12, 1 / 8)


@pytest.mark.parametrize("factor", [1.0, 0.5, 1 / 3, 1.25])
def test_bd_rate_of_parallel_curves_is_their_distance(factor):
    blind, steered = curve("blind", CBRS, 1.0), curve("importance", CBRS, factor)
    assert bd_rate(blind, steered, "region_psnr_db") == pytest.approx(factor - 1, abs=1e-6)


def test_no_bd_rate_without_common_quality_or_order():
    blind = curve("blind", CBRS, 1.0)
    assert bd_rate(blind, curve("importance", CBRS, 1e-3), "region_psnr_db") is None
    assert bd_rate(blind[:3], curve("importance", CBRS[:3], 0.5), "region_psnr_db") is None
    falling = [*curve("importance", CBRS[:4], 0.5), point("importance", CBRS[4], 10.0)]
    assert bd_rate(blind, falling, "region_psnr_db") is None


def test_the_table_says_what_is_saved(capsys):
    print_gain([*curve("blind", CBRS, 1.0), *curve("importance", CBRS, 0.5)], 10.0)
    out = capsys.readouterr().out
    assert f"{4 * math.log(2):+.2f}" in out
    assert "-50.0 %" in out
    assert "2.00 times the bandwidth" in out


def test_nothing_to_compare_prints_nothing(capsys):
    print_gain(curve("blind", CBRS, 1.0), 10.0)
    assert not capsys.readouterr().out
