"""Pictures small enough for a page: received pictures, error maps and outlines of the region.

Error maps are computed from the lossless pictures, not from those that the page shows.
"""

from __future__ import annotations

import io
from collections.abc import Hashable
from typing import Any

from PIL import Image as PilImage
from PIL import ImageChops, ImageFilter
from PIL.Image import Image as Picture

LONGEST = 1280
"""Largest length of a side in pixels; larger pictures are scaled down."""
GAIN = 4
"""Gain of the error maps: an error of 64 grey levels is white."""
_QUALITY = 85
_MAP_QUALITY = 40
_SHADE = 165  # opacity of the shade over the background, of 255


def received(picture: Picture) -> bytes:
    """Compress a received picture, or an original, for the page."""
    return _webp(_fit(picture, PilImage.Resampling.LANCZOS), quality=_QUALITY)


def error_map(original: Picture, picture: Picture) -> bytes:
    """Draw :data:`GAIN` times the absolute difference, averaged over colours, at half the size."""
    third = GAIN / 3
    difference = ImageChops.difference(original, picture).convert("L", (third, third, third, 0))
    fitted = _fit(difference, PilImage.Resampling.BOX)
    size = (max(1, fitted.width // 2), max(1, fitted.height // 2))
    return _webp(fitted.resize(size, PilImage.Resampling.BOX), quality=_MAP_QUALITY)


def outline(region: Picture) -> bytes:
    """Draw the edge of the region, white inside and black outside, on a transparent ground."""
    inside = _binary(region)
    reach = 2 * max(1, round(max(inside.size) / 500)) + 1
    edge = ImageChops.subtract(inside, inside.filter(ImageFilter.MinFilter(reach)))
    border = ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(reach)), inside)
    return _webp(PilImage.merge("LA", (edge, ImageChops.add(edge, border))), lossless=True)


def shade(region: Picture) -> bytes:
    """Draw a layer that darkens the background."""
    alpha = _binary(region).point(lambda value: 0 if value else _SHADE)
    return _webp(PilImage.merge("LA", (PilImage.new("L", alpha.size), alpha)), lossless=True)


class Album:
    """A numbered collection of pictures, each kept once."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self._numbers: dict[Hashable, int] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._numbers

    def number(self, key: Hashable) -> int:
        """Return the number of a picture."""
        return self._numbers[key]

    def add(self, key: Hashable, data: bytes) -> None:
        """Add a picture."""
        self._numbers[key] = len(self.pictures)
        self.pictures.append(data)


def _fit(picture: Picture, how: PilImage.Resampling) -> Picture:
    scale = LONGEST / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), how)


def _binary(region: Picture) -> Picture:
    grey = _fit(region.convert("L"), PilImage.Resampling.NEAREST)
    return grey.point(lambda value: 255 if value >= 128 else 0)


def _webp(picture: Picture, **options: Any) -> bytes:
    sink = io.BytesIO()
    picture.convert("RGBA" if picture.mode == "LA" else "RGB").save(
        sink, "WEBP", method=2, **options
    )
    return sink.getvalue()
