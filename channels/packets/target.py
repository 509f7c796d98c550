"""What a link must reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What a link must reach."""

    bler: float = 1e-3
    """Accepted error rate of the whole transmission, given that the fading allows it."""
    outage: float = 0.1
    """Accepted probability that the fading does not allow it."""

    def __post_init__(self) -> None:
        for name, value in (("bler", self.bler), ("outage", self.outage)):
            if not 0 < value < 1:
                raise ValueError(f"target {name} must be in (0, 1), got {value}")
