"""Broken plugins and the checks that they fail; commands that refuse."""

from __future__ import annotations

import importlib
import pickle
import sys
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def importable(monkeypatch, module, *folders):
    """Import a module from folders that other processes search, too; forget it afterwards."""
    known = set(sys.modules)
    for folder in folders:
        monkeypatch.syspath_prepend(folder)
    yield importlib.import_module(module)
    files = [Path(folder).resolve() for folder in folders]
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).resolve().parent in files:
            del sys.modules[name]


def refusal(result):
    """Return the one line of a command that failed before it wrote any file."""
    assert result.exit_code != 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.stderr.rstrip().endswith(line)
    assert list(Path().iterdir()) == []
    return line
