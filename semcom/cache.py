"""A cache on disk for the results of encoders and segmenters, addressed by content.

An encoder with given settings is a pure function. Its output is stored under the SHA-256 of its
arguments, of the versions that it depends on, and of our own sources: a run with the
cache gives the same result as one without, bit for bit.

An entry is a file of plain bytes, preceded by their hash; nothing in it is ever run. It is first
written under another name, so that a writer that is killed leaves no partial entry, and processes
may share a folder. A damaged entry is computed again, and files of another user are not read. If
the folder cannot be used, everything works without a cache, and one message says so.

The folder is in the user's cache directory, or given by the environment variable ``SEMCOM_CACHE``;
``off`` or an empty value disables the cache. Above 2 GB, the entries that were not used for the
longest time are deleted.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import platformdirs

from channels.owner import expanded, is_ours

ENVIRONMENT = "SEMCOM_CACHE"
_MAX_BYTES = 2 << 30
_TRIM_EVERY_S = 24 * 3600.0
_UNFINISHED_S = 3600.0  # a file that has been written to for longer was abandoned
_SEAL_BYTES = 32
_OURS = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{32})?")  # other files in the folder are not touched


def folder() -> Path | None:
    """Return the folder of the cache; None if the cache is disabled."""
    named = os.environ.get(ENVIRONMENT)
    if named is None:
        return platformdirs.user_cache_path("semcom") / "encodings"
    return expanded(named) if named and named != "off" else None


def recall(make: Callable[[], bytes], *about: object, part: str = "codecs") -> bytes:
    """Return ``make()``, from the cache if it has been computed before.

    Parameters
    ----------
    make
        The slow function. Its exceptions are passed on and not cached.
    about
        Everything that its result depends on: arrays, bytes, and objects that ``repr``
        distinguishes (numbers, text, tuples of them), with the versions of the libraries used.
    part
        Folder of semcom whose sources the result depends on.

    Examples
    --------
    >>> recall(lambda: b"slow", "an example", 1)
    b'slow'
    """
    if (where := folder()) is None or not usable():
        return make()
    key = _key(about, part)
    if (data := _read(where, key)) is None:
        data = make()
        _write(where, key, data)
    return data


@functools.cache  # reading it from the package takes a millisecond
def version(package: str) -> str:
    """Return the version of an installed package, for ``about``."""
    return f"{package} {importlib.metadata.version(package)}"


def size() -> int:
    """Return the size of the cache in bytes."""
    return sum(status.st_size for _, status in _files())


def clear() -> None:
    """Delete all entries."""
    for file, _ in _files():
        file.unlink(missing_ok=True)


def trim(*, max_bytes: int = _MAX_BYTES) -> None:
    """Delete the entries that were unused for the longest time, down to ``max_bytes``."""
    files = sorted(_files(), key=lambda one: one[1].st_mtime, reverse=True)
    for file, status in files:
        max_bytes -= status.st_size
        if max_bytes < 0:
            file.unlink(missing_ok=True)


def _files() -> Iterator[tuple[Path, os.stat_result]]:
    """Yield all entries and abandoned files."""
    where = folder()
    for file in where.iterdir() if where is not None and where.is_dir() else ():
        if not (name := _OURS.fullmatch(file.name)):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process has deleted it
            status = file.lstat()
            if not name[1] or time.time() - status.st_mtime > _UNFINISHED_S:
                yield file, status


def usable() -> bool:
    """Create a private folder; return False, with a message, if it cannot be used."""
    if (where := folder()) is None:
        return False
    other = f"; set {ENVIRONMENT} to another folder or to off"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if is_ours(where.stat()):
            return True
        _note(f"{where} belongs to another user and is not used{other}")
    except OSError as error:
        _note(f"cannot create {where} ({error.strerror}){other}")
    return False


def _read(where: Path, key: str) -> bytes | None:
    """Return a cached result; None if it is missing, damaged or another user's."""
    try:
        with open(where / key, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) and is_ours(status)):
                _note(f"{where} contains entries of another user, which are not used")
                return None
            found = file.read()
    except OSError:
        return None
    seal, data = found[:_SEAL_BYTES], found[_SEAL_BYTES:]
    if seal != _seal(key, data):
        _note(f"{where} contained damaged entries, which are computed again")
        return None
    with contextlib.suppress(OSError):
        os.utime(where / key)  # records that it was used now
    return data


def _open(path: str, flags: int) -> int:
    """Open a file without following links, which could lead anywhere, or waiting for pipes."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _write(where: Path, key: str, data: bytes) -> None:
    unfinished = where / f"{key}.{uuid.uuid4().hex}"
    try:
        unfinished.write_bytes(_seal(key, data) + data)
        unfinished.replace(where / key)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        why = f"({error.strerror}); set {ENVIRONMENT} to another folder or to off"
        _note(f"cannot store encodings in {where} {why}")
    else:
        _trim_at_exit()


def _seal(key: str, data: bytes) -> bytes:
    """Return the hash that binds ``data`` to its key."""
    return hashlib.sha256(key.encode() + data).digest()


def _key(about: tuple[object, ...], part: str) -> str:
    digest = hashlib.sha256(sources(part))
    for one in about:
        if isinstance(one, np.ndarray):
            digest.update(f"{one.dtype.str} {one.shape} ".encode())
            one = one.tobytes()
        data = one if isinstance(one, bytes) else repr(one).encode()
        digest.update(f"{type(one).__name__} {len(data)} ".encode())
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def sources(part: str) -> bytes:
    """Hash the part of our sources that results depend on: any change invalidates them."""
    files = sorted((Path(__file__).parent / part).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


@functools.cache
def _note(text: str) -> None:
    """Print a message once."""
    logging.getLogger(__name__).warning(text)


@functools.cache
def _trim_at_exit() -> None:
    """Trim when this process ends, but only once a day among all that share the folder."""

    def trim_now_and_then() -> None:
        with contextlib.suppress(OSError):
            if (where := folder()) is not None:
                stamp = where / "trimmed"
                if not stamp.exists() or time.time() - stamp.stat().st_mtime > _TRIM_EVERY_S:
                    stamp.touch()
                    trim()

    atexit.register(trim_now_and_then)
