"""Which checks a broken plugin fails."""

from __future__ import annotations

import pickle

from channels.conformance.base import CheckFailed
from semcom.conformance.runner import stumbled


def failures(checks, make):
    """Make all checks in this process; return what fails, but for what an earlier failure explains.

    ``make`` gives a new candidate for each.
    """
    found: dict[str, CheckFailed] = {}
    for check in checks:
        try:
            check.function(make())
        except CheckFailed as failure:
            known = {other.promise for other in found.values()}
            if not stumbled(check, failure, known):
                found[check.name] = failure
    return found


def here(function, *arguments, limit_s):
    """Call it as :func:`semcom.conformance.isolated_process.run` does, but in this process."""
    del limit_s
    return function(*pickle.loads(pickle.dumps(arguments)))
