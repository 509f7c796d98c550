"""Whose files these are: what somebody else could have put there is not read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def is_ours(status: os.stat_result) -> bool:
    """Whether what ``status`` is of belongs to this user, or to root, who could do anything anyway.

    Windows has no such owners; its temporary folders and caches are the user's own.
    """
    return not hasattr(os, "geteuid") or status.st_uid in (os.geteuid(), 0)


def is_private(folder: Path) -> bool:
    """Whether nobody else can put a file into ``folder``, nor another folder in its place.

    As OpenSSH has it for its keys: everything from the user's home down (elsewhere: from the root)
    is ours, and nothing may be written by all, unless they can only remove what is their own (as in
    ``/tmp``). ``OSError`` where there is no such folder.
    """
    if not hasattr(os, "geteuid"):
        return True
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() may raise
    for place in (folder.resolve(), *folder.resolve().parents):
        status = place.stat()
        open_to_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
        if not is_ours(status) or open_to_all:
            return False
        if str(place) == home:
            break
    return True
