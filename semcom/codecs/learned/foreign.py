"""Models that speak CompressAI's language but are not of its zoo: their strings, in one body.

    number of strings (1 byte) │ height and width of the shape (2 each) │
    lengths of all strings but the last (3 each) │ strings

``compress(x)`` returns ``{"strings": [[bytes], …], "shape": (h, w)}`` for one image, and
``decompress(strings, shape)`` returns ``{"x_hat": image}``.
"""

from __future__ import annotations

import struct
from typing import Any

import torch
from torch import Tensor

from semcom.checkpoints.user_code import first_line
from semcom.codecs.base import DecodeError
from semcom.codecs.learned.strings import joined, split
from semcom.errors import InputError

_HEAD = struct.Struct(">BHH")
_SLACK = bytes(1 << 16)
"""Zeros behind each string, for a decoder that has lost synchronisation."""


def compress(network: Any, x: Tensor) -> bytes:
    """Return the body of an image (1, 3, H, W); raise ``ValueError`` if the model fails."""
    try:
        made = network.compress(x)
        strings = [string for (string,) in made["strings"]]
        height, width = made["shape"]
        head = _HEAD.pack(len(strings), height, width)
        return head + joined(strings)
    except (Exception, SystemExit) as error:  # a user's model can fail in any way
        raise InputError(f"learned: compress of the model fails: {first_line(error)}") from error


def decompress(network: Any, body: bytes, height: int, width: int) -> Tensor:
    """Return the image (1, 3, at least height, at least width), from 0 to 1, of a body."""
    if len(body) < _HEAD.size:
        raise DecodeError("learned: packet is cut off")
    count, *shape = _HEAD.unpack_from(body)
    if max(shape) > max(height, width):
        raise DecodeError(f"learned: latents of {shape} are too many for {width}x{height} pixels")
    if not count:
        raise DecodeError("learned: packet is shorter than its strings")
    strings = [[string + _SLACK] for string in split(body[_HEAD.size :], count)]
    try:
        shown = network.decompress(strings, tuple(shape))["x_hat"]
    except (Exception, SystemExit) as error:  # a user's model can fail in any way
        raise DecodeError(f"learned: decompress fails: {first_line(error)}") from error
    if not isinstance(shown, Tensor) or not torch.isfinite(shown).all():
        raise DecodeError("learned: decompress makes NaN, infinity or no tensor")
    if shown.ndim != 4 or shown.shape[:2] != (1, 3):
        raise DecodeError(f"learned: decompress makes a tensor of shape {tuple(shown.shape)}")
    if shown.shape[2] < height or shown.shape[3] < width:
        raise DecodeError(f"learned: the packet is not of {width}x{height} pixels")
    return shown.clamp(0, 1)
