"""Rate control: the search for the best quality that fits a bit budget.

Codecs order their settings on one integer axis, the level: a higher level means more bits and
better quality. Because the size grows nearly exponentially with the level, the search is a secant
method on the logarithm of the size, kept inside a bracket. It needs three or four encodings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from semcom.codecs.base import BudgetTooSmallError

_MOST_TRIALS = 8  # of a model, which need not be exact


@dataclass
class _Bracket:
    """The sizes known so far.

    ``low`` is the highest level that fits, ``high`` the lowest above it that does not.
    """

    levels: range
    max_bits: int
    slope: float
    aim: float | None = None
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
        if self.aim is not None:
            return min(max(self.aimed(self.aim)[0], first), last)
        anchor, slope = (high if low is None else low), self.slope
        assert anchor is not None
        if low is not None and high is not None:
            slope = math.log(self.sizes[high] / self.sizes[low]) / (high - low)
        gap = math.log(self.max_bits / self.sizes[anchor]) / max(slope, 1e-9)
        return min(max(anchor + math.floor(gap), first), last)

    def aimed(self, aim: float) -> tuple[int, float]:
        """Return the level for ``aim`` on the line through two known sizes, and its slope.

        They are the nearest ones on either side of ``aim``, or else the two nearest ones.
        """

        def gap(level: int) -> float:
            return math.log(aim / self.sizes[level])

        near, *others = sorted(self.sizes, key=lambda level: abs(gap(level)))
        # Sorting is stable, so that the nearest size beyond ``aim`` comes first.
        others.sort(key=lambda level: gap(level) * gap(near) > 0)
        rise = (gap(near) - gap(others[0])) / (others[0] - near) if others else self.slope
        rise = max(rise, self.slope / 4)
        return near + round(gap(near) / rise), rise


def best_level(
    size_bits: Callable[[int], int],
    levels: range,
    max_bits: int,
    *,
    guess: int,
    slope: float,
    tolerance: float = 0.01,
    costly: bool = False,
) -> int:
    """Find the highest level that fits the budget.

    Parameters
    ----------
    size_bits
        Returns the size in bits (> 0) at a level; it should grow with the level. It is called once
        per level.
    levels
        The levels to choose from, ascending.
    max_bits
        The budget.
    guess
        Level at which the search begins.
    slope
        First estimate of d ln(size) / d level, above 0.
    tolerance
        Stop as soon as the size is within this fraction below the budget.
    costly
        Whether sizes take long to compute. The search then aims at the middle of the tolerated
        range, and also learns the slope from sizes on one side of the budget.

    Raises
    ------
    BudgetTooSmallError
        If the lowest level does not fit.

    Examples
    --------
    >>> best_level(lambda level: 100 * 2**level, range(11), 5000, guess=2, slope=0.7)
    5
    """
    aim = (1 - tolerance / 2) * max(max_bits, 1) if costly else None
    bracket = _Bracket(levels, max(max_bits, 1), slope, aim)
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


def guess_level(
    size_bits: Callable[[int], int],
    budget: float,
    *,
    levels: range,
    guess: int,
    slope: float,
    tolerance: float,
    costly: bool = False,
) -> int:
    """Return the level at which a slow search should begin: the best level of a quick encoder.

    The streams of a quick preset are larger than those of a slow one by a nearly constant factor,
    which the caller includes in ``budget``. The other parameters are those of :func:`best_level`.
    If not even the lowest level fits, the result is the lowest level.

    Examples
    --------
    >>> search = {"levels": range(11), "guess": 2, "slope": 0.7, "tolerance": 0.1}
    >>> guess_level(lambda level: 100 * 2**level, 50, **search)
    0
    """
    try:
        return best_level(
            size_bits,
            levels,
            round(budget),
            guess=guess,
            slope=slope,
            tolerance=tolerance,
            costly=costly,
        )
    except BudgetTooSmallError:
        return levels[0]


def model_level(
    size_bits: Callable[[int], int],
    budget: float,
    *,
    levels: range,
    guess: int,
    slope: float,
    tolerance: float,
) -> tuple[int, float]:
    """Return the level where a quick encoder would meet a budget, and d ln(size) / d level there.

    Levels are tried until a size is within a factor of ``1 + tolerance`` of the budget. The result
    is on the line through the sizes around it; it need not have been tried. The parameters are
    those of :func:`guess_level`.

    Examples
    --------
    >>> search = {"levels": range(100), "guess": 40, "slope": 0.1, "tolerance": 0.2}
    >>> model_level(lambda level: round(100 * 1.1**level), 2000, **search)[0]
    31
    """
    budget = max(budget, 1.0)
    bracket = _Bracket(levels, round(budget), slope, budget)
    level = min(max(guess, levels[0]), levels[-1])
    for _ in range(_MOST_TRIALS):
        size = bracket.sizes[level] = size_bits(level)
        following = bracket.next_level()
        if following is None:
            break
        level = following
        if abs(math.log(budget / size)) <= tolerance:
            break
    return level, bracket.aimed(budget)[1]
