"""A base layer plus residual layers: a nested stream of any codec.

Every packet is a whole picture: the difference of the original from the picture of all packets
before it. It takes twice the bits of the previous packet. If the base codec uses the importance
map, each layer does. Unequal protection needs such a stream: the first packets are small and can be
sent robustly. It costs between some tenths and one and a half decibels compared with a single
packet of all the bits, since no layer is predicted from the previous one.

    packet    codec (2 bytes) │ scale (1) │ picture

Packets after a lost one are not used.
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
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map, Packet

_MAX_LAYERS = 8
_RATIO = 2  # size of a packet relative to the previous one


class Scalable:
    """A base layer and residual layers of whole pictures.

    Parameters
    ----------
    base
        Any other codec with one packet, by name.
    layers
        Number of layers, 1 to 8.

    Examples
    --------
    >>> from semcom.codecs.base import CODECS
    >>> import numpy as np
    >>> codec = CODECS.create("scalable:base=jpeg,layers=2")
    >>> rng = np.random.default_rng(0)
    >>> image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    >>> stream = codec.encode(image, np.ones((64, 64), dtype=np.float32), 60_000)
    >>> stream.nested, len(stream.packets)
    (True, 2)
    """

    def __init__(self, *, base: str = "hevc", layers: int = 4) -> None:
        name = base.partition(":")[0]
        if name in ("layered", "scalable"):
            raise InputError(f"scalable: base must be another codec, got {name!r}")
        if not 1 <= layers <= _MAX_LAYERS:
            raise InputError(f"scalable: layers must be 1 to {_MAX_LAYERS}, got {layers}")
        self._codec = digital(base)
        self._id = codec_id(name)
        self.layers = layers
        self.steerable = self._codec.steerable

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode layer by layer; see :class:`DigitalCodec`.

        If the bits do not suffice for all layers, the first layers are left out.
        """
        shares = [_RATIO**i for i in range(self.layers)]
        shown, packets = grey(*image.shape[:2]), list[Packet]()
        left, removed = max_bits, 0.0
        for i, share in enumerate(shares):
            room = left * share // sum(shares[i:]) - 8 * scaled.ID_BYTES
            lacking = scaled.difference(image, shown) if packets else image
            # A difference consists of fine detail, which a reduced picture would lose.
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
        """Add up the layers before the first lost one; see :class:`DigitalCodec`."""
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
