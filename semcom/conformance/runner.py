"""Running checks, each in a separate process, so that no plugin can end them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from channels.conformance.base import Candidate as ChannelCandidate
from semcom.codecs.base import is_analog
from semcom.conformance.base import MEMORY, Candidate, Check, CheckFailed
from semcom.conformance.disturbances import Candidate as DisturbanceCandidate
from semcom.conformance.isolated_process import ProcessError, run
from semcom.conformance.scores import Candidate as ScoreCandidate
from semcom.errors import InputError

AnyCandidate = Candidate | ChannelCandidate | DisturbanceCandidate | ScoreCandidate


@dataclass(frozen=True)
class Report:
    """The result of one check."""

    seconds: float
    remark: str = ""
    failure: CheckFailed | None = None


def open_codec(candidate: Candidate) -> bool:
    """Build the codec once; return whether it is analog.

    Raises
    ------
    ValueError
        Its name or options are wrong, or it cannot be built.
    """
    opened = _open(_is_analog, candidate, f"codec {candidate.spec!r}", candidate.process_limit_s)
    return bool(opened)


def remarks_of(candidate: Candidate) -> tuple[str, ...]:
    """Return what the codec itself has to say, in its optional method ``remarks``."""
    who = f"codec {candidate.spec!r}"
    said: tuple[str, ...] = _open(_remarks, candidate, who, candidate.process_limit_s)
    return said


def open_channel(candidate: ChannelCandidate) -> None:
    """Build the channel once; raise ``ValueError`` as :func:`open_codec` does."""
    _open(_build, candidate, f"channel {candidate.spec!r}", candidate.check_limit_s)


def open_disturbance(candidate: DisturbanceCandidate) -> None:
    """Build the disturbance once; raise ``ValueError`` as :func:`open_codec` does."""
    who = f"disturbance {candidate.spec!r}"
    _open(_build_disturbance, candidate, who, candidate.check_limit_s)


def open_score(candidate: ScoreCandidate) -> None:
    """Build the score once; raise ``ValueError`` as :func:`open_codec` does."""
    _open(_build_score, candidate, f"score {candidate.spec!r}", candidate.check_limit_s)


def _open(function: Callable[..., Any], candidate: object, who: str, limit_s: float) -> Any:
    try:
        problem, result = run(_told, function, candidate, limit_s=limit_s)
    except (ProcessError, CheckFailed) as error:
        raise InputError(f"{who} cannot be built: {error}") from error
    if problem:
        raise InputError(problem)
    return result


def _told(function: Callable[..., Any], candidate: object) -> tuple[str, Any]:
    """Return a message about an error (empty if there is none), and the result."""
    try:
        return "", function(candidate)
    except ValueError as error:
        return str(error), None


def _is_analog(candidate: Candidate) -> bool:
    return is_analog(candidate.codec())


def _remarks(candidate: Candidate) -> tuple[str, ...]:
    remarks = getattr(candidate.codec(), "remarks", tuple)
    return tuple(str(remark) for remark in remarks())


def _build(candidate: ChannelCandidate) -> None:
    candidate.channel()


def _build_disturbance(candidate: DisturbanceCandidate) -> None:
    candidate.disturbance()


def _build_score(candidate: ScoreCandidate) -> None:
    candidate.score()


def run_check(check: Check, candidate: AnyCandidate) -> Report:
    """Run a check; a plugin that hangs or crashes fails it."""
    start = time.monotonic()
    remark, failure = "", None
    promise = MEMORY if isinstance(candidate, Candidate) else check.promise
    try:
        remark = run(check.function, candidate, limit_s=candidate.check_limit_s, promise=promise)
    except CheckFailed as error:
        failure = error
    except ProcessError as error:
        failure = CheckFailed(check.task, str(error), check.promise)
    return Report(time.monotonic() - start, remark, failure)


def stumbled(check: Check, failure: CheckFailed, broken: Collection[str]) -> bool:
    """Tell whether ``check`` failed only because of a promise known to be ``broken``."""
    return failure.promise != check.promise and failure.promise in broken
