"""Raw counts of errors, and the error rates that they allow."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Count:
    """Raw counts, which add up.

    Trials come in groups of equal size; groups are independent, the trials in one need not be: the
    bits of one fade, or of one symbol. Where every trial stands alone, a group is a trial.
    """

    trials: int = 0
    """Bits or blocks sent."""
    errors: int = 0
    """Those of them that arrived wrong."""
    groups: int = 0
    """Independent transmissions."""
    wrong_groups: int = 0
    """Those with at least one error."""
    squares: int = 0
    """Sum over the groups of (errors in the group)²."""

    def __add__(self, other: Count) -> Count:
        """Return the counts of both."""
        mine, theirs = asdict(self), asdict(other)
        return Count(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def rate(self) -> float:
        """Errors per trial; NaN before the first."""
        return self.errors / self.trials if self.trials else math.nan

    @property
    def design_effect(self) -> float:
        """How many times larger the variance of ``errors`` is than that of independent trials.

        Estimated from the spread over the groups and one group more, half wrong: the deep fade that
        may not have come yet. Held to what is possible, from 1 (errors that repel each other count
        as independent) to the size of a group (errors that all come together).
        """
        p, size = self.rate, self.trials / max(self.groups, 1)
        if self.groups < 2 or not 0 < p < 1:
            return max(size, 1.0)
        squares = self.squares + (size / 2) ** 2
        spread = (squares - self.errors**2 / self.groups) / (self.groups - 1)
        return min(max(spread / (size * p * (1 - p)), 1.0), size)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the error rate.

        Clopper and Pearson's for independent trials; trials in groups are first divided by the
        design effect (E. L. Korn, B. I. Graubard, "Confidence intervals for proportions with small
        expected number of positive counts estimated from survey data", Survey Methodology 24,
        1998). Without any error, the groups stand for the trials: then the upper end bounds the
        probability of a group with errors, which is no less than the error rate.

        Examples
        --------
        >>> low, high = Count(100, 0, 100, 0, 0).interval()
        >>> low, round(high, 4)
        (0.0, 0.0362)
        """
        if not self.trials:
            return 0.0, 1.0
        tail = (1 - confidence) / 2
        n, k = self.trials / self.design_effect, self.errors / self.design_effect
        from scipy.stats import beta  # takes most of a second to import

        low = float(beta.ppf(tail, k, n - k + 1)) if self.errors else 0.0
        high = float(beta.ppf(1 - tail, k + 1, n - k)) if self.errors < self.trials else 1.0
        return low, high
