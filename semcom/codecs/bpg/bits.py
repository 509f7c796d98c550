"""Reading and writing of the bit fields of HEVC and BPG headers."""

from __future__ import annotations

import re

from semcom.codecs.base import DecodeError

_MOST_ZEROS = 31  # leading zeros of an Exp-Golomb code


class BitReader:
    """Reads fields from the start of some bytes; the end of the bytes is a ``DecodeError``."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._place = 0

    def fixed(self, count: int) -> int:
        """Read an unsigned number of ``count`` bits: u(n) of the standard."""
        end = self._place + count
        if end > len(self._bits):
            raise DecodeError("a header of HEVC ends too early")
        value = int(self._bits[self._place : end] or "0", 2)
        self._place = end
        return value

    def golomb(self) -> int:
        """Read an Exp-Golomb code: ue(v) of the standard."""
        zeros = 0
        while not self.fixed(1):
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise DecodeError("a header of HEVC has a number of more than 32 bits")
        return (1 << zeros) - 1 + self.fixed(zeros)


class BitWriter:
    """Collects fields, and returns them as whole bytes."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def fixed(self, count: int, value: int) -> None:
        """Write an unsigned number in ``count`` bits."""
        self._bits.append(f"{value:0{count}b}" if count else "")

    def golomb(self, value: int) -> None:
        """Write an Exp-Golomb code."""
        length = (value + 1).bit_length()
        self.fixed(2 * length - 1, value + 1)

    def padded(self) -> bytes:
        """Return the bytes, the last one filled with zeros."""
        bits = "".join(self._bits)
        return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def escaped(payload: bytes) -> bytes:
    """Insert the bytes that keep start codes out of a unit (ITU-T H.265, 7.4.2)."""
    return re.sub(b"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)


def unescaped(unit: bytes) -> bytes:
    """Undo :func:`escaped`.

    Examples
    --------
    >>> unescaped(escaped(bytes([0, 0, 1, 0, 0, 0]))) == bytes([0, 0, 1, 0, 0, 0])
    True
    """
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def variable(value: int) -> bytes:
    """Write a number in groups of 7 bits, the highest first: ue7(32) of BPG.

    Examples
    --------
    >>> variable(542).hex()  # the example of BPG's specification
    '841e'
    """
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def read_variable(data: bytes, place: int) -> tuple[int, int]:
    """Read a number that :func:`variable` wrote; return it and the place after it.

    Raises
    ------
    DecodeError
        A code that is not the shortest, is longer than 32 bits, or is cut off.
    """
    value = 0
    for end in range(place, min(place + 5, len(data))):
        if end == place and data[end] == 0x80:
            break
        value = value << 7 | data[end] & 0x7F
        if not data[end] & 0x80:
            return value, end + 1
    raise DecodeError("a number in the header of BPG is damaged")
