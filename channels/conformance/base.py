"""Checks, the message of a failed check, and the channel under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.catalogue import CHANNELS
from channels.errors import InputError

if TYPE_CHECKING:
    from channels.base import Channel

COHERENCES = ("none", "block", "fast", "varying")


class CheckFailed(AssertionError):  # noqa: N818 - this is a verdict and not an error
    """A broken promise, with the request, the answer and the promise.

    Examples
    --------
    >>> print(CheckFailed("send 3 symbols", "2 gains", "h has the shape of y"))
    asked to send 3 symbols; got 2 gains; promised: h has the shape of y
    """

    def __init__(self, asked: str, got: str, promise: str) -> None:
        super().__init__(asked, got, promise)
        self.asked = asked
        self.got = got
        self.promise = promise

    def __str__(self) -> str:
        return f"asked to {self.asked}; got {self.got}; promised: {self.promise}"


@dataclass(frozen=True)
class Check:
    """One requirement that a plugin is tested for.

    Examples
    --------
    >>> def keeps_shapes(candidate: Candidate) -> str:
    ...     "Send one symbol."
    ...     return ""
    >>> Check("shapes", "h has the shape of y", keeps_shapes).task
    'send one symbol'
    """

    name: str
    promise: str
    """The promise, word for word as on the page about writing such a plugin."""
    function: Callable[[Any], str]
    """Function of a candidate that raises :class:`CheckFailed` or returns a remark, often empty."""

    @property
    def task(self) -> str:
        """The request to the plugin: the first line of the function's docstring."""
        line = (self.function.__doc__ or self.name).splitlines()[0]
        return line[:1].lower() + line[1:].rstrip(".")


def told(error: BaseException) -> str:
    """Describe an exception in one line."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".removesuffix(": ")


@dataclass(frozen=True)
class TimedCandidate:
    """A plugin under test, by its name and options as users write them."""

    spec: str
    check_limit_s: float = 60.0
    """Maximum duration of a check."""

    def __post_init__(self) -> None:
        if not 0 < self.check_limit_s < 1e6:
            raise InputError(
                f"the limit must be above 0 s and below 1e6 s, got {self.check_limit_s}"
            )


class Candidate(TimedCandidate):
    """The channel under test.

    Examples
    --------
    >>> Candidate("awgn").channel().coherence
    'none'
    """

    def channel(self) -> Channel:
        """Build the channel; raise ``ValueError`` if its name or options are wrong."""
        built = self.build(self.spec)
        if not callable(built):
            raise InputError(f"channel {self.spec!r} cannot be called")
        coherence = getattr(built, "coherence", None)
        if coherence not in COHERENCES:
            raise InputError(
                f"channel {self.spec!r}: coherence must be one of {', '.join(COHERENCES)}, "
                f"got {coherence!r}"
            )
        channel: Channel = built
        return channel

    def build(self, spec: str) -> Any:
        """Build the installed channel of this name and options."""
        return CHANNELS.create(spec)
