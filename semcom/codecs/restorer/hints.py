"""Hints that a sender gives the restorer: a filter and switches, computed for the picture.

The sender can run the network, and knows the picture and the importance map. First it switches the
network on for the blocks where that lowers the weighted squared error. For these blocks it computes
the filter (:mod:`semcom.codecs.restorer.wiener`), with which it sets the switches anew
(:mod:`semcom.codecs.restorer.switches`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.parts.colour import from_planes, round_planes, to_planes
from semcom.codecs.restorer.restorable import Restorable
from semcom.codecs.restorer.switches import on_pixels, switch_bytes, switched, switches_of
from semcom.codecs.restorer.wiener import FILTER_BYTES, filter_for, filtered
from semcom.types import Image, Map

Values = NDArray[np.float32]


def hint_bytes(height: int, width: int) -> int:
    """Return the number of bytes of the hints for a picture."""
    return FILTER_BYTES + switch_bytes(height, width)


def hints_for(codec: Restorable, image: Image, w: Map, picture: Image, quality: float) -> bytes:
    """Compute the hints with which the decoded picture comes nearest to the image.

    Parameters
    ----------
    codec, picture, quality
        As :func:`semcom.codecs.restorer.restorer.restore` takes them.
    image
        What was encoded, (H, W, 3) uint8.
    w
        (H, W), the weight of each pixel's squared error.
    """
    decoded, restored = _planes(codec, picture, quality)
    switches = switches_of(image, w, picture, from_planes(round_planes(restored)))
    seen = w * on_pixels(switches, *w.shape)
    coefficients = filter_for(to_planes(image).astype(np.float32), decoded, restored, seen)
    better = from_planes(round_planes(filtered(decoded, restored, coefficients)))
    return coefficients + switches_of(image, w, picture, better)


def restore_with_hints(codec: Restorable, picture: Image, quality: float, hints: bytes) -> Image:
    """Restore a decoded picture with the hints of its sender."""
    coefficients, switches = hints[:FILTER_BYTES], hints[FILTER_BYTES:]
    decoded, restored = _planes(codec, picture, quality)
    better = from_planes(round_planes(filtered(decoded, restored, coefficients)))
    return switched(picture, better, switches)


def _planes(codec: Restorable, picture: Image, quality: float) -> tuple[Values, Values]:
    from semcom.codecs.restorer.restorer import before_and_after  # it loads a network

    return before_and_after(codec, picture, quality)
