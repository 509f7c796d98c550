"""What every channel promises.

A channel takes complex symbols of mean power 1 and gives back what an antenna would see:
``y = h·x + n`` with ``E|h|² = 1`` and circular Gaussian noise of total variance ``noise_var``
(N0), so that the mean SNR is ``1 / noise_var``. Everything else is hidden from the receiver.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from channels.kernels.gaussian import fill_gaussian

Coherence: TypeAlias = Literal["none", "block", "fast", "varying"]
"""How a gain moves: not at all, once per block, afresh with every symbol, or somehow in between."""


class ChannelOutput(NamedTuple):
    """What a receiver gets: nothing else crosses the air."""

    y: Tensor
    """Received symbols, complex, shape of ``x``."""
    h: Tensor
    """Complex gain of every symbol, shape of ``x``: perfect channel knowledge. Links that do not
    grant it replace it by an estimate from pilots (:mod:`channels.packets.pilots`)."""
    noise_var: Tensor
    """Total variance N0 of the complex noise, real, broadcastable to ``y``."""


class Channel(Protocol):
    """What carries symbols.

    The last axis of ``x`` is time; every leading index is an independent transmission.
    """

    coherence: Coherence

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``."""
        ...


@runtime_checkable
class KnownLaw(Protocol):
    """A channel whose law of the gain has a closed form; links adapt to others by sampling them."""

    def gain_quantile(self, p: float) -> float:
        """Quantile of the power gain ``|h|²`` at probability ``p`` in (0, 1)."""
        ...


@runtime_checkable
class Costed(Protocol):
    """A channel that does not take one channel use per symbol.

    More for OFDM with its pilots and prefix, fewer for MIMO, which sends several at a time.
    """

    def num_uses(self, num_symbols: int) -> int:
        """Channel uses that ``num_symbols`` symbols take, not falling in ``num_symbols``."""
        ...


def num_uses(channel: Channel, num_symbols: int) -> int:
    """Channel uses that ``num_symbols`` symbols take: one each, unless it is :class:`Costed`."""
    return channel.num_uses(num_symbols) if isinstance(channel, Costed) else num_symbols


def max_symbols(channel: Channel, uses: int) -> int:
    """Most symbols that ``uses`` channel uses carry, at least 0."""
    if not isinstance(channel, Costed):
        return max(uses, 0)
    low, high = 0, 1
    while channel.num_uses(high) <= uses:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if channel.num_uses(middle) <= uses else (low, middle)
    return low


class BitChannel(Protocol):
    """What carries bits, from modulator to demodulator in one: see ``BIT_CHANNELS``."""

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits); return LLRs log p(b=1)/p(b=0), float32."""
        ...


class PacketChannel(Protocol):
    """What delivers or loses whole packets: see ``PACKET_CHANNELS``."""

    def __call__(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Return which packets arrive, bool of ``shape`` (..., num_packets); the last is time."""
        ...


def complex_normal(
    shape: torch.Size, like: Tensor, rng: torch.Generator, *, variance: float = 1.0
) -> Tensor:
    """Draw circular complex Gaussian numbers, of the dtype and on the device of ``like``."""
    std = math.sqrt(variance / 2)
    if like.dtype == torch.complex64 and rng.device.type == "cpu":
        parts = np.empty((*shape, 2), dtype=np.float32)
        seed = int(torch.randint(2**63 - 1, (), generator=rng))
        fill_gaussian(seed, std, parts.reshape(-1))
        return torch.from_numpy(parts.view(np.complex64)[..., 0]).to(like.device)
    dtype = torch.float64 if like.dtype == torch.complex128 else torch.float32
    normal = torch.randn((*shape, 2), dtype=dtype, device=rng.device, generator=rng)
    return torch.view_as_complex(normal.mul_(std)).to(like.device)


MAX_BLOCK_LENGTH = 10**9
"""Symbols for which a gain can be asked to hold."""


def check_flat(channel: Channel, what: str) -> None:
    """Refuse a channel that is no gain and noise for every symbol sent, by name.

    Raises
    ------
    ValueError
        OFDM, MIMO and the like, or an amplifier; the message says that ``what`` cannot go over it.
    """
    if isinstance(channel, Costed) or not getattr(channel, "linear", True):
        raise ValueError(f"{what} goes over a flat fading channel, not {type(channel).__name__}")


def noise_per_transmission(noise: Tensor, x: Tensor) -> Tensor:
    """N0 as (..., 1): one value per transmission, for receivers that work on many symbols at once.

    Raises
    ------
    ValueError
        N0 that varies within a transmission, or does not broadcast to ``x``.
    """
    noise = noise.reshape(1) if noise.ndim == 0 else noise
    if noise.shape[-1] != 1:
        raise ValueError(
            f"noise_var must be constant within a transmission, shape (..., 1), got shape "
            f"{tuple(noise.shape)}"
        )
    try:
        return noise.expand(*x.shape[:-1], 1)
    except RuntimeError:
        raise ValueError(
            f"noise_var of shape {tuple(noise.shape)} does not broadcast to symbols of shape "
            f"{tuple(x.shape)}"
        ) from None


def check_input(x: Tensor, noise_var: float | Tensor) -> Tensor:
    """Refuse symbols or noise that make no sense, by name; return the noise as a tensor."""
    if not torch.is_complex(x):
        raise ValueError(f"symbols must be complex, got dtype {x.dtype}")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"symbols must have shape (..., num_symbols), got {tuple(x.shape)}")
    # A sum is not finite if a term is not; only then look at each, since sums may overflow.
    parts = torch.view_as_real(x.detach())
    if not bool(parts.sum().isfinite()) and not bool(parts.isfinite().all()):
        raise ValueError("symbols must be finite, got NaN or infinity")
    noise = torch.as_tensor(noise_var, dtype=x.real.dtype, device=x.device)
    if not bool(((noise >= 0) & torch.isfinite(noise)).all()):
        raise ValueError(f"noise_var must be finite and at least 0, got {noise_var}")
    return noise


def check_probability(p: float) -> None:
    """Raise ``ValueError`` unless ``p`` lies in (0, 1)."""
    if not 0 < p < 1:
        raise ValueError(f"probability must be in (0, 1), got {p}")


def add_noise(h: Tensor, x: Tensor, noise: Tensor, rng: torch.Generator) -> ChannelOutput:
    """Receive ``h·x`` in noise.

    Parameters
    ----------
    h, x
        Gain and symbols, complex (..., num_symbols), the same shape.
    noise
        Total variance N0, at least 0, real, broadcastable to ``x``.
    rng
        Source of the noise.

    Raises
    ------
    ValueError
        ``noise`` does not broadcast to ``x``.
    """
    return ChannelOutput(draw_noise(x, noise, rng).add_(h * x), h, noise)


def draw_noise(x: Tensor, noise: Tensor, rng: torch.Generator) -> Tensor:
    """Draw the noise that meets ``x``: complex, its shape, of total variance ``noise``."""
    try:
        noise.expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"noise_var of shape {tuple(noise.shape)} does not broadcast to symbols of shape "
            f"{tuple(x.shape)}"
        ) from None
    if noise.numel() == 1 and not noise.requires_grad:
        return complex_normal(x.shape, x, rng, variance=float(noise))
    return complex_normal(x.shape, x, rng).mul_(noise.sqrt())
