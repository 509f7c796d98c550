"""Treatment of large pictures, as cameras make them.

Pictures of more than :data:`LARGE` pixels are scored in strips by several threads, which limits the
memory and keeps the cores busy; they are segmented at a smaller size and encoded by several
threads. Since they take long, each stage of the work is logged. Pictures of the usual test sets are
smaller and treated as a whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
LARGE = 2_000_000
"""Largest number of pixels of a picture that is treated as a whole."""
STAGES = logging.getLogger("semcom.stages")
"""Logger that receives the stages of work on a large picture, at level INFO."""
_STRIP = 1 << 18  # approximate number of pixels of a strip


def is_large(height: int, width: int) -> bool:
    """Whether a picture of this size has more than :data:`LARGE` pixels.

    Examples
    --------
    >>> is_large(512, 768), is_large(3000, 4000)
    (False, True)
    """
    return height * width > LARGE


def say_stage(doing: str, height: int, width: int) -> None:
    """Log the stage of work that begins, if the picture is large, to :data:`STAGES`."""
    if is_large(height, width):
        STAGES.info(doing)


def strips(height: int, width: int) -> Iterator[slice]:
    """Divide the rows of a picture into strips of some 2^18 pixels.

    Examples
    --------
    >>> list(strips(150, 4096))
    [slice(0, 64, None), slice(64, 128, None), slice(128, 150, None)]
    """
    rows = max(1, _STRIP // width)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def num_threads() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(function: Callable[[int], Part], parts: range) -> list[Part]:
    """Apply ``function`` to every part in threads; the results are in the order of the parts.

    Examples
    --------
    >>> in_threads(lambda i: i * i, range(4))
    [0, 1, 4, 9]
    """
    with ThreadPoolExecutor(num_threads()) as pool:
        return list(pool.map(function, parts))


def each_strip(do: Callable[[slice], None], height: int, width: int) -> None:
    """Call ``do`` with the rows of every strip, in threads if the picture is large."""
    rows = list(strips(height, width))
    if is_large(height, width):
        in_threads(lambda i: do(rows[i]), range(len(rows)))
        return
    for some in rows:
        do(some)
