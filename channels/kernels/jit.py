"""Numba as our kernels use it: without the GIL, and compiled once per installation.

Compiled code is kept beside the sources, or in the user's cache where these cannot be written, or
in a temporary folder where that cannot be written either, as in many containers. Numba reads it as
pickles, which may run anything: a folder into which others could put some is passed over. While
there is no code yet, a line says what takes so long.
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
    "compiled code cannot be kept{}: it is made anew each time; NUMBA_CACHE_DIR names a folder"
)


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a kernel. Keep it at module level: closures are compiled anew in every process."""
    compiled: Any = numba.njit(nogil=True)(function)
    compiled._cache = _cache(function)
    return cast("Callable[Arguments, Result]", compiled)


def _cache(function: Callable[..., Any]) -> Any:
    """Return what keeps a function's code, in the first folder that can be used."""
    # Numba raises a RuntimeError where it can write neither the sources' folder nor HOME.
    with contextlib.suppress(RuntimeError, OSError):
        return _Cache(function)
    with contextlib.suppress(RuntimeError, OSError), _in_temporary_folder() as folder:
        cache = _Cache(function)
        _note(f"compiled code is kept in {folder}; NUMBA_CACHE_DIR names another folder")
        return cache
    _note(_NOWHERE.format(""))
    return NullCache()


class _Cache(FunctionCache):  # type: ignore[misc, unused-ignore]
    """Numba's cache; where it cannot be read or written, code is compiled, and that is all."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        sources = Path(function.__code__.co_filename).parent  # whoever can write there can do more
        if sources != Path(self.cache_path).parent and not _is_private(self.cache_path):
            raise PermissionError(f"others can write {self.cache_path}")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # damaged: unpickling may raise anything
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
    """Let Numba use a folder of this user's for temporary files, which stays for next time."""
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
    """Say something once, and not in every worker."""
    if multiprocessing.parent_process() is None:
        print(text, file=sys.stderr, flush=True)


class _Notice(event.Listener):  # type: ignore[misc, unused-ignore]
    said = False

    def on_start(self, event: Any) -> None:
        dispatcher = event.data["dispatcher"]
        ours = dispatcher.py_func.__module__.startswith("channels.")
        # What is not kept is small, and compiled in every process.
        if not self.said and ours and not isinstance(dispatcher._cache, NullCache):
            print("compiling the link level, once, for some seconds …", file=sys.stderr, flush=True)
            self.said = True

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Notice())
