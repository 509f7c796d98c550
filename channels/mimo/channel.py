"""Spatial multiplexing: one symbol per transmit antenna and use, over i.i.d. Rayleigh fading.

    r = H s + n,   s = x/√nt,   H_ij ~ CN(0, 1),   n ~ CN(0, N0 I)

In one channel use, the nt antennas send nt symbols x of power 1 with power 1/nt each, so that the
total power is 1, and the SNR ``1/N0`` is that of one receive antenna. A linear detector
(:mod:`channels.mimo.detection`) separates them. It returns ``y = h·x`` plus noise of variance N0
for every symbol, where ``h = √g`` is real and g/N0 is the SINR after the detector.
:func:`channels.modulation.demodulate` treats this as a separate channel for every symbol.
The mean of g is not 1: it contains the array gain and the detector's loss. For zero forcing,
``g·nt ~ Gamma(nr - nt + 1, 1)`` without interference, so that the noise is Gaussian. For LMMSE, g
depends on N0, and the noise contains interference from the other symbols.

H is constant for ``block_length`` uses. With ``csi=pilots`` it is estimated: each block starts with
nt uses in which the antennas take turns to send a pilot of power 1. The receiver computes the MMSE
estimate of ``G = H/√nt``. Its error of variance ``e = N0/(nt(1+N0))`` per entry acts as additional
noise, so that the receiver assumes ``N0 + nt·e`` in total. The pilots are paid for.

Leaves out: correlated antennas, line of sight, precoding and power loading at the transmitter
(which does not know H), joint detection, cancellation of decoded streams.

References
----------
I. E. Telatar, "Capacity of multi-antenna Gaussian channels", Eur. Trans. Telecommun. 10(6), 1999,
DOI 10.1002/ett.4460100604: the channel.
J. H. Winters, J. Salz, R. D. Gitlin, "The impact of antenna diversity on the capacity of wireless
communication systems", IEEE Trans. Commun. 42(2/3/4), 1994, DOI 10.1109/TCOMM.1994.582882: the
distribution for zero forcing.
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from channels.base import (
    MAX_BLOCK_LENGTH,
    ChannelOutput,
    Coherence,
    check_input,
    complex_normal,
    draw_noise,
    noise_per_transmission,
)
from channels.errors import InputError
from channels.mimo.detection import linear_filter

DETECTORS = ("lmmse", "zf")
CSI = ("perfect", "pilots")
_MAX_ANTENNAS = 8


class Mimo:
    """A spatial-multiplexing link as a channel of data symbols.

    Parameters
    ----------
    antennas
        Transmit by receive antennas, such as ``"2x2"``; 1 to 8 each, and at least as many receive
        as transmit antennas.
    detector
        ``"lmmse"`` or ``"zf"`` (zero forcing).
    csi
        ``"perfect"``: the receiver knows H; ``"pilots"``: it estimates it.
    block_length
        Channel uses, pilots included, for which H is constant; 0: one H per transmission; 1: fast
        fading.

    Raises
    ------
    ValueError
        Another value than these, or a block without room for data after its pilots.

    Examples
    --------
    Two antennas send two symbols per channel use; pilots cost two uses per block:

    >>> Mimo(antennas="2x4").num_uses(1000), Mimo(antennas="2x4", csi="pilots").num_uses(1000)
    (500, 502)
    """

    coherence: Coherence = "varying"

    def __init__(
        self,
        *,
        antennas: str = "2x2",
        detector: str = "lmmse",
        csi: str = "perfect",
        block_length: int = 0,
    ) -> None:
        self.num_streams, self.num_rx = _parse_antennas(antennas)
        """Symbols per channel use, and receive antennas."""
        if detector not in DETECTORS:
            raise InputError(f"detector must be one of {', '.join(DETECTORS)}, got {detector!r}")
        if csi not in CSI:
            raise InputError(f"csi must be one of {', '.join(CSI)}, got {csi!r}")
        self.detector = detector
        self.estimated = csi == "pilots"
        """Whether the receiver estimates H, so that the error is part of the noise."""
        self.num_pilots = self.num_streams if self.estimated else 0
        """Channel uses of pilots at the start of every block."""
        if block_length != 0 and not self.num_pilots < block_length <= MAX_BLOCK_LENGTH:
            raise InputError(
                f"block_length must be 0 (one block per transmission) or exceed the "
                f"{self.num_pilots} pilots at its start, up to {MAX_BLOCK_LENGTH} uses, "
                f"got {block_length}"
            )
        self.block_length = int(block_length)

    def _blocks(self, num_symbols: int) -> tuple[int, int]:
        """Return the number of blocks, and of data uses in each (the last may have fewer)."""
        data_uses = -(-num_symbols // self.num_streams)
        length = self.block_length - self.num_pilots if self.block_length else max(data_uses, 1)
        return -(-data_uses // length), min(length, data_uses)

    def num_uses(self, num_symbols: int) -> int:
        """Return the channel uses of ``num_symbols`` symbols, with the pilots of every block."""
        return -(-num_symbols // self.num_streams) + self._blocks(num_symbols)[0] * self.num_pilots

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Antennas that the last symbols leave unused are silent.

        Returns
        -------
        ChannelOutput
            ``y`` after the detector, its real gain ``h`` as a complex number, and the variance of
            noise, interference and, with pilots, the error of the estimate: (..., 1).

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative, not finite, or
            varies within a transmission.
        """
        noise = noise_per_transmission(check_input(x, noise_var), x)
        num_symbols, num_tx = x.shape[-1], self.num_streams
        num_blocks, length = self._blocks(num_symbols)
        size = torch.Size((*x.shape[:-1], num_blocks, self.num_rx, num_tx))
        matrices = complex_normal(size, x, rng, variance=1 / num_tx)
        filled = torch.nn.functional.pad(x, (0, num_blocks * length * num_tx - num_symbols))
        sent = filled.reshape(*x.shape[:-1], num_blocks, length, num_tx)
        received = sent @ matrices.mT
        received = received + draw_noise(received, noise[..., None, None], rng)
        if self.estimated:
            matrices, noise = self._estimate(matrices, noise, rng)
        regular = noise if self.detector == "lmmse" else torch.zeros_like(noise)
        filters, gains = linear_filter(matrices, regular)
        y = received @ filters.mT
        h = gains.sqrt().to(x.dtype)[..., None, :].expand(y.shape)
        y, h = (part.flatten(-3)[..., :num_symbols] for part in (y, h))
        return ChannelOutput(y, h, noise)

    def _estimate(
        self, matrices: Tensor, noise: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the MMSE estimate of the matrices from pilots, and N0 with its error."""
        num_tx = self.num_streams
        # A pilot of power 1 observes H = √nt·G.
        pilots = math.sqrt(num_tx) * matrices
        pilots = pilots + draw_noise(pilots, noise[..., None, None], rng)
        known = 1 / (1 + noise)
        estimate = pilots * known[..., None, None] / math.sqrt(num_tx)
        return estimate, noise * (1 + known)


def _parse_antennas(antennas: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9])x([1-9])", antennas)
    num_tx, num_rx = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= num_tx <= num_rx <= _MAX_ANTENNAS:
        raise InputError(
            f"antennas must be transmit x receive, such as 2x2 or 2x4, with 1 to {_MAX_ANTENNAS} "
            f"each and no more transmit than receive antennas, got {antennas!r}"
        )
    return num_tx, num_rx
