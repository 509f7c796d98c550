"""Images of a folder with their true masks, which are files beside them or drawn polygons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from semcom.errors import InputError
from semcom.images import mask_beside
from semcom.types import Image, Region


def load(folder: Path) -> dict[str, tuple[Image, Region]]:
    """Read the images of ``folder`` that have a true mask (non-zero = object) beside them."""
    pairs = {}
    for path in sorted(folder.iterdir()):
        beside = mask_beside(path)
        if path.suffix.lower() in (".jpg", ".jpeg", ".png") and beside.is_file():
            with PillowImage.open(path) as picture, PillowImage.open(beside) as mask:
                truth = np.array(mask.convert("L")) > 0
                pairs[path.stem] = (np.array(picture.convert("RGB")), truth)
            if not truth.any():
                raise InputError(f"{beside}: the true mask is empty")
    if not pairs:
        raise InputError(f"{folder}: no image with <name>_mask.png beside it")
    return pairs


def draw(folder: Path, outlines: Path) -> dict[str, tuple[Image, Region]]:
    """Read the images of ``folder`` that ``outlines`` names, and fill their polygons."""
    pairs = {}
    for name, polygons in json.loads(outlines.read_text("utf-8")).items():
        with PillowImage.open(folder / name) as picture:
            image = np.array(picture.convert("RGB"))
        mask = PillowImage.new("1", picture.size)
        for polygon in polygons:
            corners = [int(number) for number in polygon.replace(",", " ").split()]
            ImageDraw.Draw(mask).polygon(corners, fill=1)
        pairs[Path(name).stem] = (image, np.array(mask))
    return pairs
