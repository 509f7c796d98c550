"""Numba as our kernels use it: without the GIL, and compiled once per installation.

Compiled code is kept beside the sources, or in the user's cache where these cannot be written, or
in a temporary folder where that cannot be written either, as in many containers. Numba keeps it as
pickles: a folder into which somebody else could put some is passed over. While there is none yet, a
line says what takes so long.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit
from numba.core import event
from numba.core.caching import FunctionCache, NullCache

from channels.owner import is_private

F = TypeVar("F", bound=Callable[..., Any])
