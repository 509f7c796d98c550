"""What encoders wrote and segmenters found, kept on disk by content: nothing is done twice.

An encoder at one setting is a pure function. Its bytes are stored under the SHA-256 of its
arguments, of the versions that they depend on, and of the sources of our codecs: a cached run gives
what an uncached one gives, bit for bit. joblib's ``Memory`` holds the files: a writer that is
killed leaves no half entry, and processes may share a folder. An entry carries its own hash, and a
damaged one is made anew. Where the folder cannot be written, everything works without.

The folder is in the user's cache, or what the environment variable ``SEMCOM_CACHE`` names; ``off``
or nothing switches it off. What was not used for longest goes when there is more than 2 GB.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs

if TYPE_CHECKING:
    from joblib import Memory

ENVIRONMENT = "SEMCOM_CACHE"
_MAX_BYTES = 2 << 30
_TRIM_EVERY_S = 24 * 3600.0


def folder() -> Path | None:
    """Where encodings are kept; None if they are not."""
    named = os.environ.get(ENVIRONMENT)
    if named is None:
        return platformdirs.user_cache_path("semcom") / "encodings"
    return Path(named).expanduser() if named and named != "off" else None


def recall(make: Callable[[], bytes], *about: object, part: str = "codecs") -> bytes:
    """Return ``make()``, from the disk if it was made before.

    Parameters
    ----------
    make
        What takes long. What it raises is passed on, and not kept.
    about
        Everything that its result depends on: arrays, bytes, and what ``repr`` tells apart
        (numbers, text, tuples of them), with the versions of the libraries that it calls.
    part
        Folder of semcom whose sources it depends on.
    """
    if (where := folder()) is None or (keep := _keeper(where)) is None:
        return make()
    key = _key(about, part)
    with contextlib.suppress(Exception):  # missing, damaged or vanishing: whatever, make it
        seal, data = keep(key, None)
        if (seal, data) == _seal(key, data):
            return bytes(data)
    data = make()
    _write(keep, key, data, where)
    return data


def version(package: str) -> str:
    """Return the version of an installed package, for ``about``."""
    return f"{package} {importlib.metadata.version(package)}"


def size() -> int:
    """Bytes on disk."""
    where = folder()
    files = [] if where is None else where.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def clear() -> None:
    """Forget everything."""
    if (where := folder()) is not None and where.is_dir() and (memory := _memory(where)):
        memory.clear(warn=False)


def trim(*, max_bytes: int = _MAX_BYTES) -> None:
    """Drop what was not used for longest, until ``max_bytes`` are left."""
    if (where := folder()) is not None and where.is_dir() and (memory := _memory(where)):
        memory.reduce_size(bytes_limit=max_bytes)


def _seal(key: str, data: bytes | None) -> tuple[bytes, bytes]:
    """Bind ``data`` to its key by a hash; this is the function whose results joblib keeps."""
    if data is None:
        raise LookupError(key)
    return hashlib.sha256(key.encode() + data).digest(), data


def _write(keep: Any, key: str, data: bytes, where: Path) -> None:
    try:
        keep.call(key, data)
        kept = keep.check_call_in_cache(key, None)
    except Exception:  # a full disk, or joblib's warnings turned into errors
        kept = False
    if kept:
        _trim_at_exit()
    else:
        _note(f"encodings cannot be kept in {where}; {ENVIRONMENT} names another folder, or off")


@functools.cache
def _keeper(where: Path) -> Any | None:
    """Return what calls :func:`_seal`, or finds what it returned before; None without a folder."""
    memory = _memory(where)
    return None if memory is None else memory.cache(_seal, ignore=["data"], verbose=0)


@functools.cache
def _memory(where: Path) -> Memory | None:
    import joblib  # takes a while

    # It warns of every entry that it could not write; we say so once.
    warnings.filterwarnings("ignore", "Unable to (cache|write)|Persisting input", module="joblib")
    try:
        return joblib.Memory(where, verbose=0)
    except OSError:
        _note(f"{where} cannot be made; {ENVIRONMENT} names another folder, or off")
        return None


def _key(about: tuple[object, ...], part: str) -> str:
    digest = hashlib.sha256(_sources(part))
    for one in about:
        if isinstance(one, np.ndarray):
            digest.update(f"{one.dtype.str} {one.shape} ".encode())
            one = one.tobytes()
        data = one if isinstance(one, bytes) else repr(one).encode()
        digest.update(f"{type(one).__name__} {len(data)} ".encode())
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def _sources(part: str) -> bytes:
    """Hash what of our own the bytes depend on: any change of it begins anew."""
    files = sorted((Path(__file__).parent / part).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


@functools.cache
def _note(text: str) -> None:
    """Say something once."""
    logging.getLogger(__name__).warning(text)


@functools.cache
def _trim_at_exit() -> None:
    """Trim when this process ends, once a day among all that share the folder."""

    def trim_now_and_then() -> None:
        with contextlib.suppress(OSError):
            if (where := folder()) is not None:
                stamp = where / "trimmed"
                if not stamp.exists() or time.time() - stamp.stat().st_mtime > _TRIM_EVERY_S:
                    stamp.touch()
                    trim()

    atexit.register(trim_now_and_then)
