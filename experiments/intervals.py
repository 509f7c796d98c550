"""Raw counts of errors, and confidence intervals of the rates and means that follow from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Count:
    """Raw counts of trials and errors; counts of several runs can be added.

    Trials come in groups of equal size. Groups are independent of each other, but the trials within
    a group, such as the bits of one fade or of one symbol, need not be. If all trials are
    independent, every group holds one trial.

    Examples
    --------
    >>> count = Count(100, 2, 100, 2, 2) + Count(100, 4, 100, 4, 4)
    >>> count.rate
    0.03
    >>> tuple(round(end, 4) for end in count.interval())
    (0.0111, 0.0642)
    """

    trials: int = 0
    """Number of bits or blocks sent."""
    errors: int = 0
    """Number of bits or blocks that arrived wrong."""
    groups: int = 0
    """Number of independent transmissions."""
    wrong_groups: int = 0
    """Number of transmissions with at least one error."""
    squares: int = 0
    """Sum over the groups of (errors in the group)²."""

    def __add__(self, other: Count) -> Count:
        """Return the sum of both counts."""
        mine, theirs = asdict(self), asdict(other)
        return Count(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def rate(self) -> float:
        """Errors per trial; NaN without trials."""
        return self.errors / self.trials if self.trials else math.nan

    @property
    def design_effect(self) -> float:
        """Variance of ``errors`` relative to the variance for independent trials.

        It is estimated from the spread over the groups and over one additional group in which half
        of the trials are wrong, which stands for a deep fade that has not occurred yet. The
        estimate is limited to its possible range, from 1 (errors that repel each other count as
        independent) to the size of a group (all errors occur together).
        """
        p, size = self.rate, self.trials / max(self.groups, 1)
        if self.groups < 2 or not 0 < p < 1:
            return max(size, 1.0)
        squares = self.squares + (size / 2) ** 2
        spread = (squares - self.errors**2 / self.groups) / (self.groups - 1)
        return min(max(spread / (size * p * (1 - p)), 1.0), size)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the confidence interval of the error rate.

        For independent trials it is the interval of Clopper and Pearson. Trials in groups are first
        divided by the design effect (E. L. Korn, B. I. Graubard, "Confidence intervals for
        proportions with small expected number of positive counts estimated from survey data",
        Survey Methodology 24, 1998). If there is no error, the groups count as the trials: the
        upper end then bounds the probability that a group has errors, which is at least the error
        rate.

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
    """The mean of one score over draws of the channel, with its 95 % interval."""

    score: str
    images: int
    draws: int
    """Draws of each image; the smallest number if they differ."""
    mean: float | None
    low: float | None
    high: float | None
    """None if the draws do not suffice: there is only one, or no finite value."""


def mean_interval(
    score: str,
    sums: Sequence[tuple[float, float, float]],
    draws: int,
    *,
    weights: Sequence[float] | None = None,
    pictures: Sequence[str] | None = None,
) -> Interval:
    """Return the 95 % interval of a mean over images.

    Images of one picture, which differ in their masks, see the same draws of the channel. Their
    standard errors are added up, as if the errors were the same, so that the interval is wide
    enough however they depend on each other.

    Parameters
    ----------
    score
        Name of the score.
    sums
        For each image: the number of draws with a value, their sum and their sum of squares.
    draws
        Number of draws of each image.
    weights
        How often each image counts; once by default.
    pictures
        Id of each image's picture; all differ by default.

    Examples
    --------
    >>> found = mean_interval("psnr_db", [(2, 61.0, 1861.0), (2, 70.0, 2450.5)], draws=2)
    >>> found.mean, round(found.high - found.low, 2)
    (32.75, 3.04)
    """
    names = pictures or [str(i) for i in range(len(sums))]
    each = zip(names, weights or [1.0] * len(sums), sums, strict=True)
    known = [(name, weight, n, total, squares) for name, weight, (n, total, squares) in each if n]
    if not known:
        return Interval(score, 0, draws, None, None, None)
    whole = math.fsum(weight for _, weight, *_ in known)
    mean = math.fsum(weight * (total / n) for _, weight, n, total, _ in known) / whole
    if any(n < 2 for _, _, n, *_ in known):
        return Interval(score, len(known), draws, mean, None, None)
    errors: dict[str, list[float]] = {}
    fewest: dict[str, float] = {}
    for name, weight, n, total, squares in known:
        variance = _spread(n, total / n, squares) / (n - 1) / n
        errors.setdefault(name, []).append(weight * math.sqrt(variance))
        fewest[name] = min(n, fewest.get(name, n))
    variances = {name: math.fsum(some) ** 2 for name, some in errors.items()}
    total_variance = math.fsum(variances.values())
    half = 0.0
    if total_variance:
        shares = ((v / total_variance) ** 2 / (fewest[name] - 1) for name, v in variances.items())
        from scipy.stats import t as student  # takes most of a second to import

        factor = float(student.ppf((1 + CONFIDENCE) / 2, 1 / math.fsum(shares)))
        half = factor * math.sqrt(total_variance) / whole
    return Interval(score, len(known), draws, mean, mean - half, mean + half)


def _spread(n: float, mean: float, squares: float) -> float:
    """Return the sum of squared deviations; 0 if it may be a mere rounding error."""
    spread = squares - n * mean * mean
    return spread if spread > _ROUNDING * squares else 0.0


def independent_draws(draws: Iterable[tuple[str, int]]) -> int:
    """Count independent draws, given the id of the picture and the draws of each image.

    Images of one picture, which differ in their masks, see the same draws.

    Examples
    --------
    >>> independent_draws([("cat", 8), ("cat", 8), ("dog", 4)])
    12
    """
    most: dict[str, int] = {}
    for picture, count in draws:
        most[picture] = max(count, most.get(picture, 0))
    return sum(most.values())


def share_interval(share: float, draws: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of independent draws (Clopper, Pearson).

    Examples
    --------
    >>> tuple(round(end, 3) for end in share_interval(0.1, 50))
    (0.033, 0.218)
    """
    errors = round(share * draws)
    return Count(draws, errors, draws, errors, errors).interval(CONFIDENCE)
