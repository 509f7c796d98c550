"""Preparation of the standard streams, so that they are open and can take any name."""

from __future__ import annotations

import io
import os
import sys


def prepare() -> None:
    """Connect closed streams to the null device and escape characters that cannot be written.

    If a stream was closed, as by ``>&-``, the next file to be opened would otherwise become the
    standard output of this process and of its workers.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(opened, True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    # A pipe may lack θ, and file names may lack an encoding.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
