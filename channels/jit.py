"""Numba as our kernels use it: without the GIL, and compiled once per installation.

Compiled code is kept beside the sources, or in the user's cache where these cannot be written.
While there is none yet, a line says what takes so long.
"""

from __future__ import annotations

import sys
from typing import Any

from numba import njit
from numba.core import event
from numba.core.caching import NullCache

kernel = njit(nogil=True, cache=True)
"""Decorator of a kernel. Keep it at module level: closures are compiled anew in every process."""


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
