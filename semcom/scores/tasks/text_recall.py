"""Whether the text in the received picture can still be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from semcom.checkpoints.ocr import Line, read_lines
from semcom.errors import InputError
from semcom.scores.base import Scored
from semcom.scores.tasks.remembered import Remembered
from semcom.types import Image

_SURE = 0.8


class TextRecall:
    """Share of the characters of the original's text that OCR reads in the received picture.

    It is 1 minus the character error rate: the least number of insertions, deletions and
    replacements of characters (Levenshtein) over the number of characters, without spaces and
    capitals. Each line of the original is compared with what was read at its place, and its errors
    count at most as all of its characters. What OCR reads in the original with a confidence of at
    least 0.8 is taken for the truth.

    Parameters
    ----------
    over
        ``"picture"``: all lines; ``"region"``: those whose middle lies in the region.

    Raises
    ------
    ValueError
        ``over`` is something else.
    """

    label, unit, range = "text recall", "", (0.0, 1.0)
    better: Literal["higher"] = "higher"

    def __init__(self, *, over: str = "picture") -> None:
        if over not in ("picture", "region"):
            raise InputError(f"over must be one of picture, region, got {over!r}")
        self.over = over
        self._read = Remembered(read_lines)

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the share of characters; None if OCR reads nothing in the original."""
        lines = [line for line in self._read(original) if _counts(line)]
        if self.over == "region":
            lines = [line for line in lines if _inside(line, scored)]
        return recall(lines, read_lines(received)) if lines else None


def recall(truth: Sequence[Line], read: Sequence[Line]) -> float:
    """Return the share of the characters of ``truth``, at least one line, that were read.

    Examples
    --------
    >>> sign = Line((10, 10, 90, 30), "Main Street")
    >>> recall([sign], [Line((12, 11, 40, 29), "MAIN"), Line((45, 11, 88, 29), "Stret")])
    0.9
    >>> recall([sign], [])
    0.0
    """
    from rapidfuzz.distance import Levenshtein

    wrong = total = 0
    for line in truth:
        left, top, right, bottom = line.box
        there = [
            one for one in read if left <= one.centre[0] < right and top <= one.centre[1] < bottom
        ]
        said = "".join(_letters(one.text) for one in sorted(there, key=lambda one: one.box[0]))
        wanted = _letters(line.text)
        wrong += min(len(wanted), Levenshtein.distance(wanted, said))
        total += len(wanted)
    return 1 - wrong / total


def _counts(line: Line) -> bool:
    return line.confidence >= _SURE and bool(_letters(line.text))


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()


def _inside(line: Line, scored: Scored) -> bool:
    height, width = scored.region.shape
    x, y = line.centre
    return bool(scored.region[min(int(y), height - 1), min(int(x), width - 1)])
