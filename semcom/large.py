"""Large pictures, as cameras make them: in strips, which bounds memory and gives cores work.

Pictures of more than :data:`LARGE` pixels are scored by rows, segmented at a smaller size, and
encoded by several threads; and what takes so long is said, a stage at a time, to whoever listens.
Those of the usual test sets are smaller, and treated as a whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
LARGE = 2_000_000
"""Pixels up to which a picture is treated as a whole."""
STAGES = logging.getLogger("semcom.stages")
"""Gets what is being done with a large picture, at level INFO."""
_STRIP = 1 << 18  # pixels of a strip, about


def is_large(height: int, width: int) -> bool:
    """Whether a picture of this size has more than :data:`LARGE` pixels."""
    return height * width > LARGE


def say_stage(doing: str, height: int, width: int) -> None:
    """Tell :data:`STAGES` what begins, of a large picture."""
    if is_large(height, width):
        STAGES.info(doing)


def strips(height: int, width: int) -> Iterator[slice]:
    """Cut the rows of a picture into strips of some 2^18 pixels."""
    rows = max(1, _STRIP // width)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def num_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(function: Callable[[int], Part], parts: range) -> list[Part]:
    """Return ``function`` of every part, in their order, whatever the number of threads."""
    with ThreadPoolExecutor(num_threads()) as pool:
        return list(pool.map(function, parts))


def each_strip(do: Callable[[slice], None], height: int, width: int) -> None:
    """Call ``do`` with the rows of every strip; of a large picture, in threads."""
    rows = list(strips(height, width))
    if is_large(height, width):
        in_threads(lambda i: do(rows[i]), range(len(rows)))
        return
    for some in rows:
        do(some)
