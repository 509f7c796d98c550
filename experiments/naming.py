"""Names made safe and distinct, for the screen and for files."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

_MOST = 100  # characters, of the 255 bytes that file systems take
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # controls, surrogates, line and paragraph separators
_UNCLEAR = re.compile(
    r"|(con|prn|aux|nul|(com|lpt)\d)(\..*)?"  # reserved by Windows
    r"|.*-[0-9a-f]{8}",  # looks like a name that file_names has disambiguated
    re.IGNORECASE,
)


def visible(text: str) -> str:
    r"""Escape control characters, which would act on a screen or in a picture instead of showing.

    Examples
    --------
    >>> visible("masks, θ 0.5"), visible("a\nb\x1b[31m")
    ('masks, θ 0.5', 'a\\nb\\x1b[31m')
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNSEEN else c
        for c in text
    )


def unique(names: Sequence[str]) -> list[str]:
    """Append numbers to repeated names so that all names differ.

    Examples
    --------
    >>> unique(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    known = set(names)
    found: dict[str, None] = {}
    for name in names:
        mine, number = name, 1
        while mine in found or (number > 1 and mine in known):
            number += 1
            mine = f"{name} ({number})"
        found[mine] = None
    return list(found)


def file_names(names: Sequence[str]) -> list[str]:
    """Return file names, without a suffix, for names that people gave.

    They consist of ASCII letters, digits and ``+-._``, so that they are valid on every system. A
    name ends in some digits of its SHA-256 if it would equal another one (ignoring case), is
    reserved, empty or too long.

    Examples
    --------
    >>> file_names(["masks, θ 0.5", "../etc", "blind"])
    ['masks_theta_0.5', 'etc', 'blind']
    >>> file_names(["a b", "a/b"])
    ['a_b-c8687a08', 'a_b-c14cddc0']
    """
    plain = [
        re.sub(r"[^A-Za-z0-9.+-]+", "_", name.replace("θ", "theta")).strip("._-") for name in names
    ]
    common = Counter(name.casefold() for name in plain)
    found = []
    for name, text in zip(names, plain, strict=True):
        alone = len(text) <= _MOST and common[text.casefold()] == 1
        if alone and not _UNCLEAR.fullmatch(text):
            found.append(text)
        else:
            digest = sha256(name.encode(errors="surrogateescape")).hexdigest()
            head = text[:_MOST].replace(".", "_")  # CON.0 is as reserved as CON
            found.append(f"{head}-{digest[:8]}".lstrip("-"))
    return found
