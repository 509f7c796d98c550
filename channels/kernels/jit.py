"""Numba with our settings: kernels release the GIL and are compiled once per installation.

Compiled code is cached beside the sources; if these are read-only, in the user's cache; and if
that is read-only too, as in many containers, in a temporary folder. Numba reads the cache with
pickle, which can run arbitrary code, so folders that other users can write to are skipped. If
nothing is cached yet, a line tells the user why the start takes some seconds.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache, NullCache

from channels.owner import is_private

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_NOWHERE = (
    "compiled code cannot be cached{}, so every process compiles it again; set NUMBA_CACHE_DIR to "
    "a writable folder"
)


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a kernel at module level; closures would be compiled again in every process."""
    compiled: Any = numba.njit(nogil=True)(function)
    compiled._cache = _cache(function)
    return cast("Callable[Arguments, Result]", compiled)


def _cache(function: Callable[..., Any]) -> Any:
    """Return the cache for a function's code, in the first usable folder."""
    # Numba raises a RuntimeError if it can write neither to the sources' folder nor to HOME.
    with contextlib.suppress(RuntimeError, OSError):
        return _Cache(function)
    with contextlib.suppress(RuntimeError, OSError), _in_temporary_folder() as folder:
        cache = _Cache(function)
        _note(f"compiled code is cached in {folder}; set NUMBA_CACHE_DIR to use another folder")
        return cache
    _note(_NOWHERE.format(""))
    return NullCache()


class _Cache(FunctionCache):  # type: ignore[misc, unused-ignore]
    """Numba's cache, except that errors in reading or writing it only cost a compilation."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        sources = Path(function.__code__.co_filename).parent  # trusted like the sources themselves
        if sources != Path(self.cache_path).parent and not _is_private(self.cache_path):
            raise PermissionError(f"others can write {self.cache_path}")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # the file is damaged, and unpickling may raise anything
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _note(_NOWHERE.format(f" ({error.strerror})"))


_is_private = functools.cache(lambda folder: is_private(Path(folder)))


@contextlib.contextmanager
def _in_temporary_folder() -> Iterator[Path]:
    """Let Numba use a temporary folder of this user, which later processes find again."""
    folder = Path(tempfile.gettempdir()) / f"semcom-{getattr(os, 'geteuid', int)()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
    try:
        yield folder
    finally:
        settings.CACHE_DIR = before


@functools.cache
def _note(text: str) -> None:
    """Print a line once, and only in the main process."""
    if multiprocessing.parent_process() is None:
        print(text, file=sys.stderr, flush=True)


class _Notice(event.Listener):  # type: ignore[misc, unused-ignore]
    said = False

    def on_start(self, event: Any) -> None:
        dispatcher = event.data["dispatcher"]
        ours = dispatcher.py_func.__module__.startswith("channels.")
        # Code without a cache is small, and compiled in every process.
        if not self.said and ours and not isinstance(dispatcher._cache, NullCache):
            print(
                "compiling the link level (only once, takes some seconds) …",
                file=sys.stderr,
                flush=True,
            )
            self.said = True

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Notice())
