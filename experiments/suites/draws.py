"""Number of draws of the channel for each image.

A draw is one realisation of the channel's fading, noise and losses.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from experiments.suites.value_types import DrawnScore, Real, Section, Whole


class Draws(Section):
    """Number of draws of the channel for each image, and the rule for stopping.

    A draw is one realisation of the channel's fading, noise and losses. A point is a setting; its
    mean is over the images. The number of draws doubles from round to round. After a round, a point
    is done if the 95 % interval of the mean of ``score`` over the draws is narrow enough, and the
    share of lost pictures is known to ``lost_within`` (having seen no loss does not prove that none
    occurs). Without ``within`` and ``relative``, all ``most`` draws are made.

    Examples
    --------
    >>> Draws(most=50, within=0.5).rounds()
    [8, 16, 32, 50]
    """

    most: Whole = Field(1, ge=1, le=1_000_000)
    first: Whole = Field(8, ge=2)
    score: DrawnScore = "psnr_db"
    within: Real | None = Field(None, gt=0)
    """Half-width of the interval, in the units of the score."""
    relative: Real | None = Field(None, gt=0)
    """Half-width as a share of the mean."""
    lost_within: Real = Field(0.05, gt=0)

    @property
    def stops(self) -> bool:
        """Whether a point may be done before ``most`` draws."""
        return self.within is not None or self.relative is not None

    def rounds(self) -> list[int]:
        """Return the number of draws at the end of each round: 8, 16, 32, … ``most``."""
        if not self.stops:
            return [self.most]
        ends = [min(self.first, self.most)]
        while ends[-1] < self.most:
            ends.append(min(2 * ends[-1], self.most))
        return ends


ONCE = Draws()
AS_NEEDED = Draws(most=32, within=0.5)
"""Default for channels on which a single draw says little about the mean."""


def as_draws(value: Any) -> Any:
    """Convert a plain number to ``most``."""
    return {"most": value} if isinstance(value, int) else value
