"""Calling a function in another process, which may hang, crash or use too much memory.

The process is a new interpreter with the same search path and without the cache of encodings, so
that its result depends on its arguments alone.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from semcom import cache
from semcom.conformance.base import MEMORY, CheckFailed, told
from semcom.conformance.memory import resident_bytes

T = TypeVar("T")
_CODE = "from semcom.conformance.isolated_process import _main; _main()"
MAX_BYTES = 4 * 10**9
_POLL_S = 0.02


class ProcessError(RuntimeError):
    """The process returned no result; the message says what happened instead."""


def run(function: Callable[..., T], *arguments: object, limit_s: float, promise: str = MEMORY) -> T:
    """Call ``function`` in a separate process.

    Parameters
    ----------
    function
        A function at the top level of a module; it, its arguments and its result are pickled.
    limit_s
        Time after which the process is stopped. It is also stopped when it uses more than
        ``MAX_BYTES`` of memory, if the system reports this.
    promise
        The promise that excessive memory breaks.

    Raises
    ------
    CheckFailed
        Raised by the function, or because it used too much memory.
    ProcessError
        The function raised another exception, or there is no result.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "task").write_bytes(pickle.dumps((function, arguments)))
        environment = {"PYTHONPATH": os.pathsep.join(sys.path), cache.ENVIRONMENT: "off"}
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(  # noqa: S603 - runs our own code
                [sys.executable, "-P", "-X", "faulthandler", "-c", _CODE, name],
                stdin=subprocess.PIPE,  # closes when we end, which ends the process
                stdout=log,
                stderr=log,
                env=os.environ | environment,
            ) as process,
        ):
            try:
                _watch(process, limit_s, promise)
            finally:
                process.kill()
        result: T = _result(folder, process.returncode)
        return result


def _watch(process: subprocess.Popen[bytes], limit_s: float, promise: str) -> None:
    end = time.monotonic() + limit_s
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                raise ProcessError(f"no result within {limit_s:g} s") from None
            if resident_bytes(process.pid) > MAX_BYTES:
                asked = f"take less than {MAX_BYTES / 1e9:g} GB of memory"
                raise CheckFailed(asked, "more, and was stopped", promise) from None
        else:
            return


def _result(folder: Path, code: int) -> Any:
    if not (folder / "reply").exists():
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        log = (folder / "log").read_text(errors="replace")
        raise ProcessError(f"the process was ended {how}{_place(log)}")
    kind, value = pickle.loads((folder / "reply").read_bytes())  # noqa: S301 - our own data
    if kind == "failed":
        raise value
    if kind == "raised":
        raise ProcessError(value)
    return value


def _place(log: str) -> str:
    """Return the place of a crash from faulthandler's report."""
    found = re.search(r'^Current thread.*\n  File "(.+)", line (\d+) in (\S+)', log, re.MULTILINE)
    return f" in {found[3]} ({Path(found[1]).name}, line {found[2]})" if found else ""


def _main() -> None:
    """Do the task of :func:`run` in the other process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder = Path(sys.argv[1])
    try:
        function, arguments = pickle.loads((folder / "task").read_bytes())  # noqa: S301
        reply: tuple[str, object] = ("value", function(*arguments))
    except CheckFailed as failure:
        reply = ("failed", failure)
    except BaseException as error:
        reply = ("raised", told(error))
    (folder / "unfinished").write_bytes(pickle.dumps(reply))
    (folder / "unfinished").rename(folder / "reply")
    os._exit(0)  # does not wait for threads that hang


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
