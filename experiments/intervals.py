"""Raw counts of errors, and the error rates that they allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


CONFIDENCE = 0.95


_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """The mean over draws of one score."""

    score: str
    images: int
    draws: int
    """Of each image; the fewest."""
    mean: float | None
    low: float | None
    high: float | None
    """None where the draws do not tell: a single one, or no finite value."""


def mean_interval(
    score: str,
    sums: Sequence[tuple[float, float, float]],
    draws: int,
    *,
    weights: Sequence[float] | None = None,
) -> Interval:
    """Return the interval of a mean over images.

    Parameters
    ----------
    score
        Its name.
    sums
        Of each image: draws with a value, their sum and their sum of squares.
    draws
        Of each image.
    weights
        How often each image counts; once unless given.
    """
    each = zip(weights or [1.0] * len(sums), sums, strict=True)
    known = [(weight, n, total, squares) for weight, (n, total, squares) in each if n]
    if not known:
        return Interval(score, 0, draws, None, None, None)
    whole = math.fsum(weight for weight, *_ in known)
    mean = math.fsum(weight * (total / n) for weight, n, total, _ in known) / whole
    if any(n < 2 for _, n, *_ in known):
        return Interval(score, len(known), draws, mean, None, None)
    variances = [
        weight**2 * (_spread(n, total / n, squares) / (n - 1) / n)
        for weight, n, total, squares in known
    ]
    total_variance = math.fsum(variances)
    half = 0.0
    if total_variance:
        shares = (
            (v / total_variance) ** 2 / (n - 1)
            for v, (_, n, *_) in zip(variances, known, strict=True)
        )
        from scipy.stats import t as student  # takes most of a second to import

        factor = float(student.ppf((1 + CONFIDENCE) / 2, 1 / math.fsum(shares)))
        half = factor * math.sqrt(total_variance) / whole
    return Interval(score, len(known), draws, mean, mean - half, mean + half)


def _spread(n: float, mean: float, squares: float) -> float:
    """Sum of squared deviations; nothing where rounding alone may have left it."""
    spread = squares - n * mean * mean
    return spread if spread > _ROUNDING * squares else 0.0


def lost_interval(lost: int, draws: int, images: int) -> Interval:
    """Return the interval of the share of pictures of which nothing arrived (Clopper, Pearson)."""
    trials = draws * images
    count = Count(trials, lost, trials, lost)
    low, high = count.interval(CONFIDENCE)
    return Interval("lost", images, draws, count.rate, low, high)
