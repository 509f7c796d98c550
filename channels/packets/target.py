"""The reliability that a link must reach."""

from __future__ import annotations

from dataclasses import dataclass

from channels.errors import InputError


@dataclass(frozen=True)
class Target:
    """The reliability that a link must reach.

    Examples
    --------
    >>> Target(bler=0)
    Traceback (most recent call last):
    channels.errors.InputError: target bler must be in (0, 1), got 0
    """

    bler: float = 1e-3
    """Accepted error rate of the whole transmission while the fading permits communication."""
    outage: float = 0.1
    """Outage: accepted probability that the fading is too deep for communication."""

    def __post_init__(self) -> None:
        for name, value in (("bler", self.bler), ("outage", self.outage)):
            if not 0 < value < 1:
                raise InputError(f"target {name} must be in (0, 1), got {value}")
