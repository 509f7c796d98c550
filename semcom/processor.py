"""The processor, as far as it affects the last bits of results."""

from __future__ import annotations

import functools
import importlib
import platform
from pathlib import Path
from typing import Any


@functools.cache
def processor() -> dict[str, str]:
    """Report which instructions the libraries use on this processor.

    Wider vectors change the order in which floating-point numbers are added, and functions such as
    the logarithm have several implementations. The same versions of libraries then give the same
    pictures, but scores that differ in their last bits.

    Returns
    -------
    dict[str, str]
        ``name``: the processor's name. ``numpy``: the features beyond its baseline that NumPy uses,
        separated by spaces. ``torch``: the instruction set that torch uses. ``numba``: the
        processor that LLVM compiles for.
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
    """Return the features that :func:`numpy.show_runtime` prints; NumPy has no other interface."""
    for module in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        try:
            core = importlib.import_module(module)
            return [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
        except (ImportError, AttributeError, KeyError):
            continue
    return []


@functools.cache
def has_bfloat16(device: str = "cpu") -> bool:
    """Tell whether a device of PyTorch multiplies bfloat16 matrices faster than those of float32.

    Examples
    --------
    >>> has_bfloat16("meta")
    False
    """
    if device.startswith("cuda"):
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(text.split())
