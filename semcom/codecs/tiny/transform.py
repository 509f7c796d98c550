"""From a picture to its coefficients in turned colours, and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semcom.codecs.parts.colour import best_turn, from_planes, round_planes, to_planes
from semcom.codecs.parts.sampling import sample
from semcom.codecs.tiny.quantised import BLOCK, Ints, Quantised, offsets_of
from semcom.codecs.tiny.wavelet import PLANES, Wavelet, analyse, synthesise
from semcom.types import Image, Map

_CENTRE = np.float32(512)  # the grey of planes


class Source(NamedTuple):
    """A picture prepared for encoding at any level."""

    turn: bytes
    """Of the colour axes, as :mod:`semcom.codecs.parts.colour` has it."""
    wavelet: Wavelet
    offsets: Ints
    """Of the steps of blocks."""

    @classmethod
    def of(cls, image: Image, w: Map) -> Source:
        """Transform a picture (H, W, 3) with importance ``w`` (H, W)."""
        turn = best_turn(*sample(image, w))
        margin = [(0, -side % BLOCK) for side in w.shape]
        planes = np.pad(to_planes(image, turn), [(0, 0), *margin], mode="edge")
        return cls(turn, analyse(planes.astype(np.float32) - _CENTRE), offsets_of(w))


def rebuild(sent: Quantised, turn: bytes, height: int, width: int) -> Image:
    """Return the picture (height, width, 3) of quantised coefficients."""
    planes = np.empty((PLANES, height, width), np.uint16)
    for i, plane in enumerate(planes):  # one by one, which takes less memory
        values = synthesise(sent.wavelet(slice(i, i + 1)))[0, :height, :width] + _CENTRE
        plane[:] = round_planes(values)
    return from_planes(planes, turn)
