"""How often the channel is drawn for each image."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from experiments.suites.value_types import Real, Score, Section, Whole


class Draws(Section):
    """How often the channel is drawn for each image, and when a point has been measured.

    A point is a setting; its mean is over the images. Rounds of draws double; after each, a point
    is done where the 95 % interval of the mean of ``score`` over the draws is narrow enough, and
    the share of lost pictures is known to ``lost_within`` (no loss so far is no proof of none).
    Without ``within`` and ``relative``, all of ``most`` are drawn.
    """

    most: Whole = Field(1, ge=1, le=1_000_000)
    first: Whole = Field(8, ge=2)
    score: Score = "psnr_db"
    within: Real | None = Field(None, gt=0)
    """Half-width of the interval, in the units of the score."""
    relative: Real | None = Field(None, gt=0)
    """Half-width as a share of the mean."""
    lost_within: Real = Field(0.05, gt=0)

    @property
    def stops(self) -> bool:
        """Whether points may be done before ``most``."""
        return self.within is not None or self.relative is not None

    def rounds(self) -> list[int]:
        """How many draws there are at the end of each round: 8, 16, 32, … ``most``."""
        if not self.stops:
            return [self.most]
        ends = [min(self.first, self.most)]
        while ends[-1] < self.most:
            ends.append(min(2 * ends[-1], self.most))
        return ends


ONCE = Draws()
AS_NEEDED = Draws(most=32, within=0.5)
"""Draws of a channel of which one says little, for suites that do not say how many."""


def as_draws(value: Any) -> Any:
    """Take a number for so many draws."""
    return {"most": value} if isinstance(value, int) else value
