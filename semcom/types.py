"""The types that semcom's modules exchange: images, masks, packets and signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semcom.errors import InputError, check_types

if TYPE_CHECKING:
    from torch import Tensor

Image = NDArray[np.uint8]
"""An RGB image, shape (H, W, 3)."""
Map = NDArray[np.float32]
"""An importance map, shape (H, W), at least 0, mean 1."""
Region = NDArray[np.bool_]
"""The important pixels, shape (H, W)."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One segment of an image.

    Examples
    --------
    >>> pixels = np.zeros((32, 48), dtype=bool)
    >>> pixels[8:24, 12:36] = True
    >>> float(Mask(pixels).pixels.mean())  # fraction of the frame
    0.25
    """

    pixels: Region
    score: float = 1.0
    """The segmenter's confidence, 0 to 1."""
    label: str | None = None


PROMPT_TYPES: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("points", "boxes"), (Iterable, "a list")),
    "text": (Iterable, "a text, or a list of texts"),
}
"""The kind of each field of :class:`Prompts`, and its words."""


@dataclass(frozen=True)
class Prompts:
    """The user's marks of important objects, in pixels of the image; x to the right, y down.

    A point is ``(x, y)``. A box is ``(x0, y0, x1, y1)``, where the corner (x1, y1) lies outside. A
    text names objects; one string holds several texts, separated by semicolons.

    Examples
    --------
    >>> Prompts(text="the dog; the rider").text
    ('the dog', 'the rider')
    >>> prompts = Prompts(points=((30, 40),), boxes=((10, 20, 50, 90),))
    >>> prompts.check(height=100, width=200)
    >>> prompts.check(height=100, width=40)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: box 10,20,50,90 must satisfy 0 <= x0 < x1 <= 40 ...
    """

    points: tuple[tuple[float, float], ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    text: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_types(vars(self), PROMPT_TYPES)
        object.__setattr__(self, "text", phrases(self.text))
        for name, kind, count in (("points", "point", 2), ("boxes", "box", 4)):
            prompts = getattr(self, name)
            for prompt in prompts:
                if not _are_numbers(prompt, count):
                    raise InputError(f"a {kind} needs {count} numbers, got {prompt!r}")
            object.__setattr__(self, name, tuple(tuple(map(float, one)) for one in prompts))

    def __bool__(self) -> bool:
        return bool(self.points or self.boxes or self.text)

    def check(self, height: int, width: int, *, text: bool = False) -> None:
        """Raise ``ValueError`` for a prompt outside an image of this size, or of a wrong kind.

        Without ``text``, the one who asks takes points and boxes alone.
        """
        if self.text and not text:
            raise InputError(
                f"this segmenter takes points and boxes, not the text {self.text[0]!r}"
            )
        for x, y in self.points:
            if not (0 <= x < width and 0 <= y < height):
                raise InputError(f"point {x:g},{y:g} lies outside the {width}x{height} image")
        for x0, y0, x1, y1 in self.boxes:
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                raise InputError(
                    f"box {x0:g},{y0:g},{x1:g},{y1:g} must satisfy 0 <= x0 < x1 <= {width} "
                    f"and 0 <= y0 < y1 <= {height}"
                )


def phrases(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return the texts of a prompt: those between semicolons, or those of a list; each once.

    Raises
    ------
    ValueError
        It is not text, or a text of a list is empty.

    Examples
    --------
    >>> phrases(" the dog;the  rider; ")
    ('the dog', 'the rider')
    """
    parts = [part for part in text.split(";") if part.strip()] if isinstance(text, str) else text
    for part in parts:
        if not isinstance(part, str) or not part.strip() or ";" in part:
            raise InputError(f"a text prompt names one kind of object in words, got {part!r}")
    return tuple(dict.fromkeys(" ".join(part.split()) for part in parts))


def _are_numbers(value: Any, count: int) -> bool:
    """Tell whether a prompt is ``count`` finite numbers; NumPy's are accepted, text is not."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return False
    if len(value) != count or not all(isinstance(x, Real | np.number) for x in value):
        return False
    return bool(np.isfinite([float(x) for x in value]).all())


@dataclass(frozen=True)
class Packet:
    """Bytes that are received as a whole or not at all.

    Examples
    --------
    >>> Packet(b"picture", gain=2.0).data
    b'picture'
    """

    data: bytes
    gain: float = 0.0
    """The weighted squared error that it removes on arrival (sum over pixels of w·ΔSE)."""


@dataclass(frozen=True)
class Bitstream:
    """The output of a digital codec for an image.

    Examples
    --------
    >>> stream = Bitstream((Packet(b"coarse"), Packet(b"finer still")), nested=True)
    >>> stream.num_bits
    136
    """

    packets: tuple[Packet, ...]
    info: dict[str, float | int | str] = field(default_factory=dict)
    """The encoder's settings, for the record; the receiver never sees it."""
    nested: bool = False
    """Whether a packet is useless without those before it. If not, each is useful on its own."""

    @property
    def num_bits(self) -> int:
        """Payload bits of all packets, without CRC or parity bits."""
        return 8 * sum(len(packet.data) for packet in self.packets)


@dataclass(frozen=True, eq=False)
class AnalogSignal:
    """The output of an analog codec for an image.

    Examples
    --------
    >>> import torch
    >>> AnalogSignal(torch.ones(4, dtype=torch.complex64), (Packet(b"scale"),)).symbols.shape
    torch.Size([4])
    """

    symbols: Tensor
    """complex64 (n,), of mean power 1; n may be 0."""
    side: tuple[Packet, ...] = ()
    """Additional data for the decoder, coded and paid for as packets."""
    info: dict[str, float | int | str] = field(default_factory=dict)
    """The encoder's settings, for the record; the receiver never sees it."""
