"""Other people's decoders, run on our LLRs."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from channels.ldpc import LdpcCode

SIONNA = "sionna-boxplus"
"""Sionna's default decoder: boxplus-phi, flooding schedule, no early stop."""


def check_sionna() -> str:
    """Return Sionna's version; raise ``ValueError`` that says what to install if it is missing."""
    if importlib.util.find_spec("sionna") is None:
        raise ValueError("peer 'sionna' needs sionna: pip install 'semcom[sionna]'")
    for name in ("sionna", "sionna-no-rt"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def sionna_decode(
    code: LdpcCode, llr: NDArray[np.float32], max_iterations: int
) -> NDArray[np.uint8]:
    """Decode LLRs (B, n) to bits (B, k), on the CPU; Sionna's LLRs have our sign."""
    sizes = (code.num_info_bits, code.num_coded_bits, code.bits_per_symbol)
    with torch.inference_mode():
        decided = _sionna_decoder(*sizes, max_iterations)(torch.from_numpy(llr))
    return np.asarray(decided.numpy().astype(np.uint8))


@functools.lru_cache(maxsize=8)
def _sionna_decoder(k: int, n: int, bits_per_symbol: int, max_iterations: int) -> Any:
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    interleaved = bits_per_symbol if bits_per_symbol > 1 else None
    encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=interleaved, device="cpu")
    return LDPC5GDecoder(encoder, num_iter=max_iterations, device="cpu")
