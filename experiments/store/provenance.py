"""Provenance of rows: the commit of semcom and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from semcom.processor import processor


def commit() -> str | None:
    """Return semcom's git commit, with a + if files were changed; None outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():  # installed, perhaps within somebody else's checkout
        return None
    git = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+"]
    git += ["--exclude=*"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def machine() -> dict[str, Any]:
    """Describe this machine."""
    return {
        "node": platform.node(),
        "system": platform.platform(),
        "processor": processor()["name"],
        "cpu": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
