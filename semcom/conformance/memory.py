"""How much memory a process takes."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import NamedTuple

import psutil


def resident_bytes(pid: int) -> int:
    """Memory that another process holds; 0 where the system does not say, or it has ended."""
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


class Peaks(NamedTuple):
    """Most memory that was held so far, in bytes; 0 where the system does not say."""

    own: int
    """By this process."""
    children: int
    """By the largest process that it ran."""


def start_measuring() -> Peaks:
    """Let :func:`grown_bytes` count from now on, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peaks()


def grown_bytes(start: Peaks) -> int:
    """By how much the most memory held has grown, of this process or of one that it ran.

    Of a process that it ran, no more is known than by how much it exceeds all earlier ones.
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
    # Linux also counts into ru_maxrss what the parent held when it forked.
    return Peaks(_peak_on_linux() or own, children)


def _peak_on_linux() -> int:
    """Read what :func:`start_measuring` has reset, which psutil does not know; 0 elsewhere."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(next(found, ("", "0"))[1])
