"""Switches of the restorer: a bit for each block of 64x64 pixels, set by the sender.

The network knows nothing of an importance map that steered the sender, and takes a region that was
coded well for one that was not. The sender knows what the network does, as it can run it, and
switches it on where that lowers the weighted squared error.
"""

from __future__ import annotations

import numpy as np

from semcom.sizes import block_means
from semcom.types import Image, Map, Region

_SIDE = 64


def switch_bytes(height: int, width: int) -> int:
    """Return the number of bytes of the switches of a picture."""
    rows, columns = _grid(height, width)
    return -(-rows * columns // 8)


def switches_of(image: Image, w: Map, picture: Image, restored: Image) -> bytes:
    """Return the switches with which the weighted squared error of each block is least."""
    plain, better = (
        np.square(image.astype(np.float64) - shown).sum(axis=2) for shown in (picture, restored)
    )
    return np.packbits(block_means(w * (plain - better), _SIDE) > 0).tobytes()


def switched(picture: Image, restored: Image, switches: bytes) -> Image:
    """Return a picture of which the blocks that are switched on are restored.

    Examples
    --------
    >>> picture = np.zeros((64, 100, 3), np.uint8)
    >>> shown = switched(picture, picture + np.uint8(9), bytes([64]))  # 01…
    >>> int(shown[:, :64].max()), int(shown[:, 64:].min())
    (0, 9)
    """
    on = on_pixels(switches, *picture.shape[:2])
    return np.where(on[..., None], restored, picture)


def on_pixels(switches: bytes, height: int, width: int) -> Region:
    """Return the pixels in blocks that are switched on, bool (H, W)."""
    rows, columns = _grid(height, width)
    on = np.unpackbits(np.frombuffer(switches, np.uint8), count=rows * columns).astype(bool)
    pixels = on.reshape(rows, columns).repeat(_SIDE, axis=0).repeat(_SIDE, axis=1)
    return pixels[:height, :width]


def _grid(height: int, width: int) -> tuple[int, int]:
    return -(-height // _SIDE), -(-width // _SIDE)
