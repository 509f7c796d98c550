"""Calling a function in another process, which may hang, crash or use too much memory.

The process has the same search path and environment, but not the cache of encodings, and nothing
has run in it yet, so that its result depends on its arguments alone. On Linux it is forked from a
process that has imported what checks need and does nothing else: an interpreter of its own would
import PyTorch anew, which takes seconds. (Pools such as loky's and Pebble's end a task by its time,
but not by its memory, and leave the processes that it has started.)
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import re
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from semcom import cache
from semcom.conformance.base import MEMORY, CheckFailed, told
from semcom.conformance.memory import resident_bytes
from semcom.errors import InputError

T = TypeVar("T")
_PRELOADED = ["semcom.conformance.analog.checks", "semcom.conformance.digital.checks"]
MAX_BYTES = 4 * 10**9
_POLL_S = 0.02
_starting = threading.Lock()


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
        process = _start(folder)
        try:
            _watch(process, limit_s, promise)
        finally:
            _end(process)
        result: T = _result(folder, process.exitcode or 0)
        return result


def _start(folder: Path) -> BaseProcess:
    """Start the process that does the task in a folder."""
    linux = sys.platform == "linux"
    context: Any = multiprocessing.get_context("forkserver" if linux else "spawn")
    if linux:
        context.set_forkserver_preload(_PRELOADED)
    environment = os.environ | {cache.ENVIRONMENT: "off"}
    process: BaseProcess = context.Process(target=_main, args=(folder, environment))
    with _starting, _without_main(), _search_path():
        try:
            process.start()
        except FileNotFoundError:
            raise InputError("the working folder is no longer there") from None
    return process


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module, which multiprocessing would run again in the other process."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _search_path() -> Iterator[None]:
    """Let new interpreters have our search path, and not the working folder in front of it."""
    ours = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end(process: BaseProcess) -> None:
    """End a process, and those that it has started."""
    if process.pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _watch(process: BaseProcess, limit_s: float, promise: str) -> None:
    end = time.monotonic() + limit_s
    while process.is_alive():
        process.join(_POLL_S)
        if time.monotonic() > end:
            raise ProcessError(f"no result within {limit_s:g} s")
        if resident_bytes(process.pid or 0) > MAX_BYTES:
            asked = f"take less than {MAX_BYTES / 1e9:g} GB of memory"
            raise CheckFailed(asked, "more, and was stopped", promise)


def _result(folder: Path, code: int) -> Any:
    if not (folder / "reply").exists():
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        log = ""
        with contextlib.suppress(OSError):
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


def _main(folder: Path, environment: dict[str, str]) -> None:
    """Do the task of :func:`run` in the other process."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    with (folder / "log").open("wb") as log:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
    faulthandler.enable()
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
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
