"""Cells of the page's tables: as many decimals as their score needs, sorted by their numbers."""

from __future__ import annotations

from itertools import pairwise

from experiments.analysis.table import Table
from experiments.axis_values import ratio
from experiments.report.table_cells import grid


def test_scores_of_one_column_have_the_decimals_of_each() -> None:
    rows = (
        ("psnr_db", "jpeg", 31.237, 30.1),
        ("ms_ssim", "jpeg", 0.98917, 0.98),
        ("ms_ssim", "webp", 0.99293, 0.99),
    )
    table = Table("t", "T", "", ("score", "system", "value", "error_low"), rows)
    shown = [[cell.text for cell in row[2:]] for row in grid(table).rows]
    assert shown == [["31.24", "30.10"], ["0.9892", "0.9800"], ["0.9929", "0.9900"]]


def test_bandwidths_are_sorted_by_size_however_they_are_written() -> None:
    bandwidths = [1 / 16, 0.375, 0.4, 0.5, 4]
    table = Table("t", "T", "", ("CBR", "PSNR"), tuple((ratio(cbr), 1.0) for cbr in bandwidths))
    ranks = [row[0].rank for row in grid(table).rows]
    assert all(a is not None and b is not None and a < b for a, b in pairwise(ranks))
