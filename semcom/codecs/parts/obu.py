"""AV1's low-overhead bitstream: units with type and length (AV1 specification, 5.3).

A still picture consists of a temporal delimiter, a sequence header and one frame. Everything before
the frame is determined by the picture's size and the encoder's settings.
"""

from __future__ import annotations

_FRAME = b"\x32"  # header of a unit of type OBU_FRAME with a length


def split(stream: bytes) -> tuple[bytes, bytes]:
    """Split a still picture into everything before its frame, and the frame's payload."""
    position = 0
    while stream[position : position + 1] != _FRAME:
        length, start = _read_length(stream, position + 1)
        position = start + length
    length, start = _read_length(stream, position + 1)
    if start + length != len(stream):
        raise RuntimeError("the AV1 encoder wrote more than one frame")
    return stream[:position], stream[start:]


def frame(payload: bytes) -> bytes:
    """Return the unit of a frame."""
    length, size = bytearray(), len(payload)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return _FRAME + bytes([*length, size]) + payload


def _read_length(stream: bytes, position: int) -> tuple[int, int]:
    """Read a leb128 number (4.10.5); return it and the position after it."""
    value = shift = 0
    while True:
        byte = stream[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
