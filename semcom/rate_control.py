"""The best quality that fits a bit budget.

Codecs order their settings on one integer axis, the level: a higher level means more bits and
better quality. Size grows nearly exponentially with the level, so the search is a secant in the
logarithm of the size, kept inside a bracket, and needs three or four encodings.

Where these take long, a sample of the picture says how its size grows with the level: no more than
a factor is then to be found, and two encodings of the whole are mostly enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from semcom.codecs.base import BudgetTooSmallError


@dataclass
class _Bracket:
    """Sizes seen so far: ``low`` is the best level that fits, ``high`` the first that does not."""

    levels: range
    max_bits: int
    slope: float
    tolerance: float
    like: Callable[[int], int] | None
    sizes: dict[int, int] = field(default_factory=dict)

    @property
    def low(self) -> int | None:
        return max((k for k, size in self.sizes.items() if size <= self.max_bits), default=None)

    @property
    def high(self) -> int | None:
        low = -math.inf if (best := self.low) is None else best
        over = (k for k, size in self.sizes.items() if size > self.max_bits and k > low)
        return min(over, default=None)

    def next_level(self) -> int | None:
        """Return the level to try next, or None when the bracket is closed."""
        low, high = self.low, self.high
        first = self.levels[0] if low is None else low + 1
        last = self.levels[-1] if high is None else high - 1
        if first > last:
            return None
        if self.like is not None:
            return min(max(self._follow(self.like), first), last)
        anchor, slope = (high if low is None else low), self.slope
        assert anchor is not None
        if low is not None and high is not None:
            slope = math.log(self.sizes[high] / self.sizes[low]) / (high - low)
        gap = math.log(self.max_bits / self.sizes[anchor]) / max(slope, 1e-9)
        return min(max(anchor + math.floor(gap), first), last)

    def _follow(self, like: Callable[[int], int]) -> int:
        """Return the level at which ``like`` differs by what the nearest size is off the budget."""
        nearest = min(self.sizes, key=lambda level: abs(math.log(self.sizes[level] / self.max_bits)))
        aim = (1 - self.tolerance / 4) * self.max_bits  # the middle half of what would be accepted
        wanted = round(aim * like(nearest) / self.sizes[nearest])
        try:
            return best_level(
                like,
                self.levels,
                wanted,
                guess=nearest,
                slope=self.slope,
                tolerance=self.tolerance / 2,
            )
        except BudgetTooSmallError:
            return self.levels[0]


def best_level(
    size_bits: Callable[[int], int],
    levels: range,
    max_bits: int,
    *,
    guess: int,
    slope: float,
    tolerance: float = 0.01,
    like: Callable[[int], int] | None = None,
) -> int:
    """Find the highest level whose size fits.

    Parameters
    ----------
    size_bits
        Size in bits at a level (> 0); assumed to grow with the level. Called once per level.
    levels
        The levels to choose from, ascending.
    max_bits
        The budget.
    guess
        Where to begin.
    slope
        A first idea of d ln(size) / d level, above 0.
    tolerance
        Stop as soon as the size is within this fraction below the budget.
    like
        A size that grows with the level as ``size_bits`` does, but for a factor, and costs little
        to ask for again and again.

    Raises
    ------
    BudgetTooSmallError
        If the lowest level does not fit.
    """
    bracket = _Bracket(levels, max(max_bits, 1), slope, tolerance, like)
    level: int | None = min(max(guess, levels[0]), levels[-1])
    steps = 0
    while level is not None:
        size = bracket.sizes[level] = size_bits(level)
        if (1 - tolerance) * max_bits <= size <= max_bits:
            return level
        steps += 1
        level = bracket.next_level()
        # A secant can creep along one side of the bracket; halve it when it does.
        low, high = bracket.low, bracket.high
        if steps > 4 and level is not None and low is not None and high is not None:
            level = (low + high) // 2
    if bracket.low is None:
        raise BudgetTooSmallError(bracket.sizes[levels[0]], max_bits)
    return bracket.low
