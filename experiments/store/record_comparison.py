"""Records compared: pictures, packets and counts exactly, other numbers to a tolerance.

The last bits of a sum depend on the processor (:mod:`semcom.processor`): a score that was measured
on another one may differ in them, and nothing else may.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

TOLERANCE = 1e-9
"""Of numbers that are no counts; relative to those above 1."""


class Difference(NamedTuple):
    """Where what was made anew is not what is on record."""

    what: str
    recorded: Any
    again: Any

    @property
    def size(self) -> float:
        """How far apart two numbers are, relative to those above 1; infinite for all else."""
        if not (isinstance(self.recorded, float) and isinstance(self.again, float)):
            return math.inf
        return abs(self.recorded - self.again) / max(1.0, abs(self.recorded), abs(self.again))

    @property
    def is_rounding(self) -> bool:
        """Whether it is within :data:`TOLERANCE`."""
        return self.size <= TOLERANCE


def differences(recorded: Any, again: Any, where: str = "") -> Iterator[Difference]:
    """Yield every value that is not the same, bit for bit.

    Both are made of what JSON knows. A picture is compared by its SHA-256, which is text.
    """
    if isinstance(recorded, dict) and isinstance(again, dict):
        for key in dict.fromkeys([*recorded, *again]):
            name = f"{where}.{key}" if where else str(key)
            yield from differences(recorded.get(key), again.get(key), name)
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        for i, (one, other) in enumerate(zip(recorded, again, strict=True)):
            yield from differences(one, other, f"{where}[{i}]")
    elif recorded != again:
        yield Difference(where, recorded, again)
