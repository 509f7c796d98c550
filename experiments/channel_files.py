"""The files that channels read, on whose content results depend."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from semcom.hashes import sha256_of

_OF_FILE = "file "  # in front of a name among the versions of packages


def files_of(channel: str) -> list[str]:
    """Return the files that a channel names in its options ``file=``.

    Examples
    --------
    >>> files_of("trace:file=gains.csv,hold=10"), files_of("rician:k_db=9")
    (['gains.csv'], [])
    """
    return re.findall(r'\bfile="?([^,"]+)', channel)


def hashes_of(channel: str) -> list[str]:
    """Return the SHA-256 of each of these files that is there."""
    return [sha256_of(Path(name)) for name in files_of(channel) if Path(name).is_file()]


def file_versions(channels: Iterable[str]) -> dict[str, str]:
    """Return the files of channels like the versions of packages, by the hash of their content."""
    return _versions(name for channel in set(channels) for name in files_of(channel))


def versions_here(recorded: Iterable[str]) -> dict[str, str]:
    """Return what :func:`file_versions` says today of the files among recorded versions."""
    return _versions(key.removeprefix(_OF_FILE) for key in recorded if key.startswith(_OF_FILE))


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = ((name, Path(name)) for name in sorted(names))
    return {f"{_OF_FILE}{name}": sha256_of(file)[:12] for name, file in found if file.is_file()}
