"""Two layers: a coarse picture of everything, plus refinements where it is important.

This gives importance to codecs that have one quality per picture. Every connected part of the map
above its mean gets a rectangle; close rectangles are merged, so that at most four remain. The
second layer contains the difference from the coarse picture there, as a picture around mid-grey
that is flat where the map is below its mean. This avoids seams, and fewer bits are spent twice than
in encoding the rectangle again. Codecs that control quality by block, such as ``hevc``, are as good
on their own and faster. Any layer may be reduced to a half or a quarter of its width and height if
that gives the best result.

The rectangles' share of the budget minimises the weighted squared error (golden-section search),
and is divided among them by their weight. A rectangle that gains nothing at the budget is sent
empty, so that the number of packets depends on the map alone.

    packet 0     codec (2 bytes) │ scale (1) │ picture
    packet 1, …  codec (2 bytes) │ rectangle (4) │ scale (1) │ difference, or nothing

If a rectangle is lost, the coarse picture remains. If the coarse picture is lost, the differences
are shown on grey.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from semcom.codecs.base import (
    BudgetTooSmallError,
    DecodeError,
    DigitalCodec,
    codec_id,
    digital,
    grey,
    weighted_gain,
)
from semcom.codecs.parts import layer as scaled
from semcom.codecs.parts.layer import Scaled
from semcom.codecs.parts.rectangles import MAX_RECTANGLES, MIN_SIDE, Area, area_of, rectangles
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map, Packet, Region

_CONTAINERS = ("layered", "scalable")
_ID_BYTES = scaled.ID_BYTES
_HEAD_BYTES = _ID_BYTES + 4
_SHARES = (0.1, 0.95)  # limits of the share of all rectangles in the budget
_STEPS = 6
_GOLDEN = (math.sqrt(5) - 1) / 2


class Layered:
    """A coarse picture and refined rectangles.

    Parameters
    ----------
    base
        Any other codec with one packet, by name.

    Examples
    --------
    >>> from semcom.codecs.base import CODECS
    >>> image = np.zeros((64, 96, 3), dtype=np.uint8)
    >>> image[16:48, 32:64] = 255
    >>> w = np.where(image[..., 0] > 0, 4.0, 0.4).astype(np.float32)  # a mean of 1
    >>> len(CODECS.create("layered:base=jpeg").encode(image, w, 20_000).packets)
    2
    """

    steerable = True

    def __init__(self, *, base: str = "jpeg") -> None:
        name = base.partition(":")[0]
        if name in _CONTAINERS:
            raise InputError(f"layered: base must be another codec, got {name!r}")
        self._codec = digital(base)
        self._id = codec_id(name)

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Divide the budget among the layers; see :class:`DigitalCodec`."""
        # The mean of a flat map has a rounding error of this order.
        matters = w > (1 + 1e-3) * w.mean(dtype=np.float64)
        boxes = rectangles(w, matters)
        areas = [area_of(box, *w.shape) for box in boxes]
        heads = [self._id, *(self._id + bytes(box) for box in boxes)]
        overhead = 8 * sum(map(len, heads))
        division = _Division(self._codec, image, w, matters, areas, max_bits - overhead)
        try:
            share, layers = division.best()
        except BudgetTooSmallError as error:
            raise BudgetTooSmallError(error.num_bits + overhead, max_bits) from None
        data = [head + layer.data for head, layer in zip(heads, layers, strict=True)]
        return Bitstream(
            tuple(map(Packet, data, division.gains(layers))), {"share": share}, nested=True
        )

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Add the differences that arrived to the coarse picture; see :class:`DigitalCodec`."""
        if not 1 <= len(packets) <= 1 + MAX_RECTANGLES:
            raise DecodeError(f"layered: 1 to {1 + MAX_RECTANGLES} packets, got {len(packets)}")
        whole, *others = packets
        shown = grey(height, width)
        if whole is not None:
            codec = scaled.codec_of(whole, _CONTAINERS)
            shown = scaled.decode(codec, whole[_ID_BYTES:], height, width)
        for packet in others:
            if packet is not None and len(packet) != _HEAD_BYTES:
                area = _read_area(packet, height, width)
                codec, size = scaled.codec_of(packet, _CONTAINERS), shown[area].shape[:2]
                shown = _add(shown, scaled.decode(codec, packet[_HEAD_BYTES:], *size), area)
        return shown


_NOTHING = Scaled(b"", grey(0, 0))


@dataclass(frozen=True, eq=False)
class _Division:
    """The division of a budget among the layers of one image."""

    codec: DigitalCodec
    image: Image
    w: Map
    matters: Region
    areas: list[Area]
    room: int
    """Bits for the content of all layers."""

    def best(self) -> tuple[float, list[Scaled]]:
        """Return the best share of the rectangles, and the layers."""
        if not self.areas:
            return 0.0, self._divide(0.0)
        tried: dict[float, list[Scaled]] = {}

        def gain(share: float) -> float:
            try:
                tried[share] = self._divide(share)
            except BudgetTooSmallError:
                if not share:
                    raise
                return -math.inf
            return sum(self.gains(tried[share]))

        share = _best_share(gain)
        return share, tried[share]

    def gains(self, layers: Sequence[Scaled]) -> list[float]:
        """Return the weighted error that each layer removes in addition to those before it."""
        shown = layers[0].shown
        totals = [0.0, weighted_gain(self.image, shown, self.w)]
        for area, layer in zip(self.areas, layers[1:], strict=True):
            if layer.data:
                shown = _add(shown, layer.shown, area)
            totals.append(weighted_gain(self.image, shown, self.w))
        return [after - before for before, after in itertools.pairwise(totals)]

    def _divide(self, share: float) -> list[Scaled]:
        whole = scaled.encode(self.codec, self.image, self.w, round((1 - share) * self.room))
        if not share:
            return [whole, *([_NOTHING] * len(self.areas))]
        lacking = scaled.difference(self.image, whole.shown)
        lacking[~self.matters] = 128
        layers, left = [whole], self.room - 8 * len(whole.data)
        weights = [float(self.w[area].sum()) for area in self.areas]
        for i, area in enumerate(self.areas):
            most = round(left * weights[i] / sum(weights[i:]))
            try:
                layers.append(scaled.encode(self.codec, lacking[area], self.w[area], most))
            except BudgetTooSmallError:
                layers.append(_NOTHING)
            left -= 8 * len(layers[-1].data)
        return layers


def _best_share(gain: Callable[[float], float]) -> float:
    """Search for the share of the highest gain by golden section; 0 is tried as well."""
    low, high = _SHARES
    first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    gains = {share: gain(share) for share in (0.0, first, second)}
    for _ in range(_STEPS - 2):
        if gains[first] >= gains[second]:
            high, second = second, first
            first = new = high - _GOLDEN * (high - low)
        else:
            low, first = first, second
            second = new = low + _GOLDEN * (high - low)
        gains[new] = gain(new)
    return max(gains, key=gains.__getitem__)


def _read_area(packet: bytes, height: int, width: int) -> Area:
    if len(packet) < _HEAD_BYTES:
        raise DecodeError("layered: packet has no rectangle")
    top, left, bottom, right = packet[_ID_BYTES:_HEAD_BYTES]
    rows, columns = area = area_of((top, left, bottom, right), height, width)
    if min(rows.stop - rows.start, columns.stop - columns.start) < MIN_SIDE:
        raise DecodeError(f"layered: rectangle {top},{left},{bottom},{right} is too small")
    return area


def _add(shown: Image, difference: Image, area: Area) -> Image:
    """Add a difference within one area."""
    total = shown.copy()
    total[area] = scaled.add(shown[area], difference)
    return total
