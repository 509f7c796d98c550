"""The fast decoder, followed by the exact one for the few blocks that the fast one fails on.

Near the waterfall, at most one block in ten needs the exact decoder. Both together are therefore
nearly as fast as :mod:`channels.fec.ldpc.decoder_int8` and as good as
:mod:`channels.fec.ldpc.decoder_boxplus`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc import decoder_boxplus, decoder_int8

if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode


def decode(
    code: LdpcCode, llr: NDArray[np.float32], max_iterations: int, rvs: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode a batch; see :meth:`channels.fec.ldpc.LdpcCode.decode` for the arguments."""
    bits, ok = decoder_int8.decode(code, llr, max_iterations, rvs)
    left = np.flatnonzero(~ok)
    if left.size:
        bits[left], ok[left] = decoder_boxplus.decode(code, llr[left], max_iterations, rvs)
    return bits, ok
