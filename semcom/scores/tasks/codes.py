"""Whether the QR and bar codes in the received picture still read."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from semcom.checkpoints.barcodes import find_codes
from semcom.scores.base import Scored
from semcom.scores.tasks.remembered import Remembered
from semcom.types import Image


class Codes:
    """Share of the original's QR and bar codes that read the same in the received picture.

    The reader is the package ``zxing-cpp``. Each code stands for what it says, so that two equal
    codes count twice, and a code that is read wrongly is not read.
    """

    label, unit, range = "codes", "", (0.0, 1.0)
    better: Literal["higher"] = "higher"

    def __init__(self) -> None:
        self._read = Remembered(read_codes)

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the share of codes; None if there are none in the original."""
        wanted = self._read(original)
        if not wanted:
            return None
        return (wanted & read_codes(received)).total() / wanted.total()


def read_codes(image: Image) -> Counter[tuple[str, str]]:
    """Return the kind and the text of each code in a picture (H, W, 3) uint8, with its count."""
    return Counter((str(code.format), code.text) for code in find_codes(image))
