"""No error floor one dB past the waterfall, as far as counts of millions of blocks can tell.

``python -m experiments.benchmarks.error_floor`` counted them; some blocks more are sent here.
"""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from channels.fec.ldpc import ldpc_code
from channels.packets.block_chain import BlockCount
from channels.units import db_to_linear, esn0_db_from_ebn0_db
from experiments.benchmarks.error_floor import (
    GOAL,
    NUM_BLOCKS,
    OUT,
    Key,
    as_count,
    cases,
    ebn0_db,
    read,
    send,
)

COUNTS = {key: sum(chunks.values(), BlockCount()) for key, chunks in read(OUT).items()}
MISSED = {
    ("1/2", "int8"): "two errors: the interval ends at 1.8e-6, more blocks would tell",
    ("1/3", "int8"): "the code's own words of weight 29 and 30, below",
    ("1/3", "cascade"): "the code's own words of weight 29 and 30, below",
    ("5/6", "int8"): "bytes do not converge in one block of 14,000",
    ("5/6", "cascade"): "one block of 130,000: boxplus stays stuck, or int8 takes a wrong word",
}
"""Where the goal is missed, and why; strict, so that a better decoder is told of."""


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=pytest.mark.xfail(reason=MISSED[key]) if key in MISSED else ())
        for key in cases()
    ],
    ids=" ".join,
)
def test_the_rate_of_errors_is_below_the_goal(key: Key) -> None:
    assert COUNTS[key].blocks >= NUM_BLOCKS
    assert as_count(COUNTS[key]).interval()[1] < GOAL


def test_no_decoder_without_a_crc_could_reach_the_goal_at_one_third() -> None:
    """104 words of weight 29 and 30, the shifts of one: ``P(error) ≥ Σ Q(√(w·SNR))`` less pairs.

    That is what is lost to a decoder of maximum likelihood at the least: two words that both beat
    the sent one come together once in 10^12 blocks. What is counted is not above it by much. The
    decoder ``listed`` goes below it, since a CRC tells it which words were not sent.
    """
    code = ldpc_code(1024, 3072, 2)
    size = code.lifting_size
    ones = np.array([276, 300, 369, 537, 775])
    info = np.zeros((size, 1024), dtype=np.uint8)
    for shift in range(size):
        info[shift, ones // size * size + (ones % size + shift) % size] = 1
    weights = code.encode(info).sum(axis=1, dtype=np.int64)
    assert set(weights.tolist()) == {29, 30}
    snr = db_to_linear(esn0_db_from_ebn0_db(ebn0_db("1/3"), 2, 1 / 3))
    least = float(norm.sf(np.sqrt(weights * snr)).sum())
    assert least > GOAL
    for decoder in ("int8", "cascade"):
        count = COUNTS["1/3", decoder]
        assert binomtest(count.block_errors, count.blocks, 3 * least, "greater").pvalue > 1e-3


@pytest.mark.parametrize("key", cases(), ids=" ".join)
def test_other_blocks_are_no_worse(key: Key) -> None:
    count = send(*key, 10_000, seed=1_000_000)
    most = as_count(COUNTS[key]).interval()[1]
    assert binomtest(count.block_errors, count.blocks, most, "greater").pvalue > 1e-3
