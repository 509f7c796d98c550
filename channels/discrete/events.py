"""Random events of given probabilities, and checks of the arguments of discrete channels."""

from __future__ import annotations

import torch
from torch import Tensor

from channels.errors import InputError

CERTAIN_LLR = 100.0
"""LLR of a known bit, and the largest LLR; it corresponds to an error probability of 4e-44."""


def check_bits(bits: Tensor) -> None:
    """Raise ``ValueError`` unless ``bits`` is uint8 (..., num_bits) of 0 and 1, not empty."""
    if bits.dtype != torch.uint8:
        raise InputError(f"bits must be uint8, got {bits.dtype}")
    if bits.ndim == 0 or bits.shape[-1] == 0:
        raise InputError(f"bits must have shape (..., num_bits), got {tuple(bits.shape)}")
    if bits.numel() and int(bits.max()) > 1:
        raise InputError(f"bits must be 0 or 1, got {int(bits.max())}")


def check_share(name: str, p: float) -> None:
    """Raise ``ValueError`` unless the probability ``p``, named ``name``, is in [0, 1]."""
    if not 0 <= p <= 1:
        raise InputError(f"{name} must be a probability in [0, 1], got {p}")


def draw_events(shape: torch.Size, p: float, rng: torch.Generator) -> Tensor:
    """Draw independent events of probability ``p``: bool of ``shape``, on the device of ``rng``.

    Double precision resolves ``p`` to 1e-16. Probability 0 gives no events, and 1 only events.
    """
    return torch.rand(shape, dtype=torch.float64, device=rng.device, generator=rng) < p


def check_shape(shape: tuple[int, ...]) -> torch.Size:
    """Raise ``ValueError`` unless ``shape`` is (..., num_packets) with at least one packet."""
    whole = all(isinstance(length, int) and length >= 0 for length in shape)
    if not shape or not whole or shape[-1] == 0:
        raise InputError(f"shape must be (..., num_packets) with at least 1 packet, got {shape}")
    return torch.Size(shape)
