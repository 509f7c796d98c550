"""Block error rates of our decoders against Sionna's, kept as counts: no Sionna is needed here.

``python -m experiments.benchmarks.ldpc_sionna`` measured them, with all decoders on the same LLRs.
Here other blocks are sent, at fixed seeds; by chance one test in a thousand would fail.
"""

import math

import pytest
from scipy.stats import fisher_exact

from experiments.benchmarks.ldpc_sionna import (
    ITERATIONS,
    OURS,
    OUT,
    PEER,
    POINTS,
    SIGNIFICANCE,
    Row,
    block_errors,
    excess_pvalue,
    point_code,
    read,
    receive,
)

ROWS = sorted(read(OUT), key=lambda row: (row["k"], row["rate"], row["ebn0_db"]))

every_point = pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row['k']}-{row['rate']}-{row['ebn0_db']}dB" for row in ROWS]
)


def replay(row: Row, decoder: str, *, iterations: int = ITERATIONS) -> tuple[int, int]:
    """Errors and blocks at a point, with blocks that the file has not seen."""
    code = point_code(row["k"], row["rate"])
    bits, llr = receive(code, row["ebn0_db"], row["blocks"], seed=row["seed"] + 10_000)
    return block_errors(code, bits, llr, decoder, iterations), row["blocks"]


def pooled_excess(rows: list[Row], decoder: str) -> float:
    """Cochran, Mantel and Haenszel's statistic: positive where we make more errors than Sionna.

    Normal with variance 1, or less since the LLRs are the same, if the error rates are equal.
    """
    excess = variance = 0.0
    for row in rows:
        n, ours, theirs = row["blocks"], row[decoder], row[PEER]
        wrong = ours + theirs
        excess += ours - wrong / 2
        variance += wrong * (2 * n - wrong) / (4 * (2 * n - 1))
    return excess / math.sqrt(variance)


def test_the_points_go_through_the_waterfall() -> None:
    assert {(row["k"], row["rate"], row["ebn0_db"]) for row in ROWS} == {
        (*code, ebn0_db) for code, points in POINTS.items() for ebn0_db, _ in points
    }
    for code in POINTS:
        mine = [row for row in ROWS if (row["k"], row["rate"]) == code]
        rates = [row[PEER] / row["blocks"] for row in mine]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] > 0.15
        assert rates[-1] < 0.08
        assert all(row[PEER] >= 10 for row in mine)


@every_point
def test_no_worse_than_sionna(row: Row) -> None:
    for decoder in OURS:
        errors, blocks = replay(row, decoder)
        assert excess_pvalue(errors, blocks, row[PEER], row["blocks"]) > SIGNIFICANCE
        # And as good as where it was measured: better would be news, too.
        table = [[errors, blocks - errors], [row[decoder], row["blocks"] - row[decoder]]]
        assert fisher_exact(table).pvalue > 1e-4


@pytest.mark.parametrize("code", POINTS)
def test_all_counts_of_a_code_together_are_no_worse(code: tuple[int, str]) -> None:
    mine = [row for row in ROWS if (row["k"], row["rate"]) == code]
    assert pooled_excess(mine, "int8") < 3
    assert pooled_excess(mine, "cascade") < -3  # better, and not by chance


def test_all_counts_together_are_better() -> None:
    assert pooled_excess(ROWS, "int8") < -5


def test_a_decoder_that_stops_early_would_be_found() -> None:
    """With 5 iterations, int8 makes more errors than Sionna with 20, and the test says so."""
    row = next(row for row in ROWS if (row["k"], row["rate"]) == (1024, "1/2"))
    errors, blocks = replay(row, "int8", iterations=5)
    assert excess_pvalue(errors, blocks, row[PEER], row["blocks"]) < SIGNIFICANCE
