"""The memory that a process uses."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import NamedTuple

import psutil


def resident_bytes(pid: int) -> int:
    """Return the memory of another process in bytes; 0 if the system does not report it."""
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


class Peaks(NamedTuple):
    """Peak memory so far in bytes; 0 if the system does not report it."""

    own: int
    """Peak of this process."""
    children: int
    """Peak of the largest process that it has run."""


def start_measuring() -> Peaks:
    """Make :func:`grown_bytes` count from now on, if the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peaks()


def grown_bytes(start: Peaks) -> int:
    """Return the growth of the peak memory of this process, or of one that it has run.

    For other processes, only the amount by which they exceed all earlier ones is known.
    """
    now = _peaks()
    return max(now.own - start.own, now.children - max(start.own, start.children))


def _peaks() -> Peaks:
    try:
        import resource
    except ImportError:  # Windows
        return Peaks(0, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # On Linux, ru_maxrss also includes the parent's memory at the time of the fork.
    return Peaks(_peak_on_linux() or own, children)


def _peak_on_linux() -> int:
    """Read the peak since :func:`start_measuring`, which psutil does not know; 0 elsewhere."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(next(found, ("", "0"))[1])
