"""The capacity bound: the same codec with as many payload bits as the channel's capacity carries.

The codec gets ``capacity·uses`` bits, which are decoded without any channel: there is no header, no
CRC, no parity and no loss. No code of finite length reaches this bound, so that these bits are
never sent, and tables and figures call them a "bound". The capacity assumes a receiver that knows
the gain: it is ``log2(1 + SNR)`` on AWGN, and the mean of that over the gain if the gain is
independent for every symbol (:func:`channels.theory.rayleigh_capacity`). A gain that is constant
over a frame has no such rate.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from channels.theory.capacity import capacity
from channels.units import symbol_budget
from semcom.codecs.base import digital
from semcom.types import Image, Map


def bound(
    image: Image, w: Map, *, codec: str, cbr: Fraction, channel: str, snr_db: float
) -> tuple[dict[str, Any], Image]:
    """Encode an image at capacity; return the record and the decoded picture.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    w
        Importance map (H, W) float32 of mean 1.
    codec, cbr
        Digital codec by name, and the channel uses allowed per source sample.
    channel, snr_db
        Channel and SNR that define the capacity.

    Raises
    ------
    ValueError
        If the capacity is not known, or not even the smallest stream fits.
    """
    height, width = image.shape[:2]
    bits_per_use = capacity(channel, snr_db)
    max_bits = 8 * math.floor(bits_per_use * symbol_budget(cbr, height, width) / 8)
    stream = digital(codec).encode(image, w, max_bits)
    # Decode from the bytes alone, as a receiver does not know the encoder's options.
    decoder = digital(codec.partition(":")[0])
    decoded = decoder.decode([packet.data for packet in stream.packets], height, width)
    record = {
        "encoder": stream.info,
        "num_bits": stream.num_bits,
        "cbr": stream.num_bits / bits_per_use / image.size,
        "capacity": bits_per_use,
        "packets_sent": len(stream.packets),
    }
    return record, decoded
