"""The processor, as far as the last bits of results depend on it."""

from __future__ import annotations

import functools
import importlib
import platform
from pathlib import Path
from typing import Any


@functools.cache
def processor() -> dict[str, str]:
    """Say which instructions the libraries choose on this processor.

    Sums of floating-point numbers are taken in another order where vectors are wider, and
    functions such as the logarithm are other programs: the same versions then give the same
    pictures, and scores that differ in their last bits.

    Returns
    -------
    dict[str, str]
        ``name``: of the processor. ``numpy``: the features beyond its baseline that NumPy uses,
        with spaces between. ``torch``: the set that torch uses. ``numba``: what LLVM compiles for.
    """
    import llvmlite.binding
    import numba
    import torch

    settings: Any = numba.config
    return {
        "name": _name(),
        "numpy": " ".join(_numpy_features()),
        "torch": torch.backends.cpu.get_cpu_capability(),
        "numba": settings.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
    }


def _name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _numpy_features() -> list[str]:
    """Return what :func:`numpy.show_runtime` shows; it has no other way to ask."""
    for module in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        try:
            core = importlib.import_module(module)
            return [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
        except (ImportError, AttributeError, KeyError):
            continue
    return []
