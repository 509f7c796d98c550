"""The default decoder, followed by a list of other codewords for the blocks that remain wrong.

A block remains wrong if it is no codeword, or if its CRC fails. The list has two parts:

1. :mod:`channels.fec.ldpc.rescue.ordered`, for blocks that are caught in a trapping set;
2. belief propagation again, each time with one more of the least reliable received bits turned
   round and saturated, for blocks that ended at a wrong codeword.

The first codeword whose CRC holds is taken. A wrong one passes a CRC of 24 bits with probability
2^-24, so that of the blocks that reach this stage at most one in 95,000 is decided wrongly without
notice (:data:`LIST_SIZE` candidates); without it, one in 16.8 million of them is. Without a CRC
(:func:`decode`), the likeliest codeword of the first part is taken.

A block of 1024 bits that reaches this stage takes up to half a second, and one of 8448 bits up to
some five seconds: it is meant for SNRs beyond the waterfall, where such blocks are rare.

References
----------
E. Cavus, B. Daneshrad, "A performance improvement and error floor avoidance technique for belief
propagation decoding of LDPC codes", PIMRC 2005, DOI 10.1109/PIMRC.2005.1651870; and those of
:mod:`channels.fec.ldpc.rescue.ordered`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc import decoder_boxplus, decoder_cascade
from channels.fec.ldpc.rescue import ordered

if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode

Bits = NDArray[np.uint8]
F32 = NDArray[np.float32]

NUM_TURNED = 128
"""Received bits that are turned round, one at a time."""
LIST_SIZE = ordered.LIST_SIZE + NUM_TURNED
"""Candidates of a block."""
_CERTAIN = np.float32(20.0)


def decode(
    code: LdpcCode, llr: F32, max_iterations: int, rvs: tuple[int, ...]
) -> tuple[Bits, NDArray[np.bool_]]:
    """Decode a batch; see :meth:`channels.fec.ldpc.LdpcCode.decode` for the arguments.

    Every block becomes a codeword, so ``syndrome_ok`` proves nothing. It is false where fewer bits
    were received than the block has, since many codewords then fit equally well.
    """
    bits, ok = decoder_cascade.decode(code, llr, max_iterations, rvs)
    for block in np.flatnonzero(~ok):
        bits[block] = ordered.candidates(code, llr[block], max_iterations, rvs, list_size=1)[0]
    return bits, ok | (np.count_nonzero(llr, axis=1) >= code.num_info_bits)


def repair(
    code: LdpcCode,
    llr: F32,
    max_iterations: int,
    rvs: tuple[int, ...],
    accept: Callable[[Bits], NDArray[np.bool_]],
) -> Bits | None:
    """Find a codeword that ``accept`` takes, for a block that was decoded wrongly.

    Parameters
    ----------
    code, max_iterations, rvs
        See :meth:`channels.fec.ldpc.LdpcCode.decode`.
    llr
        LLRs of one block, float32 (n·len(rvs),).
    accept
        Tells which blocks of information bits, (B, k), have a correct CRC, (B,).

    Returns
    -------
    NDArray[np.uint8] | None
        Information bits, (k,), or None if none of the candidates is accepted.
    """
    for search in (ordered.candidates, _turned):
        found = search(code, llr, max_iterations, rvs)
        good = accept(found) if len(found) else np.zeros(0, dtype=np.bool_)
        if good.any():
            return np.asarray(found[good.argmax()])
    return None


def _turned(code: LdpcCode, llr: F32, max_iterations: int, rvs: tuple[int, ...]) -> Bits:
    """Decode again with one of the least reliable received bits turned round; keep codewords."""
    weak = np.argsort(np.abs(llr), kind="stable")[:NUM_TURNED]
    tries = np.repeat(llr[None], len(weak), axis=0)
    tries[np.arange(len(weak)), weak] = np.where(llr[weak] > 0, -_CERTAIN, _CERTAIN)
    bits, ok = decoder_boxplus.decode(code, tries, max_iterations, rvs)
    return bits[ok]
