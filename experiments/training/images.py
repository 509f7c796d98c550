"""The images of a training: a folder, read once, divided by source into training and validation."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import MASK_ENDING, SUFFIXES, is_mask, load_image
from semcom.types import Image

LEAST_SIDE = 64
_EVERY = 10  # one source in ten is for validation


class TrainingImages(NamedTuple):
    """The files that a training uses."""

    training: list[Path]
    validation: list[Path]
    skipped: list[str]
    """Files that are not used, each with the reason."""

    @property
    def apart(self) -> bool:
        """Whether no image for validation is trained on, which takes two sources."""
        return not set(self.validation) & set(self.training)

    def manifest(self) -> list[dict[str, str]]:
        """Return the name, hash and use of every file."""
        return [
            {"file": path.name, "sha256": sha256_of(path), "use": use}
            for use, paths in (("training", self.training), ("validation", self.validation))
            for path in paths
        ]


def find_training_images(folder: Path) -> TrainingImages:
    """Find the images of a folder and divide them.

    One source in ten is for validation, chosen by a hash of its name. The sources are those of a
    ``manifest.json`` beside the images, a list of ``{"file": …, "source": …}``, so that several
    crops of one photo stay together; otherwise each file is a source. Masks beside images and
    copies are left out. A single source has to serve for both
    (:attr:`TrainingImages.apart`).

    Raises
    ------
    ValueError
        The folder does not exist, holds no usable image, or its manifest cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    sources = _sources(folder / "manifest.json")
    used: dict[str, list[Path]] = {}
    skipped: list[str] = []
    seen: dict[str, Path] = {}
    stems = {path.stem for path in folder.iterdir() if path.suffix.lower() in SUFFIXES}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if is_mask(path):
            if path.stem.removesuffix(MASK_ENDING.removesuffix(".png")) not in stems:
                skipped.append(f"{path.name}: by its name, the mask of a picture that is not there")
        elif reason := _unusable(path):
            skipped.append(f"{path.name}: {reason}")
        elif (copy := seen.setdefault(sha256_of(path), path)) != path:
            skipped.append(f"{path.name}: a copy of {copy.name}")
        else:
            used.setdefault(sources.get(path.name, path.name), []).append(path)
    if not used:
        raise InputError(
            f"{folder} holds no image of at least {LEAST_SIDE}x{LEAST_SIDE} pixels to train on"
            + (f"; {skipped[0]}" if skipped else "")
        )
    by_hash = sorted(used, key=lambda name: hashlib.sha256(os.fsencode(name)).digest())
    kept = set(by_hash[: -(-len(by_hash) // _EVERY)]) if len(by_hash) > 1 else set()
    training = [path for name, paths in used.items() if name not in kept for path in paths]
    validation = [path for name, paths in used.items() if name in kept for path in paths]
    return TrainingImages(training, validation or training[:1], skipped)


def _unusable(path: Path) -> str | None:
    try:
        image, _ = load_image(path)
    except InputError as error:
        return str(error)
    height, width = image.shape[:2]
    return None if min(height, width) >= LEAST_SIDE else f"{width}x{height} pixels are too few"


def _sources(manifest: Path) -> dict[str, str]:
    if not manifest.is_file():
        return {}
    try:
        entries: Any = json.loads(manifest.read_text(encoding="utf-8"))
        return {entry["file"]: str(entry["source"]) for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{manifest} is no list of files with their sources: {error}") from error


def window(path: Path, side: int, rng: np.random.Generator) -> Image:
    """Cut a random square out of an image, (side, side, 3) uint8; mirror a smaller image.

    In two cases of five, a larger image is first made smaller by a random factor.
    """
    image, _ = load_image(path)
    height, width = image.shape[:2]
    least = side / min(height, width)
    if rng.random() < 0.4 and least < 1:
        image = _resized(image, rng.uniform(max(least, 0.5), 1))
    pad = [(0, max(0, side - n)) for n in image.shape[:2]]
    image = np.pad(image, (*pad, (0, 0)), mode="symmetric")
    top, left = (int(rng.integers(0, n - side + 1)) for n in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def _resized(image: Image, factor: float) -> Image:
    from PIL import Image as PilImage

    height, width = (round(n * factor) for n in image.shape[:2])
    small = PilImage.fromarray(image).resize((width, height), PilImage.Resampling.LANCZOS)
    return np.asarray(small)
