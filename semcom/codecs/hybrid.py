"""A digital base that is protected for the worst expected SNR, refined by analog symbols.

The base is the picture of a digital codec, in few bits. What it lacks, the residual, is sent by the
linear code of :mod:`semcom.codecs.linear.code`, as ``jscc`` sends a picture: the coefficients with
the largest ``w·λ`` are amplitudes of symbols. The residual's variance λ is described in few bits
beside the base. So the picture does not fall below the base as long as that gets through, and
improves with every decibel of SNR.

The bandwidth is split such that the expected weighted squared error is least, on average over the
SNRs that the sender believes in (``planned_snr_db``, ``planned_std_db``, the law of the fading).

    packets of the base │ one packet that describes the residual

A base other than ``hevc`` is named by two bytes, in the description and in the first packet of the
base, which may each arrive alone. There, they follow a 1, with which no packet of ``hevc`` begins.
If both are lost, packets that are none of ``hevc`` show nothing.
A bit of the description's first byte says that the receiver shall restore the sum.

Base and description are side information: the link protects them for the planned SNR less its
margin ``side_margin_db``, with which the user says how much worse than planned the channel may be.

Leaves out: a split of the power, which lowers the expected error little once the bandwidth is
split, and analog symbols on top of digital ones.

Reference: Mittal and Phamdo, "Hybrid digital-analog (HDA) joint source-channel codes for
broadcasting and robust communications", IEEE Transactions on Information Theory 48 (2002).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.base import (
    BudgetTooSmallError,
    DecodeError,
    DigitalCodec,
    codec_id,
    digital,
    grey,
)
from semcom.codecs.jscc.side_coding import unpack
from semcom.codecs.jscc.transmission import Transmission, transmission, walk
from semcom.codecs.jscc.weights import load
from semcom.codecs.linear.code import estimate
from semcom.codecs.parts.colour import Planes, from_planes, round_planes, to_planes
from semcom.codecs.parts.layer import codec_of
from semcom.codecs.refiner.knowledge import NOTHING_SENT
from semcom.codecs.side_margin import SIDE_MARGIN_DB, usual_side_rate
from semcom.errors import InputError
from semcom.types import AnalogSignal, Image, Map, Packet

CENTRE = 512
"""The residual's zero, as the linear code has planes from 0 to 1023."""
_DESCRIPTION = 0.02  # typical share of the frame that describes the residual
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the frame that are tried for analog symbols."""
_USUAL = 4
_USUAL_BASE = "hevc"
_OTHER_BASE = 0x80  # a bit of the first byte of the description: two bytes name another base
_RESTORED = 0x40  # another bit
_NAMED = b"\1"  # in front of the name in the first packet of another base
_FRONT_BYTES = 3
_MAX_HEADROOM_DB = 20


class _Base(NamedTuple):
    """The base of a picture."""

    packets: tuple[Packet, ...]
    planes: Planes
    """The decoded picture."""


_coded: dict[bytes, _Base] = {}
"""The last bases, by a hash of everything that they depend on."""
_split: dict[bytes, float] = {}
"""The share of analog symbols of the last picture, likewise."""


class Hybrid:
    """A digital codec, and its residual as amplitudes.

    Parameters
    ----------
    base
        The digital codec.
    headroom_db
        How far above the SNRs that the sender expects the mean of the expected error shall be
        least, 0 to 20 dB. More headroom moves bandwidth from the base to the symbols: the picture
        is worse as planned, and gains more when the channel is better.
    restore
        Whether the receiver repairs the picture by :mod:`semcom.codecs.restorer`.

    Raises
    ------
    ValueError
        The base is not a digital codec, or the headroom is out of range.

    Examples
    --------
    >>> import skimage.data, torch
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> codec = Hybrid(base="jpeg2000")
    >>> signal = codec.encode(photo, np.ones((128, 128), dtype=np.float32), 5000, 10.0)
    >>> x, side = signal.symbols, [packet.data for packet in signal.side]
    >>> codec.decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 128, 128).shape
    (128, 128, 3)
    """

    analog: Literal[True] = True
    steerable = True

    def __init__(
        self, *, base: str = "hevc", headroom_db: float = 6.0, restore: bool = False
    ) -> None:
        if not 0 <= headroom_db <= _MAX_HEADROOM_DB:
            raise InputError(
                f"hybrid: headroom_db must be 0 to {_MAX_HEADROOM_DB}, got {headroom_db}"
            )
        self._base, self._headroom = digital(base), headroom_db
        self._spec, self._model = base, load().side
        self._flag = _RESTORED if restore else 0

    def encode(
        self,
        image: Image,
        w: Map,
        num_symbols: int,
        snr_db: float,
        side_snr_db: float | None = None,
        snrs_db: Sequence[float] | None = None,
        room: int | None = None,
        side_rate: float | None = None,
    ) -> AnalogSignal:
        """Send a base and its residual; see :class:`AnalogCodec`."""
        side_snr = snr_db - SIDE_MARGIN_DB if side_snr_db is None else side_snr_db
        believed = [snr + self._headroom for snr in snrs_db or (snr_db,)]
        uses = round(num_symbols / _SHARES[_USUAL]) if room is None else room
        rate = side_rate or usual_side_rate(side_snr)

        def residual(base: _Base, count: int, planned: float) -> Transmission:
            lacking = residual_of(image, base.planes)
            return transmission(lacking, w, count, planned, side_snr, self._model)

        def base_bits(share: float) -> int:
            return int((1 - share - _DESCRIPTION) * uses * rate)

        def tried(share: float) -> tuple[float, float]:
            base = self._code(image, w, base_bits(share))
            count = max(1, round(share * uses))
            return fmean(residual(base, count, snr).error for snr in believed), share

        key = self._key(image, w, *believed, side_snr, uses, rate)
        share = _split.get(key)
        if share is None:
            share = walk(_SHARES.__getitem__, len(_SHARES), tried, _USUAL)[1]
            _split.clear()
            _split[key] = share
        base = self._code(image, w, base_bits(share))
        sent = residual(base, num_symbols, snr_db + self._headroom)
        kind, about, name = sent.packet[0], sent.packet[1:], self._spec.partition(":")[0]
        kind |= self._flag
        if name != _USUAL_BASE:
            kind, about = kind | _OTHER_BASE, codec_id(name) + about
        side = (*base.packets, Packet(bytes([kind]) + about))
        return AnalogSignal(sent.symbols, side, {"analog_share": share})

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Add the estimated residual to the base; see :class:`AnalogCodec`.

        Without its description, the result is the base alone.
        """
        if not side:
            raise DecodeError("hybrid: there are no packets")
        *packets, about = side
        codec, kind = digital(_USUAL_BASE), about[0] if about else 0
        if about and kind & _OTHER_BASE:
            codec = codec_of(about[1:], ())
            about = about[:1] + about[3:]
        named = about is not None
        base = grey(height, width)
        if packets:
            base = _decoded(codec, packets, height, width, named=named)
        if about is None or (packets and all(packet is None for packet in packets)):
            return base
        about = bytes([kind & ~(_OTHER_BASE | _RESTORED)]) + about[1:]
        described, least = unpack(about, height, width, self._model)
        found = estimate(described, height, width, y, h, noise_var)
        planes = to_planes(base) + found.planes - CENTRE
        if kind & _RESTORED and least != NOTHING_SENT:
            from semcom.codecs.restorer.restorer import linear_knowledge, restore_planes

            return from_planes(
                restore_planes(planes, linear_knowledge("hybrid", described, least, found))
            )
        return from_planes(round_planes(planes))

    def _code(self, image: Image, w: Map, max_bits: int) -> _Base:
        """Encode the base, or recall it: the link asks twice how many symbols an image needs.

        A base for which there are too few bits is grey, without packets.
        """
        key = self._key(image, w, max_bits)
        if (kept := _coded.get(key)) is not None:
            return kept
        packets = self._packets(image, w, max_bits)
        shown = grey(*image.shape[:2])
        if packets:
            data = [packet.data for packet in packets]
            shown = _decoded(self._base, data, *image.shape[:2])
        if len(_coded) >= len(_SHARES):
            _coded.clear()
        _coded[key] = base = _Base(packets, to_planes(shown))
        return base

    def _packets(self, image: Image, w: Map, max_bits: int) -> tuple[Packet, ...]:
        """Encode the base within some bits, those that name it included; none if they are few."""
        name = self._spec.partition(":")[0]
        front = b"" if name == _USUAL_BASE else _NAMED + codec_id(name)
        try:
            first, *others = self._base.encode(image, w, max_bits - 8 * len(front)).packets
        except BudgetTooSmallError:
            return ()
        return replace(first, data=front + first.data), *others

    def _key(self, image: Image, w: Map, *about: float) -> bytes:
        text = f"{self._spec} {about} {image.shape} ".encode()
        return hashlib.sha256(text + image.tobytes() + w.tobytes()).digest()


def residual_of(image: Image, planes: Planes) -> NDArray[np.float32]:
    """Return what decoded planes lack, as planes with values from 0 to 1023, centred at 512."""
    lacking = to_planes(image) - planes.astype(np.float32) + CENTRE
    return np.clip(lacking, 0, 1023)


def _decoded(
    codec: DigitalCodec,
    packets: Sequence[bytes | None],
    height: int,
    width: int,
    *,
    named: bool = True,
) -> Image:
    """Decode the base, by the codec that its first packet names if that arrived.

    ``named`` tells whether the description arrived, so that the codec is certain.
    """
    first, *others = packets
    if first is None and not named:
        with contextlib.suppress(DecodeError):
            return codec.decode(packets, height, width)
        return grey(height, width)
    if first is not None and first[:1] == _NAMED:
        codec, first = codec_of(first[1:], ()), first[_FRONT_BYTES:]
    return codec.decode([first, *others], height, width)
