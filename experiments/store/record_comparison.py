"""Comparison of records: pictures, packets and counts exactly, other numbers to a tolerance.

The last bits of a sum depend on the processor (:mod:`semcom.processor`). A score that was measured
on another processor may therefore differ in these bits, but nothing else may differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

TOLERANCE = 1e-9
"""Tolerance for numbers that are not counts; it is relative for numbers above 1."""


class Difference(NamedTuple):
    """A value of the repeated result that differs from the recorded one."""

    what: str
    recorded: Any
    again: Any

    @property
    def size(self) -> float:
        """Difference of two numbers, relative for numbers above 1; infinite for other values."""
        if not (isinstance(self.recorded, float) and isinstance(self.again, float)):
            return math.inf
        return abs(self.recorded - self.again) / max(1.0, abs(self.recorded), abs(self.again))

    @property
    def is_rounding(self) -> bool:
        """Whether the difference is within :data:`TOLERANCE`."""
        return self.size <= TOLERANCE


def differences(recorded: Any, again: Any, where: str = "") -> Iterator[Difference]:
    """Yield every value that is not identical.

    Both arguments consist of JSON values. A picture is compared by its SHA-256, which is text.

    Examples
    --------
    >>> [one.what for one in differences({"a": 1, "b": [2.0]}, {"a": 1, "b": [2.5]})]
    ['b[0]']
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
