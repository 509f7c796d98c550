"""Simulated block error rates against the normal approximation for the best code.

It is no bound, but from 100 uses on no code of ours may come out better by more than the interval
of its count.
"""

import pytest
from scipy.optimize import brentq

from channels import theory
from channels.fec.ldpc import ldpc_code
from channels.models.awgn import Awgn
from channels.packets.block_chain import run_chain
from experiments.intervals import Count

NUM_BLOCKS = 500


def upper_end(k: int, n: int, bits_per_symbol: int, snr_db: float) -> float:
    """Upper end of the 95 % interval of the block error rate, with the best decoder."""
    code = ldpc_code(k, n, bits_per_symbol)
    wrong = run_chain(code, Awgn(), snr_db, NUM_BLOCKS, seed=1, decoder="cascade").block_errors
    return Count(NUM_BLOCKS, wrong, NUM_BLOCKS, wrong, wrong).interval()[1]


@pytest.mark.parametrize(
    ("k", "n", "bits_per_symbol"),
    [
        (60, 120, 1),
        (100, 200, 2),
        (200, 600, 2),
        (300, 360, 2),
        (300, 600, 4),
        (600, 900, 6),
        (600, 1200, 8),
    ],
)
def test_is_not_beaten(k: int, n: int, bits_per_symbol: int) -> None:
    num_uses = n // bits_per_symbol

    def best(snr_db: float) -> float:
        return float(theory.normal_approximation_bler(k, num_uses, snr_db))

    for bler in (0.5, 0.1):
        snr_db = brentq(lambda at, bler=bler: best(at) - bler, -20.0, 30.0)
        assert upper_end(k, n, bits_per_symbol, snr_db) > bler
        # Sharp enough to fail: with half the noise it would be beaten.
        assert upper_end(k, n, bits_per_symbol, snr_db + 3) < bler
