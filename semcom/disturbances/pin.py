"""Hashes of the files that a disturbance reads."""

from __future__ import annotations

from semcom.errors import InputError


def check_pin(who: str, identity: str, sha256: str) -> None:
    """Refuse files that are not those with a hash that begins with ``sha256``, if it is given."""
    if sha256 and not identity.startswith(sha256):
        raise InputError(f"{who} has changed: its SHA-256 is {identity}, and not {sha256}…")


def unpinned(name: str) -> str:
    """Return a disturbance without the hash of the files that it reads.

    Examples
    --------
    >>> unpinned("style:picture=a.png,sha256=013a8175a6f6")
    'style:picture=a.png'
    """
    head, _, options = name.partition(":")
    kept = [option for option in options.split(",") if not option.startswith("sha256=")]
    return f"{head}:{','.join(kept)}" if any(kept) else head
