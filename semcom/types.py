"""The things that travel through semcom: masks, packets, deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Image = NDArray[np.uint8]
"""RGB, shape (H, W, 3)."""
Map = NDArray[np.float32]
"""Importance, shape (H, W), at least 0, mean 1."""
Region = NDArray[np.bool_]
"""Shape (H, W): the pixels that matter."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One segment of an image."""

    pixels: Region
    score: float = 1.0
    """The segmenter's confidence, 0 to 1."""
    label: str | None = None


@dataclass(frozen=True)
class Prompts:
    """What the user says matters, in pixels of the image; x to the right, y down.

    A point is ``(x, y)``; a box is ``(x0, y0, x1, y1)`` with the far corner outside.
    """

    points: tuple[tuple[float, float], ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()

    def __post_init__(self) -> None:
        for name, kind, count in (("points", "point", 2), ("boxes", "box", 4)):
            prompts = getattr(self, name)
            for prompt in prompts:
                if not _are_numbers(prompt, count):
                    raise ValueError(f"a {kind} is {count} numbers, got {prompt!r}")
            object.__setattr__(self, name, tuple(tuple(map(float, one)) for one in prompts))

    def __bool__(self) -> bool:
        return bool(self.points or self.boxes)

    def check(self, height: int, width: int) -> None:
        """Raise ``ValueError`` for a prompt that lies outside an image of this size."""
        for x, y in self.points:
            if not (0 <= x < width and 0 <= y < height):
                raise ValueError(f"point {x:g},{y:g} lies outside the {width}x{height} image")
        for x0, y0, x1, y1 in self.boxes:
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                raise ValueError(
                    f"box {x0:g},{y0:g},{x1:g},{y1:g} must satisfy 0 <= x0 < x1 <= {width} "
                    f"and 0 <= y0 < y1 <= {height}"
                )


def _are_numbers(value: Any, count: int) -> bool:
    """Whether a prompt is so many numbers; NumPy's count, and text does not."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return False
    return len(value) == count and all(isinstance(x, Real | np.number) for x in value)


@dataclass(frozen=True)
class Packet:
    """Bytes that are received whole or not at all."""

    data: bytes
    gain: float = 0.0
    """The weighted squared error that it removes when it arrives (sum over pixels of w·ΔSE)."""


@dataclass(frozen=True)
class Bitstream:
    """What a digital codec makes of an image."""

    packets: tuple[Packet, ...]
    info: dict[str, float | int | str] = field(default_factory=dict)
    """The encoder's settings, for the record; the receiver never sees it."""
    nested: bool = False
    """Whether a packet is useless without those before it; if not, each is useful by itself."""

    @property
    def num_bits(self) -> int:
        """Payload bits of all packets, without CRC and parity."""
        return 8 * sum(len(packet.data) for packet in self.packets)


@dataclass(frozen=True, eq=False)
class AnalogSignal:
    """What an analog codec makes of an image."""

    symbols: Tensor
    """complex64 (n,), of mean power 1; n may be 0."""
    side: tuple[Packet, ...] = ()
    """What the decoder must know besides; coded and paid for as packets are."""
    info: dict[str, float | int | str] = field(default_factory=dict)
    """The encoder's settings, for the record; the receiver never sees it."""
