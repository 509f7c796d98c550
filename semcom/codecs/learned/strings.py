"""Strings of an entropy coder in one body: the lengths of all but the last, and all of them."""

from __future__ import annotations

from collections.abc import Sequence

from semcom.codecs.base import DecodeError

LENGTH_BYTES = 3


def joined(strings: Sequence[bytes]) -> bytes:
    """Put strings together.

    Examples
    --------
    >>> split(joined([b"one", b"", b"three"]), 3)
    [b'one', b'', b'three']
    """
    lengths = b"".join(len(string).to_bytes(LENGTH_BYTES, "big") for string in strings[:-1])
    return lengths + b"".join(strings)


def split(body: bytes, count: int) -> list[bytes]:
    """Take ``count`` strings, at least 1, apart; raise ``DecodeError`` if the body is too short."""
    strings, position = [], LENGTH_BYTES * (count - 1)
    for i in range(count - 1):
        length = int.from_bytes(body[LENGTH_BYTES * i : LENGTH_BYTES * (i + 1)], "big")
        strings.append(body[position : position + length])
        position += length
    if position > len(body):
        raise DecodeError("learned: packet is shorter than its strings")
    return [*strings, body[position:]]
