"""What importance gains over blindness: decibels at equal bandwidth, bandwidth at equal quality.

The latter is Bjøntegaard's delta rate: the mean difference of ln(CBR) between both curves over the
qualities that both reach, between the points by Akima's interpolation (package ``bjontegaard``; G.
Bjøntegaard, VCEG-M33, 2001). Curves are those of the means over the images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import bjontegaard
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.means import Point
from experiments.tables import ratio

_SCORES = {
    "region_psnr_db": "region",
    "background_psnr_db": "rest",
    "psnr_db": "PSNR",
    "theta_psnr_db": "θ-PSNR",
}
_LEAST_POINTS = 4  # what the interpolation takes


def print_gain(means: Sequence[Point], snr_db: float) -> None:
    """Print the gains of importance at one SNR, where both systems were measured."""
    at_snr = [point for point in means if point.snr_db == snr_db]
    pairs = [
        (blind, steered)
        for blind in at_snr
        for steered in at_snr
        if (blind.system, steered.system) == ("blind", "importance")
        and blind.cbr_budget == steered.cbr_budget
    ]
    names = [n for n in _SCORES if all(p.values(n) for pair in pairs for p in pair)]
    if not pairs or "region_psnr_db" not in names:
        return
    title = f"by importance against blind, at {snr_db:g} dB"
    caption = None
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("CBR", justify="right")
    for name in names:
        table.add_column(f"{_SCORES[name]}, dB", justify="right")
    for blind, steered in pairs:
        gains = [_mean(steered, name) - _mean(blind, name) for name in names]
        table.add_row(ratio(blind.cbr_budget), *(f"{gain:+.2f}" for gain in gains))
    if len(pairs) >= _LEAST_POINTS:
        both = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        found = {name: bd_rate(*both, name) for name in names}
        table.add_row("BD-rate", *(_percent(found[name]) for name in names))
        rate = found["region_psnr_db"]
        if rate is not None:
            caption = f"the same region PSNR takes blind {1 / (1 + rate):.2f} times the bandwidth"
    table.caption = caption
    Console().print(table)


def bd_rate(anchor: Sequence[Point], test: Sequence[Point], name: str) -> float | None:
    """Mean relative difference in CBR of ``test`` at equal score, -1 to infinity.

    None where the curves share no quality, have fewer than four points, or do not rise.
    """
    rates = [np.array([_mean(p, "cbr") for p in curve]) for curve in (anchor, test)]
    scores = [np.array([_mean(p, name) for p in curve]) for curve in (anchor, test)]
    for rate, score in zip(rates, scores, strict=True):
        rises = np.diff(score[rate.argsort()]) > 0
        if len(rate) < _LEAST_POINTS or not rises.all() or not np.isfinite(score).all():
            return None
    if max(s.min() for s in scores) >= min(s.max() for s in scores):
        return None
    found = bjontegaard.bd_rate(
        rates[0], scores[0], rates[1], scores[1], method="akima", min_overlap=0.0
    )
    return float(found) / 100


def _mean(point: Point, name: str) -> float:
    value = point.mean(name)
    return math.nan if value is None else value


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:+.1f} %"
