"""The contract of every channel.

A channel takes complex symbols of mean power 1 and returns what an antenna would receive:
``y = h·x + n`` with ``E|h|² = 1`` and circular Gaussian noise of total variance ``noise_var``
(N0), so that the mean SNR is ``1 / noise_var``. The receiver learns nothing else.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from channels.errors import InputError
from channels.kernels.gaussian import fill_gaussian
from channels.modulation import demodulate

Coherence: TypeAlias = Literal["none", "block", "fast", "varying"]
"""How a gain varies: never, once per block, independently per symbol, or in some other way."""


class ChannelOutput(NamedTuple):
    """The output of a channel: all that a receiver gets.

    Examples
    --------
    >>> from channels.models.awgn import Awgn
    >>> x = torch.ones(4, dtype=torch.complex64)
    >>> y, h, noise_var = Awgn()(x, 0.1, torch.Generator().manual_seed(0))
    >>> y.shape == x.shape, h.tolist(), round(float(noise_var), 3)
    (True, [(1+0j), (1+0j), (1+0j), (1+0j)], 0.1)
    """

    y: Tensor
    """Received symbols, complex, shape of ``x``."""
    h: Tensor
    """Complex gain of every symbol, shape of ``x``: perfect channel knowledge. Links without
    perfect knowledge replace it by an estimate from pilots (:mod:`channels.packets.pilots`)."""
    noise_var: Tensor
    """Total variance N0 of the complex noise, real, broadcastable to ``y``."""

    def llr(self, bits_per_symbol: int) -> Tensor:
        """Compute the LLRs log p(b=1)/p(b=0), float32 (..., num_symbols · bits_per_symbol).

        They are those of :func:`channels.modulation.demodulate` with ``method="maxlog"``, for a
        gain of ``h`` and Gaussian noise. The output of a channel with another law, such as
        ``rayleigh_real``, overrides this.
        """
        return demodulate(*self, bits_per_symbol)

    def part(self, start: int, end: int) -> Self:
        """Return the symbols from ``start`` to ``end``, under the same law."""
        y, h, noise_var = self
        by_symbol = noise_var.shape[-1:] == y.shape[-1:]
        noise_var = noise_var[..., start:end] if by_symbol else noise_var
        return self._replace(y=y[..., start:end], h=h[..., start:end], noise_var=noise_var)


class Channel(Protocol):
    """A channel that carries symbols.

    The last axis of ``x`` is time; every leading index is an independent transmission.

    Examples
    --------
    >>> from channels import CHANNELS
    >>> channel: Channel = CHANNELS.create("rayleigh:block_length=2")
    >>> x = torch.ones((1, 4), dtype=torch.complex64)
    >>> h = channel(x, 0.1, torch.Generator().manual_seed(0)).h[0]
    >>> bool(h[0] == h[1]), bool(h[1] == h[2])  # one gain per block of two symbols
    (True, False)
    """

    coherence: Coherence

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``."""
        ...


def send_over(
    channel: Channel, x: Tensor, noise_var: float | Tensor, rng: torch.Generator
) -> ChannelOutput:
    """Send ``x`` over a channel, which may also return a plain tuple ``(y, h, noise_var)``."""
    output = channel(x, noise_var, rng)
    return output if isinstance(output, ChannelOutput) else ChannelOutput(*output)


@runtime_checkable
class KnownLaw(Protocol):
    """A channel whose gain has a distribution in closed form. Links sample other channels."""

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of the power gain ``|h|²`` at probability ``p`` in (0, 1)."""
        ...


@runtime_checkable
class KnownInformation(Protocol):
    """A channel of constant quality whose receiver knows more of the noise than its variance.

    Its :class:`ChannelOutput` has LLRs of its own.
    """

    def information(self, bits_per_symbol: int, snr_db: float) -> float:
        """Return the mutual information of bit-interleaved coded QAM in bits per symbol."""
        ...


@runtime_checkable
class Costed(Protocol):
    """A channel where the number of uses differs from the number of symbols.

    OFDM with its pilots and prefix takes more uses; MIMO, which sends several symbols at a time,
    takes fewer.
    """

    def num_uses(self, num_symbols: int) -> int:
        """Return the channel uses of ``num_symbols`` symbols; it must not decrease with them."""
        ...


def num_uses(channel: Channel, num_symbols: int) -> int:
    """Count the channel uses of ``num_symbols`` symbols: one each, unless :class:`Costed`."""
    return channel.num_uses(num_symbols) if isinstance(channel, Costed) else num_symbols


def max_symbols(channel: Channel, uses: int) -> int:
    """Return the largest number of symbols that fit into ``uses`` channel uses, at least 0."""
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
    """A channel that carries bits, modulation and demodulation included: see ``BIT_CHANNELS``."""

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits); return LLRs log p(b=1)/p(b=0), float32."""
        ...


class PacketChannel(Protocol):
    """A channel that delivers or loses whole packets: see ``PACKET_CHANNELS``."""

    def __call__(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Return which packets arrive, bool of ``shape`` (..., num_packets); the last is time."""
        ...


def complex_normal(
    shape: torch.Size, like: Tensor, rng: torch.Generator, *, variance: float = 1.0
) -> Tensor:
    """Draw circular complex Gaussian numbers with the dtype and device of ``like``.

    Examples
    --------
    >>> rng, like = torch.Generator().manual_seed(0), torch.empty(0, dtype=torch.complex64)
    >>> noise = complex_normal(torch.Size([100_000]), like, rng, variance=0.1)
    >>> round(float(noise.abs().square().mean()), 2)
    0.1
    """
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
"""Largest block length in symbols that a block-fading channel accepts."""


def check_flat(channel: Channel, what: str) -> None:
    """Refuse, by name, a channel that does more than scale each symbol and add noise.

    Raises
    ------
    ValueError
        OFDM, MIMO and the like, or an amplifier; the message says that ``what`` needs a flat
        channel. A channel whose law ``what`` would lose.
    """
    name = type(channel).__name__
    if isinstance(channel, Costed) or not getattr(channel, "linear", True):
        raise InputError(f"{what} needs a flat fading channel, not {name}")
    if isinstance(channel, KnownInformation):
        raise InputError(f"{what} would lose the law of the gain that the receiver of {name} knows")


def noise_per_transmission(noise: Tensor, x: Tensor) -> Tensor:
    """Return N0 as (..., 1), one value per transmission, for receivers that process it as a whole.

    Raises
    ------
    ValueError
        N0 that varies within a transmission, or does not broadcast to ``x``.
    """
    noise = noise.reshape(1) if noise.ndim == 0 else noise
    if noise.shape[-1] != 1:
        raise InputError(
            f"noise_var must be constant within a transmission, shape (..., 1), got shape "
            f"{tuple(noise.shape)}"
        )
    try:
        return noise.expand(*x.shape[:-1], 1)
    except RuntimeError:
        raise InputError(
            f"noise_var of shape {tuple(noise.shape)} does not broadcast to symbols of shape "
            f"{tuple(x.shape)}"
        ) from None


def check_input(x: Tensor, noise_var: float | Tensor) -> Tensor:
    """Refuse invalid symbols or noise, by name; return the noise as a tensor."""
    if not torch.is_complex(x):
        raise InputError(f"symbols must be complex, got dtype {x.dtype}")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise InputError(f"symbols must have shape (..., num_symbols), got {tuple(x.shape)}")
    # A sum is finite only if its terms are. It may overflow, so then every term is looked at.
    parts = torch.view_as_real(x.detach())
    if not bool(parts.sum().isfinite()) and not bool(parts.isfinite().all()):
        raise InputError("symbols must be finite, got NaN or infinity")
    noise = torch.as_tensor(noise_var, dtype=x.real.dtype, device=x.device)
    if not bool(((noise >= 0) & torch.isfinite(noise)).all()):
        raise InputError(f"noise_var must be finite and at least 0, got {noise_var}")
    return noise


def check_probability(p: float) -> None:
    """Raise ``ValueError`` unless ``p`` lies in (0, 1).

    Examples
    --------
    >>> check_probability(0.1)
    >>> check_probability(1.0)
    Traceback (most recent call last):
    channels.errors.InputError: probability must be in (0, 1), got 1.0
    """
    if not 0 < p < 1:
        raise InputError(f"probability must be in (0, 1), got {p}")


def add_noise(h: Tensor, x: Tensor, noise: Tensor, rng: torch.Generator) -> ChannelOutput:
    """Multiply by the gain and add noise: ``h·x + n``.

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
    """Draw the noise for ``x``: complex, of its shape, with total variance ``noise``."""
    try:
        noise.expand(x.shape)
    except RuntimeError:
        raise InputError(
            f"noise_var of shape {tuple(noise.shape)} does not broadcast to symbols of shape "
            f"{tuple(x.shape)}"
        ) from None
    if noise.numel() == 1 and not noise.requires_grad:
        return complex_normal(x.shape, x, rng, variance=float(noise))
    return complex_normal(x.shape, x, rng).mul_(noise.sqrt())
