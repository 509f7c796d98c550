"""Running checks, each in a process of its own, so that nothing a codec does ends them."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from semcom.codecs.base import is_analog
from semcom.conformance.base import Candidate, Check, CheckFailed
from semcom.conformance.elsewhere import ProcessError, run


@dataclass(frozen=True)
class Report:
    """What came of one check."""

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
    try:
        problem, analog = run(_open, candidate, limit_s=candidate.process_limit_s)
    except ProcessError as error:
        raise ValueError(f"codec {candidate.spec!r} cannot be built: {error}") from error
    if problem:
        raise ValueError(problem)
    return analog


def _open(candidate: Candidate) -> tuple[str, bool]:
    """Return what is wrong, and whether the codec is analog."""
    try:
        return "", is_analog(candidate.codec())
    except ValueError as error:
        return str(error), False


def run_check(check: Check, candidate: Candidate) -> Report:
    """Run a check; a codec that hangs or crashes fails it."""
    start = time.monotonic()
    remark, failure = "", None
    try:
        remark = run(check.function, candidate, limit_s=candidate.check_limit_s)
    except CheckFailed as error:
        failure = error
    except ProcessError as error:
        failure = CheckFailed(check.task, str(error), check.promise)
    return Report(time.monotonic() - start, remark, failure)


def stumbled(check: Check, failure: CheckFailed, broken: Collection[str]) -> bool:
    """Tell whether ``check`` failed only over a promise that is known to be ``broken``."""
    return failure.promise != check.promise and failure.promise in broken
