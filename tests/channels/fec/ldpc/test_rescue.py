"""The decoder ``listed`` repairs what the default decoder leaves wrong, and a CRC chooses.

``data/stuck.npz`` has the 30 blocks of four million that ``cascade`` decodes wrongly at R = 5/6,
k = 1024 (24 of them a CRC) and Eb/N0 = 4.5 dB, one dB past the waterfall: the LLRs, rounded to half
precision, and the bits that were sent. They are those of the seeds 0 to 19 of
``experiments.benchmarks.error_floor``.
"""

from pathlib import Path

import numpy as np
import pytest

from channels.fec.crc import crc_attach, crc_check
from channels.fec.ldpc import ldpc_code
from channels.fec.ldpc.rescue import ordered
from channels.fec.ldpc.rescue.decoder import LIST_SIZE, repair
from channels.fec.transport_block import transport_code

STUCK = np.load(Path(__file__).parent / "data" / "stuck.npz")
LLR = STUCK["llr"].astype(np.float32)
SENT = np.unpackbits(STUCK["sent"], axis=1)
CODE = ldpc_code(1024, 1228, 2)


def test_all_blocks_that_the_default_decoder_leaves_wrong_are_repaired() -> None:
    code = transport_code(1000, 1228, 2)
    packets, ok = code.decode_batch(LLR, 20, decoder="cascade")
    # Half precision frees two of them.
    assert (ok & (packets == SENT[:, :1000]).all(axis=1)).sum() <= 2
    packets, ok = code.decode_batch(LLR, 20, decoder="listed")
    assert ok.all()
    assert (packets == SENT[:, :1000]).all()


def test_without_a_crc_the_likeliest_codeword_is_taken() -> None:
    bits, ok = CODE.decode(LLR, 20, decoder="listed")
    assert ok.all()
    right = (bits == SENT).all(axis=1)
    _, fulfilled = CODE.decode(LLR, 20, decoder="cascade")
    assert right[~fulfilled].mean() > 0.9  # wrong codewords of the cascade stay


def test_candidates_are_codewords_without_repetition_the_likeliest_first() -> None:
    for llr in LLR[:4]:
        found = ordered.candidates(CODE, llr, 20)
        assert len(np.unique(found, axis=0)) == len(found) == ordered.LIST_SIZE
        words = CODE.encode(found).astype(np.float64)
        likelihoods = words @ llr.astype(np.float64)
        assert (np.diff(likelihoods) < 1e-2).all()


def test_what_decodes_well_is_left_alone() -> None:
    rng = np.random.default_rng(0)
    sent = crc_attach(rng.integers(0, 2, (50, 1000), dtype=np.uint8), "24A")
    llr = (CODE.encode(sent) * 8.0 - 4.0 + rng.normal(0, 1.5, (50, 1228))).astype(np.float32)
    plain, ok = CODE.decode(llr, decoder="cascade")
    listed, _ = CODE.decode(llr, decoder="listed")
    assert ok.all()
    assert (plain == listed).all()


def test_noise_passes_no_crc() -> None:
    """A wrong word passes with probability 2^-24, each of at most 176 candidates of 20 blocks."""
    noise = np.random.default_rng(0).normal(0, 4, (20, 1228)).astype(np.float32)
    for llr in noise:
        assert repair(CODE, llr, 5, (0,), lambda bits: crc_check(bits, "24A")) is None
    assert LIST_SIZE == 176


@pytest.mark.parametrize(
    ("k", "n", "rvs"), [(200, 400, (0,)), (320, 480, (0, 2)), (640, 1920, (0,))]
)
def test_other_codes_and_redundancy_versions(k: int, n: int, rvs: tuple[int, ...]) -> None:
    """With filler bits, both base graphs, and several receptions; the word sent is the best."""
    code, rng = ldpc_code(k, n, 2), np.random.default_rng(k)
    sent = rng.integers(0, 2, (1, k), dtype=np.uint8)
    coded = np.concatenate([code.encode(sent, rv=rv) for rv in rvs], axis=1)
    llr = (coded * 8.0 - 4.0 + rng.normal(0, 2.0, coded.shape)).astype(np.float32)
    assert (ordered.candidates(code, llr[0], 10, rvs)[0] == sent[0]).all()
