"""What a check is, what it says when it fails, and the channel to be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.base import Channel
from channels.catalogue import CHANNELS

COHERENCES = ("none", "block", "fast", "varying")


class CheckFailed(AssertionError):  # noqa: N818 - a verdict, no mishap
    """A promise is broken: what was asked, what came back, and the promise."""

    def __init__(self, asked: str, got: str, promise: str) -> None:
        super().__init__(asked, got, promise)
        self.asked = asked
        self.got = got
        self.promise = promise

    def __str__(self) -> str:
        return f"asked to {self.asked}; got {self.got}; promised: {self.promise}"


@dataclass(frozen=True)
class Check:
    """One thing that is asked of a plugin."""

    name: str
    promise: str
    """In the words of the page on how to write such a plugin."""
    function: Callable[[Any], str]
    """Of a candidate. Raises :class:`CheckFailed`; returns a remark, mostly empty."""

    @property
    def task(self) -> str:
        """What is asked of the plugin: the first line of the function's docstring."""
        line = (self.function.__doc__ or self.name).splitlines()[0]
        return line[:1].lower() + line[1:].rstrip(".")


def told(error: BaseException) -> str:
    """Say in one line what was raised."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".removesuffix(": ")


@dataclass(frozen=True)
class Candidate:
    """The channel to be checked, by its name and options as users write them."""

    spec: str
    check_limit_s: float = 60.0
    """What a check may take."""

    def __post_init__(self) -> None:
        if not 0 < self.check_limit_s < 1e6:
            raise ValueError(
                f"the limit must be above 0 s and below 1e6 s, got {self.check_limit_s}"
            )

    def channel(self) -> Channel:
        """Build it; what is wrong with name or options raises ``ValueError``."""
        built = self.build(self.spec)
        if not callable(built):
            raise ValueError(f"channel {self.spec!r} cannot be called")
        coherence = getattr(built, "coherence", None)
        if coherence not in COHERENCES:
            raise ValueError(
                f"channel {self.spec!r}: coherence must be one of {', '.join(COHERENCES)}, "
                f"got {coherence!r}"
            )
        channel: Channel = built
        return channel

    def build(self, spec: str) -> Any:
        """Build what is installed by this name, with these options."""
        return CHANNELS.create(spec)
