"""The files that a setting reads, on whose content its results depend."""

from __future__ import annotations

from collections.abc import Iterable

from channels.owner import expanded
from channels.registry import options_in
from semcom.hashes import sha256_of

_OF_FILE = "file "  # in front of a name among the versions of packages


def files_of(spec: str) -> list[str]:
    """Return the files that the options of a plug-in name: gains, weights, masks, code.

    Examples
    --------
    >>> files_of("trace:file=no-such-gains.csv,hold=10"), files_of("rician:k_db=9")
    ([], [])
    """
    words = _words_of(spec)
    words += [word.rpartition(":")[0] for word in words]  # my_codec.py:MyNetwork
    return [word for word in dict.fromkeys(words) if word and _is_file(word)]


def _is_file(word: str) -> bool:
    try:
        return expanded(word).is_file()
    except OSError:  # no name of a file is so long
        return False


def _words_of(spec: str) -> list[str]:
    """Return all values, and those of options within them."""
    words = []
    for _, value in options_in(spec.partition(":")[2]):
        words += [value, *(_words_of(value) if ":" in value else [])]
    return words


def hashes_of(spec: str) -> list[str]:
    """Return the SHA-256 of each of these files."""
    return [sha256_of(expanded(name)) for name in files_of(spec)]


def file_versions(specs: Iterable[str]) -> dict[str, str]:
    """Return the files that plug-ins read like the versions of packages, by their content."""
    return _versions(name for spec in set(specs) for name in files_of(spec))


def versions_here(recorded: Iterable[str]) -> dict[str, str]:
    """Return what :func:`file_versions` says today of the files among recorded versions."""
    return _versions(key.removeprefix(_OF_FILE) for key in recorded if key.startswith(_OF_FILE))


def other_files(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the files, by name, that are among both versions with different content."""
    files = (name for name in now if name.startswith(_OF_FILE))
    return [name for name in files if before.get(name, now[name]) != now[name]]


def _versions(names: Iterable[str]) -> dict[str, str]:
    files = ((name, expanded(name)) for name in sorted(names))
    return {f"{_OF_FILE}{name}": sha256_of(file)[:12] for name, file in files if file.is_file()}
