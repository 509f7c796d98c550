"""Homes and owners: files that another user could have put in place are not read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Return the path with a leading ``~`` replaced by the home folder.

    A user who is unknown has none, and the path then stays as it is, where ``Path.expanduser``
    would raise ``RuntimeError``.

    Examples
    --------
    >>> expanded("~nobody-of-this-name/x.png").name
    'x.png'
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def is_ours(status: os.stat_result) -> bool:
    """Tell whether the file or folder of ``status`` belongs to this user or to root.

    Root could change anything anyway. Windows has no such owners; there, temporary folders and
    caches are private to the user already.
    """
    return not hasattr(os, "geteuid") or status.st_uid in (os.geteuid(), 0)


def is_private(folder: Path) -> bool:
    """Tell whether no other user can put a file into ``folder`` or replace the folder itself.

    The rule is that of OpenSSH for its keys: every folder from the user's home down (outside the
    home: from the root down) must belong to this user or to root, and must not be writable by
    everybody, unless others can remove only their own files there, as in ``/tmp``. Raises
    ``OSError`` if the folder does not exist.
    """
    if not hasattr(os, "geteuid"):
        return True
    home = os.path.realpath(expanded("~"))
    for place in (folder.resolve(), *folder.resolve().parents):
        status = place.stat()
        open_to_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
        if not is_ours(status) or open_to_all:
            return False
        if str(place) == home:
            break
    return True
