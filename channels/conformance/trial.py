"""Calling a channel, and describing an unexpected answer in words."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import Channel, ChannelOutput
from channels.conformance.base import CheckFailed, told
from channels.conformance.promises import ALONE, SHAPES

NUM_SYMBOLS = 60
NUM_ROWS = 2_000
SIGMAS = 4.0
"""Accepted deviation of a mean in standard errors; a correct mean exceeds it in 6 of 100,000
cases."""


def rng(seed: int = 0) -> torch.Generator:
    """Make a seeded random generator."""
    return torch.Generator().manual_seed(seed)


def symbols(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    """Draw complex Gaussian symbols of mean power 1."""
    return torch.randn(shape, dtype=dtype, generator=rng(99))


def asked_for(x: Tensor, noise_var: float | Tensor) -> str:
    """Describe the request to a channel in words."""
    shape = tuple(x.shape)
    noise = f"{noise_var:g}" if isinstance(noise_var, float) else f"{tuple(noise_var.shape)}"
    what = "variance" if isinstance(noise_var, float) else "variances of shape"
    return f"send {str(x.dtype).removeprefix('torch.')} {shape} with noise of {what} {noise}"


def send(
    channel: Channel,
    x: Tensor,
    noise_var: float | Tensor,
    *,
    seed: int = 0,
    promise: str = SHAPES,
) -> ChannelOutput:
    """Send ``x`` through ``channel``.

    Raises
    ------
    CheckFailed
        The channel raised an exception (which breaks ``promise``), or its output is malformed.
    """
    asked = asked_for(x, noise_var)
    try:
        output = channel(x, noise_var, rng(seed))
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error
    if not isinstance(output, tuple) or len(output) != len(ChannelOutput._fields):
        raise CheckFailed(asked, f"a {type(output).__name__} and not y, h and noise_var", ALONE)
    for name, value in zip(ChannelOutput._fields, output, strict=True):
        if not isinstance(value, Tensor):
            raise CheckFailed(asked, f"a {type(value).__name__} as {name} and not a tensor", ALONE)
    received = ChannelOutput(*output)
    if received.y.shape != x.shape or received.h.shape != x.shape:
        shapes = f"y of shape {tuple(received.y.shape)} and h of {tuple(received.h.shape)}"
        raise CheckFailed(asked, shapes, SHAPES)
    if received.y.dtype != x.dtype or received.h.dtype != x.dtype:
        raise CheckFailed(asked, f"y of {received.y.dtype}, h of {received.h.dtype}", SHAPES)
    return received


def power(numbers: Tensor) -> Tensor:
    """Return ``|·|²`` in double precision."""
    return numbers.detach().abs().double().square()


def off_by(numbers: Tensor, expected: float) -> tuple[float, float, bool]:
    """Return the mean of independent numbers, its standard error, and whether it is off."""
    mean = float(numbers.mean())
    error = float(numbers.std()) / math.sqrt(numbers.numel())
    return mean, error, not abs(mean - expected) <= max(SIGMAS * error, 1e-6)


def correlation(first: Tensor, second: Tensor) -> float:
    """Correlate pairs of numbers, 0 to 1; 0 if either is constant."""
    a, b = (numbers.flatten().to(torch.complex128) for numbers in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(power(a).mean()) * float(power(b).mean()))
    return float((a * b.conj()).mean().abs()) / scale if scale > 1e-9 else 0.0


def are_related(first: Tensor, second: Tensor) -> bool:
    """Tell whether pairs of gains, or their powers, are correlated beyond chance."""
    most = SIGMAS / math.sqrt(first.numel())
    pairs = ((first, second), (power(first), power(second)))
    return any(correlation(*pair) > most for pair in pairs)
