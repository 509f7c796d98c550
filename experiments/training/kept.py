"""What a training makes before it begins: arrays in files, filled item by item, and never twice."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from experiments.saving import named, save
from semcom.errors import InputError

_SAVED_EVERY = 50
_RECORD = "done.json"

Array = np.memmap[Any, Any]


def check_room(
    folder: Path, count: int, each: int, what: str = "pairs", remedy: str = "give a smaller --pairs"
) -> None:
    """Refuse more items of ``each`` bytes than the disk takes; those in the folder need no more.

    ``what`` they are and the ``remedy`` are for the message.
    """
    size = count * each
    there = sum(file.stat().st_size for file in folder.glob("*.npy"))
    free = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free
    if size - there > free:
        raise InputError(
            f"{count:,} {what} take {size / 1e9:,.1f} GB in {folder}, and {free / 1e9:,.1f} GB are "
            f"free there; {remedy}"
        )


def open_kept(file: Path, dtype: type, shape: tuple[int, ...]) -> Array:
    """Open an array in a file, memory-mapped.

    It is made if the file is missing, or damaged, or holds an array of another kind.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = "r+"
    if not _holds(file, dtype, shape):
        (file.parent / _RECORD).unlink(missing_ok=True)
        mode = "w+"
    with named(file):
        found: Array = open_memmap(  # type: ignore[no-untyped-call]
            file, mode=mode, dtype=dtype, shape=shape
        )
        # A disk that fills later would end the process without a word.
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    return found


def _holds(file: Path, dtype: type, shape: tuple[int, ...]) -> bool:
    """Tell whether a file holds a whole array of this kind."""
    try:
        found = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):  # missing, or cut off
        return False
    return isinstance(found, np.memmap) and found.shape == shape and found.dtype == dtype


def fill_kept(
    arrays: Sequence[Array],
    make: Callable[[int], Sequence[Any]],
    tell: Callable[[int, int], None],
    every: int = _SAVED_EVERY,
) -> None:
    """Make the items that are missing from arrays of one folder.

    ``make`` gets the number of an item, and returns its entry in each of the arrays. After
    ``every`` items, it is written down how many there are.
    """
    record, count = Path(str(arrays[0].filename)).with_name(_RECORD), len(arrays[0])
    done = _read_record(record)
    for i in range(done, count):
        for array, entry in zip(arrays, make(i), strict=True):
            array[i] = entry
        tell(i + 1, count)
        if (i + 1) % every == 0 or i + 1 == count:
            for array in arrays:
                array.flush()
            save(record, json.dumps(i + 1))


def _read_record(record: Path) -> int:
    """Return how many items are whole; none where the record is missing or damaged."""
    try:
        return int(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0
