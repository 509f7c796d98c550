"""Sionna's decoders for the same codes (extra ``sionna``), with a flooding schedule.

They always run all iterations and do not report the syndrome: ``syndrome_ok`` is True for every
block, and only a CRC can tell which blocks are right.

Reference: https://nvlabs.github.io/sionna/phy/api/fec.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode


@functools.lru_cache(maxsize=32)
def _decoder(code: LdpcCode, rule: str, max_iterations: int, harq: bool) -> Any:
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    encoder = LDPC5GEncoder(
        code.num_info_bits,
        code.num_coded_bits,
        num_bits_per_symbol=code.bits_per_symbol if code.bits_per_symbol > 1 else None,
        bg=f"bg{code.base_graph}",
        device="cpu",
    )
    # Without retransmissions it skips the bits that are never sent and is several times as fast.
    return LDPC5GDecoder(
        encoder, cn_update=rule, num_iter=max_iterations, harq_mode=harq, device="cpu"
    )


def _decode(
    rule: str,
    code: LdpcCode,
    llr: NDArray[np.float32],
    max_iterations: int,
    rvs: tuple[int, ...],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    import torch

    harq = rvs != (0,)
    decoder = _decoder(code, rule, max_iterations, harq)
    received = torch.from_numpy(llr)
    with torch.inference_mode():
        if harq:
            decided = decoder(received.reshape(len(llr), len(rvs), -1), rv=list(rvs))
        else:
            decided = decoder(received)
    bits = decided.numpy().astype(np.uint8)
    return bits.reshape(len(llr), -1), np.ones(len(llr), dtype=bool)


boxplus = functools.partial(_decode, "boxplus")
boxplus_phi = functools.partial(_decode, "boxplus-phi")
minsum = functools.partial(_decode, "minsum")
offset_minsum = functools.partial(_decode, "offset-minsum")
