"""What can be read in a picture, as segments: lines of text, and QR and bar codes.

They need no importance model: a sender that serves a reader knows what matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semcom.checkpoints.barcodes import find_codes
from semcom.checkpoints.ocr import Box, find_lines
from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.types import Image, Mask, Prompts, Region


class Ocr:
    """The segmenter ``ocr``: all lines of text as one mask, found by OCR's detector.

    Parameters
    ----------
    margin
        Space around each line, as a share of its height, 0 to 2.
    """

    def __init__(self, *, margin: float = 0.25) -> None:
        self.margin = check_margin(margin)

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8: one mask of all text, or one per prompt.

        A point marks the line there, a box the lines whose middle lies in it; the mask may be
        empty.
        """
        prompts.check(*image.shape[:2])
        boxes = [grown(line.box, self.margin) for line in find_lines(image)]
        return marked(image, boxes, prompts, "text")


class Codes:
    """The segmenter ``codes``: all QR and bar codes as one mask, found by ``zxing-cpp``.

    Parameters
    ----------
    margin
        Space around each code, as a share of its height, 0 to 2; readers need some.
    """

    def __init__(self, *, margin: float = 0.15) -> None:
        self.margin = check_margin(margin)

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8: one mask of all codes, or one per prompt."""
        prompts.check(*image.shape[:2])
        boxes = []
        for code in find_codes(image):
            at = code.position
            corners = [(c.x, c.y) for c in (at.top_left, at.top_right, at.bottom_right)]
            corners.append((at.bottom_left.x, at.bottom_left.y))
            (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
            box = (float(left), float(top), float(right), float(bottom))
            boxes.append(grown(box, self.margin))
        return marked(image, boxes, prompts, "code")


def check_margin(margin: float) -> float:
    """Return the margin; raise ``ValueError`` if it is not in 0 to 2."""
    if not 0 <= margin <= 2:
        raise InputError(f"margin must be 0 to 2, got {margin}")
    return margin


def grown(box: Box, margin: float) -> Box:
    """Grow a box by a share of its height on all sides."""
    left, top, right, bottom = box
    more = margin * (bottom - top)
    return left - more, top - more, right + more, bottom + more


def marked(image: Image, boxes: Sequence[Box], prompts: Prompts, label: str) -> list[Mask]:
    """Return the mask of all boxes, or that of each prompt.

    Examples
    --------
    >>> image = np.zeros((20, 40, 3), dtype=np.uint8)
    >>> boxes = [(2, 2, 18, 8), (22, 2, 38, 8)]
    >>> (both,) = marked(image, boxes, Prompts(), "text")
    >>> (left,) = marked(image, boxes, Prompts(points=((5, 5),)), "text")
    >>> int(both.pixels.sum()), int(left.pixels.sum())
    (192, 96)
    """
    if not prompts:
        if not boxes:
            return Masks(notes=[f"no {label} was found, so that all pixels weigh alike"])
        return [_mask(image, boxes, label)]
    chosen: list[list[Box]] = [
        [b for b in boxes if b[0] <= x < b[2] and b[1] <= y < b[3]] for x, y in prompts.points
    ]
    for x0, y0, x1, y1 in prompts.boxes:
        middles = ((b, (b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes)
        chosen.append([b for b, x, y in middles if x0 <= x < x1 and y0 <= y < y1])
    return [_mask(image, some, label) for some in chosen]


def _mask(image: Image, boxes: Sequence[Box], label: str) -> Mask:
    pixels: Region = np.zeros(image.shape[:2], dtype=bool)
    for left, top, right, bottom in boxes:
        rows = slice(max(0, round(top)), max(0, round(bottom)))
        pixels[rows, max(0, round(left)) : max(0, round(right))] = True
    return Mask(pixels, label=label)
