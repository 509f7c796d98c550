"""The processor, as far as it affects the last bits of results, its threads, and its memory."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import os
import platform
import sys
from collections.abc import Iterator
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


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of mallopt
_KEPT_BYTES, _LARGE_BYTES = 256 << 20, 32 << 20  # more is refused by older versions
_SET_BY_USERS = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"


def keep_freed_memory() -> None:
    """Let this process keep up to 256 MB that arrays have left, for the next arrays.

    By itself, the GNU C library hands the memory of large arrays back to the system, which then has
    to clear and map every page of the next ones. Small networks spend much of their time on that.
    The command line and its workers call this; a program that uses semcom may. It has no effect
    with other C libraries, or where a variable such as ``MALLOC_TRIM_THRESHOLD_`` has set it
    otherwise.
    """
    tuned = "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or tuned or any(name in os.environ for name in _SET_BY_USERS):
        return
    with contextlib.suppress(OSError, AttributeError):
        adjust = ctypes.CDLL(None).mallopt
        if adjust(_MMAP_THRESHOLD, _LARGE_BYTES):  # or the other call would make it worse
            adjust(_TRIM_THRESHOLD, _KEPT_BYTES)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread.

    A frame is so small that threads waiting for a busy core cost more time than they save. In
    addition, sums then have the same order for any number of cores.
    """
    import torch  # takes seconds

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
