"""Bundled photos with masks: four of scikit-image's photos, with outlines drawn for semcom.

They are meant for trying things out: their objects are easy to find, and four images prove nothing.
The polygons were drawn by hand on enlarged pictures, to within two pixels where the border is
sharp.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.made_folder import made_folder, png
from semcom.images import MASK_ENDING

OUTLINES = {
    # The astronaut, without the helmet in front of her.
    "astronaut": (
        "232,16 215,19 200,27 189,36 175,44 162,55 153,70 153,88 157,103 165,111 170,117 "
        "172,126 176,131 181,133 184,148 170,148 155,151 140,159 130,168 124,180 121,186 "
        "114,187 112,201 112,208 105,216 95,222 80,235 65,247 52,262 42,285 38,305 30,320 "
        "26,335 25,365 20,385 20,405 23,425 24,440 23,460 25,476 30,491 43,512 278,512 277,480 "
        "279,455 285,425 297,400 310,380 325,365 345,355 361,349 361,325 358,308 352,286 "
        "345,269 335,256 320,244 305,236 302,225 296,212 288,200 277,189 267,181 255,175 "
        "257,165 262,153 265,138 274,135 279,126 285,120 295,108 301,90 301,74 296,55 284,36 "
        "268,25 248,17"
    ),
    # Cup, saucer and spoon.
    "coffee": (
        "182,72 165,79 145,90 125,106 105,130 90,155 80,185 77,215 79,240 86,268 99,293 116,317 "
        "136,336 155,353 180,367 210,378 240,385 270,387 300,387 330,384 360,378 389,366 "
        "413,351 438,329 457,307 470,281 477,255 478,230 475,205 469,180 458,155 444,135 "
        "429,117 416,106 424,80 423,73 418,68 405,67 397,71 387,61 375,50 360,39 340,29 320,22 "
        "304,18 280,18 255,21 235,27 215,36 200,47 188,59"
    ),
    # The cat.
    "chelsea": (
        "46,0 30,70 28,115 0,125 0,300 303,300 306,278 312,265 315,250 316,225 319,214 338,190 "
        "350,173 358,150 362,125 360,100 358,76 365,61 378,32 390,12 400,0"
    ),
    # The rocket, without its tower.
    "rocket": (
        "322,126 318,129 314,135 312,140 310,148 310,171 311,176 313,179 313,406 330,406 "
        "330,179 332,176 333,171 333,148 332,141 330,135 326,129"
    ),
}
"""Corners "x,y" of the main object, in pixels from the centre of the top left pixel."""
VERSION = hashlib.sha256(repr(OUTLINES).encode()).hexdigest()[:8]


def make() -> Path:
    """Return the folder of the photos, which is created if it does not exist."""
    return made_folder(f"photos-{VERSION}", _files)


def _files() -> Iterator[tuple[str, bytes]]:
    import skimage.data

    for name, outline in OUTLINES.items():
        photo = getattr(skimage.data, name)()
        yield f"{name}.png", png(photo)
        yield f"{name}{MASK_ENDING}", png(_inside(outline, *photo.shape[:2]))


def _inside(outline: str, height: int, width: int) -> NDArray[np.uint8]:
    """Fill an outline with 255."""
    from skimage.draw import polygon

    corners = np.array([corner.split(",") for corner in outline.split()], dtype=int)
    mask = np.zeros((height, width), dtype=np.uint8)
    inside = polygon(corners[:, 1], corners[:, 0], mask.shape)  # type: ignore[no-untyped-call, unused-ignore]
    mask[inside] = 255
    return mask
