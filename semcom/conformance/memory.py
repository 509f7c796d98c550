"""How much memory a process takes."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Memory that another process holds; 0 where the system does not say."""
    return _status(str(pid), "VmRSS")


def start_measuring() -> int:
    """Let :func:`peak_bytes` count from now on, where the system can (Linux), and return it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """Most memory that this process held, or one that it ran; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # Linux also counts into ru_maxrss what the parent held when it forked.
    return max(_status("self", "VmHWM") or own, children)


def _status(process: str, field: str) -> int:
    """Read bytes from Linux's account of a process; 0 if there is none."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = (line.split() for line in status.splitlines() if line.startswith(f"{field}:"))
    return 1024 * int(next(found, ("", "0"))[1])
