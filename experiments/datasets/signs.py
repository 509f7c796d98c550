"""Photos with signs to read: four of scikit-image's photos, with text and codes put into them.

They ask what a receiver needs that only wants to read. Each sign is seen a little from the side,
and its mask covers the whole board. Text is set in DejaVu Sans, which comes with matplotlib; QR and
bar codes are made by ``zxing-cpp``. Eight pictures are meant for trying things out and prove
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.datasets.made_folder import made_folder, png
from semcom.errors import InputError
from semcom.images import MASK_ENDING
from semcom.types import Image, Region

if TYPE_CHECKING:
    from PIL import Image as PilImage
    from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Sign:
    """A board in a photo."""

    photo: str
    """Name of a photo of scikit-image."""
    corner: tuple[int, int]
    """Top left corner of the board, (x, y)."""
    lines: tuple[tuple[str, int], ...] = ()
    """Lines of text, each with its size in pixels."""
    code: tuple[str, str, int] | None = None
    """Kind and content of a code, and pixels per module."""
    ink: Colour = (20, 20, 20)
    board: Colour = (235, 235, 230)
    lean: float = 0.04
    """How much shorter the right edge is than the left one."""


SIGNS = {
    "street": Sign(
        "rocket",
        (60, 290),
        (("CAPE ROAD", 15), ("Pad 39 A   2 km", 11)),
        ink=(255, 255, 255),
        board=(20, 70, 150),
    ),
    "menu": Sign(
        "coffee",
        (450, 30),
        (
            ("Espresso 2.40", 11),
            ("Cappuccino 3.20", 11),
            ("Hot chocolate 3.60", 11),
            ("Apple cake 4.10", 11),
            ("Open until 18:30", 10),
        ),
        ink=(245, 240, 225),
        board=(60, 42, 34),
    ),
    "name-tag": Sign("chelsea", (300, 230), (("CHELSEA", 13), ("call 555 0147", 10))),
    "notice": Sign(
        "astronaut",
        (340, 430),
        (("NO ENTRY", 16), ("Authorised personnel", 10), ("only beyond this line", 10)),
        ink=(170, 20, 20),
        board=(250, 240, 200),
    ),
    "table-card": Sign("coffee", (470, 270), (("Pay here", 11),), ("QRCode", "PAY/TABLE-12", 2)),
    "parcel": Sign("rocket", (390, 300), (("FRAGILE", 12),), ("Code128", "SC-204", 2)),
    "ticket": Sign("astronaut", (400, 40), (("SEAT 14 C", 10),), ("QRCode", "TKT:98X2-0417", 2)),
    "collar": Sign("chelsea", (60, 200), (), ("DataMatrix", "CAT 7731", 3)),
}
"""The signs, by the name of the picture."""
VERSION = hashlib.sha256(repr(SIGNS).encode()).hexdigest()[:8]


def make() -> Path:
    """Return the folder of the pictures, which is created if it does not exist.

    Raises
    ------
    ValueError
        The package that makes codes is missing.
    """
    try:
        import zxingcpp  # noqa: F401
    except ImportError:
        raise InputError("data set signs needs zxing-cpp: pip install 'semcom[tasks]'") from None
    return made_folder(f"signs-{VERSION}", _files)


def _files() -> Iterator[tuple[str, bytes]]:
    for name, sign in SIGNS.items():
        picture, mask = draw(sign)
        yield f"{name}.png", png(picture)
        yield f"{name}{MASK_ENDING}", png(np.where(mask, 255, 0).astype(np.uint8))


def draw(sign: Sign) -> tuple[Image, Region]:
    """Put a sign into its photo; return the picture (H, W, 3) uint8 and the mask (H, W) bool."""
    import skimage.data
    from PIL import Image as PilImage

    photo = PilImage.fromarray(getattr(skimage.data, sign.photo)())
    board = _board(sign)
    size, (x, y) = photo.size, sign.corner
    (width, height), drop = board.size, round(sign.lean * board.size[1])
    # The corners of the board in the photo, counterclockwise from the top left.
    seen = [(x, y), (x, y + height), (x + width, y + height - drop), (x + width, y + drop)]
    turn = _perspective(seen, [(0, 0), (0, height), (width, height), (width, 0)])
    how = PilImage.Transform.PERSPECTIVE, turn, PilImage.Resampling.BICUBIC
    inside = PilImage.new("L", board.size, 255).transform(size, *how)
    photo.paste(board.transform(size, *how), mask=inside)
    return np.asarray(photo.convert("RGB")), np.asarray(inside) > 127


def _board(sign: Sign) -> PilImage.Image:
    """Draw the board from the front."""
    from PIL import Image as PilImage
    from PIL import ImageDraw

    margin, gap = 8, 6
    parts: list[tuple[PilImage.Image | None, str, FreeTypeFont | None, int, int]] = []
    for text, size in sign.lines:
        set_in = _font(size)
        left, _, right, _ = set_in.getbbox(text)
        parts.append((None, text, set_in, round(right - left), size))
    if sign.code is not None:
        code = _code(*sign.code)
        parts.append((code, "", None, *code.size))
    width = max(part[3] for part in parts) + 2 * margin
    height = sum(part[4] for part in parts) + gap * (len(parts) - 1) + 2 * margin
    board = PilImage.new("RGB", (width, height), sign.board)
    pen, top = ImageDraw.Draw(board), margin
    for picture, text, font, _, tall in parts:
        if picture is not None:
            board.paste(picture, (margin, top))
        else:
            pen.text((margin, top), text, font=font, fill=sign.ink, anchor="lt")
        top += tall + gap
    return board


def _font(size: int) -> FreeTypeFont:
    import matplotlib
    from PIL import ImageFont

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def _code(kind: str, content: str, pixels: int) -> PilImage.Image:
    import zxingcpp
    from PIL import Image as PilImage

    code = zxingcpp.create_barcode(content, getattr(zxingcpp.BarcodeFormat, kind))
    modules = np.asarray(code.to_image(scale=1, add_quiet_zones=True))
    if modules.shape[0] < 20 and kind == "Code128":
        modules = np.repeat(modules[:1], 24, axis=0)
    return PilImage.fromarray(np.kron(modules, np.ones((pixels, pixels), dtype=np.uint8)))


def _perspective(
    seen: list[tuple[int, int]], front: list[tuple[int, int]]
) -> tuple[float, float, float, float, float, float, float, float]:
    """Return Pillow's eight numbers of the perspective that takes four seen corners to the front's.

    With (u, v) in front of (x, y): ``u = (a·x + b·y + c) / (g·x + h·y + 1)``, and likewise v with
    d, e and f.
    """
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, front, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    a, b, c, d, e, f, g, h = map(float, np.linalg.solve(np.array(rows, float), values))
    return a, b, c, d, e, f, g, h
