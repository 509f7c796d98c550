"""Names that stay apart: on the screen, and as names of files."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

_MOST = 100  # characters, of the 255 bytes that file systems take
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # controls, half characters, line and paragraph separators
_UNCLEAR = re.compile(
    r"|(con|prn|aux|nul|(com|lpt)\d)(\..*)?"  # reserved by Windows
    r"|.*-[0-9a-f]{8}",  # as we end others
    re.IGNORECASE,
)


def visible(text: str) -> str:
    r"""Write characters that act instead of being seen as escapes: on a screen, in a picture.

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
    """Number names that come again.

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
    """Return names of files, without their ending, for names that people gave.

    They hold nothing but ASCII letters, digits and ``+-._``, so that they are names of files
    everywhere; those that come out alike where capitals do not count, are reserved, empty or too
    long end in some digits of the name's SHA-256.

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
