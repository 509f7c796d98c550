"""What encoders wrote and segmenters found, kept on disk by content: nothing is done twice.

An encoder at one setting is a pure function. Its bytes are stored under the SHA-256 of its
arguments, of the versions that they depend on, and of the sources of our codecs: a cached run gives
what an uncached one gives, bit for bit.

An entry is a file of plain bytes behind their hash; nothing in it is ever run. It is written under
another name first, so that a writer that is killed leaves no half entry, and processes may share a
folder. A damaged entry is made anew, and what belongs to another user is not read. Where the folder
cannot be used, everything works without, and says so once.

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
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import platformdirs

from channels.owner import is_ours

ENVIRONMENT = "SEMCOM_CACHE"
_MAX_BYTES = 2 << 30
_TRIM_EVERY_S = 24 * 3600.0
_UNFINISHED_S = 3600.0  # a file that is being written for longer has been left behind
_SEAL_BYTES = 32
_OURS = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{32})?")  # nothing else in the folder is touched


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
    if (where := folder()) is None or not usable():
        return make()
    key = _key(about, part)
    if (data := _read(where, key)) is None:
        data = make()
        _write(where, key, data)
    return data


def version(package: str) -> str:
    """Return the version of an installed package, for ``about``."""
    return f"{package} {importlib.metadata.version(package)}"


def size() -> int:
    """Bytes on disk."""
    return sum(status.st_size for _, status in _files())


def clear() -> None:
    """Forget everything."""
    for file, _ in _files():
        file.unlink(missing_ok=True)


def trim(*, max_bytes: int = _MAX_BYTES) -> None:
    """Drop what was not used for longest, until ``max_bytes`` are left."""
    files = sorted(_files(), key=lambda one: one[1].st_mtime, reverse=True)
    for file, status in files:
        max_bytes -= status.st_size
        if max_bytes < 0:
            file.unlink(missing_ok=True)


def _files() -> Iterator[tuple[Path, os.stat_result]]:
    """Yield all entries, and what was left behind unfinished."""
    where = folder()
    for file in where.iterdir() if where is not None and where.is_dir() else ():
        if not (name := _OURS.fullmatch(file.name)):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            status = file.lstat()
            if not name[1] or time.time() - status.st_mtime > _UNFINISHED_S:
                yield file, status


def usable() -> bool:
    """Make the folder, where nobody else may look; False, and a note, if it cannot be used."""
    if (where := folder()) is None:
        return False
    other = f"; {ENVIRONMENT} names another folder, or off"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if is_ours(where.stat()):
            return True
        _note(f"{where} belongs to another user and is not used{other}")
    except OSError as error:
        _note(f"{where} cannot be made ({error.strerror}){other}")
    return False


def _read(where: Path, key: str) -> bytes | None:
    """Return what was kept; None if it is missing, damaged or somebody else's."""
    try:
        with open(where / key, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) and is_ours(status)):
                _note(f"{where} holds entries of another user, which are not used")
                return None
            found = file.read()
    except OSError:
        return None
    seal, data = found[:_SEAL_BYTES], found[_SEAL_BYTES:]
    if seal != _seal(key, data):
        _note(f"{where} held damaged entries, which are made anew")
        return None
    with contextlib.suppress(OSError):
        os.utime(where / key)  # used now
    return data


def _open(path: str, flags: int) -> int:
    """Open a file, but follow no link, which could lead anywhere, and wait for no pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _write(where: Path, key: str, data: bytes) -> None:
    unfinished = where / f"{key}.{uuid.uuid4().hex}"
    try:
        unfinished.write_bytes(_seal(key, data) + data)
        unfinished.replace(where / key)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        why = f"({error.strerror}); {ENVIRONMENT} names another folder, or off"
        _note(f"encodings cannot be kept in {where} {why}")
    else:
        _trim_at_exit()


def _seal(key: str, data: bytes) -> bytes:
    """Bind ``data`` to its key by a hash."""
    return hashlib.sha256(key.encode() + data).digest()


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
    files = sorted((Path(__file__).parent / part).rglob("*.py"))
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
