"""Optical character recognition, by the package ``rapidocr-onnxruntime``.

Its networks, PP-OCRv4 for Latin letters, digits and Chinese, come inside the package (Apache-2.0).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from semcom.types import Image

_LONGEST = 4  # times the shorter side
Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True)
class Line:
    """A line of text in a picture."""

    box: Box
    text: str = ""
    confidence: float = 1.0
    """How sure the reader is, 0.5 to 1; what it is less sure of is left out."""

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, (x, y)."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def read_lines(image: Image) -> list[Line]:
    """Find and read the lines of text in a picture (H, W, 3) uint8, from the top to the bottom."""
    shown, corner = _squarer(image)
    found, _ = engine()(_bgr(shown))
    lines = [
        Line(_box(at, corner, image), str(text), float(sure)) for at, text, sure in found or ()
    ]
    return sorted(lines, key=lambda line: (line.box[1], line.box[0]))


def find_lines(image: Image) -> list[Line]:
    """Find the lines of text in a picture (H, W, 3) uint8 without reading them."""
    shown, corner = _squarer(image)
    found, _ = engine()(_bgr(shown), use_det=True, use_cls=False, use_rec=False)
    lines = [Line(_box(at, corner, image)) for at in (() if found is None else found)]
    return sorted(lines, key=lambda line: (line.box[1], line.box[0]))


def _bgr(image: Image) -> Image:
    return np.ascontiguousarray(image[..., ::-1])  # the package takes arrays for OpenCV's


def _squarer(image: Image) -> tuple[Image, tuple[int, int]]:
    """Put a long picture into a black frame, and return it with the place (x, y) of its corner.

    The package enlarges the shorter side to 736 pixels, whatever becomes of the longer one.
    """
    height, width = image.shape[:2]
    above = max(0, -(-width // _LONGEST) - height) // 2
    beside = max(0, -(-height // _LONGEST) - width) // 2
    return np.pad(image, ((above, above), (beside, beside), (0, 0))), (beside, above)


def _box(corners: Any, corner: tuple[int, int], image: Image) -> Box:
    places = np.asarray(corners, dtype=float) - corner
    places = np.clip(places, 0, (image.shape[1], image.shape[0]))
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


@functools.cache
def engine() -> Any:
    """Open the package's networks, once."""
    from rapidocr_onnxruntime import RapidOCR

    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
