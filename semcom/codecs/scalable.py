"""A coarse picture, and again and again what it still lacks: a nested stream of any codec.

Every packet is a whole picture, the difference of the original from what the packets before it
show, and takes twice the bits of the one before it. If the base codec follows the importance map,
each layer does. This is what unequal protection asks for: the first packets are small and can be
sent robustly. It costs some tenths to one and a half decibels against one packet of all the bits,
since no layer predicts from the one before it.

    packet    codec (2 bytes) │ scale (1) │ picture

Behind a lost packet the later ones are not used.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from semcom.codecs.base import (
    BudgetTooSmallError,
    DecodeError,
    codec_id,
    digital,
    grey,
    weighted_gain,
)
from semcom.codecs.parts import layer as scaled
from semcom.types import Bitstream, Image, Map, Packet

_MAX_LAYERS = 8
_RATIO = 2  # of the bits of a packet to those of the one before it


class Scalable:
    """Layers of whole pictures.

    Parameters
    ----------
    base
        Any other codec that makes one packet, by name.
    layers
        How many, 1 to 8.
    """

    def __init__(self, *, base: str = "hevc", layers: int = 4) -> None:
        name = base.partition(":")[0]
        if name in ("layered", "scalable"):
            raise ValueError(f"scalable: base must be another codec, got {name!r}")
        if not 1 <= layers <= _MAX_LAYERS:
            raise ValueError(f"scalable: layers must be 1 to {_MAX_LAYERS}, got {layers}")
        self._codec = digital(base)
        self._id = codec_id(name)
        self.layers = layers
        self.steerable = self._codec.steerable

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode layer by layer; see :class:`DigitalCodec`.

        Layers that get too few bits for any picture are left out, from the first on.
        """
        shares = [_RATIO**i for i in range(self.layers)]
        shown, packets = grey(*image.shape[:2]), list[Packet]()
        left, removed = max_bits, 0.0
        for i, share in enumerate(shares):
            room = left * share // sum(shares[i:]) - 8 * scaled.ID_BYTES
            lacking = scaled.difference(image, shown) if packets else image
            # A difference is fine by nature, and made smaller it would lose what it is for.
            scales = (1, 2, 4) if not packets else (1,)
            try:
                layer = scaled.encode(self._codec, lacking, w, room, scales)
            except BudgetTooSmallError as error:
                if not packets and i == self.layers - 1:
                    need = error.num_bits + 8 * scaled.ID_BYTES
                    raise BudgetTooSmallError(need, max_bits) from None
                continue
            shown = scaled.add(shown, layer.shown) if packets else layer.shown
            gain = weighted_gain(image, shown, w)
            packets.append(Packet(self._id + layer.data, gain - removed))
            left, removed = left - 8 * len(packets[-1].data), gain
        return Bitstream(tuple(packets), {"layers": len(packets)}, nested=True)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Add up the layers before the first that is lost; see :class:`DigitalCodec`."""
        if len(packets) > _MAX_LAYERS:
            raise DecodeError(f"scalable: at most {_MAX_LAYERS} layers, got {len(packets)}")
        shown = grey(height, width)
        for i, packet in enumerate(itertools.takewhile(lambda p: p is not None, packets)):
            if packet is None or len(packet) <= scaled.ID_BYTES:
                raise DecodeError("scalable: a packet without a picture")
            codec = scaled.codec_of(packet, ("layered", "scalable"))
            layer = scaled.decode(codec, packet[scaled.ID_BYTES :], height, width)
            shown = scaled.add(shown, layer) if i else layer
        return shown
