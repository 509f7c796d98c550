"""A teacher's embeddings of images: made once, kept on the disk in half precision."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.training.kept import Array, check_room, fill_kept, open_kept
from semcom.errors import InputError
from semcom.images import load_image
from semcom.segmenters.sam_teacher import EMBEDDING_SHAPE, SamTeacher

BYTES_EACH = 2 * int(np.prod(EMBEDDING_SHAPE))


def check_room_for_embeddings(folder: Path, count: int) -> None:
    """Refuse more images than the disk has room for."""
    remedy = "take fewer images, or another --out"
    check_room(folder, count, BYTES_EACH, "embeddings", remedy)


def keep_embeddings(
    folder: Path, paths: Sequence[Path], teacher: SamTeacher, tell: Callable[[int, int], None]
) -> Array:
    """Return the embeddings of images, float16 (N, 256, 64, 64), memory-mapped.

    Those that are in the folder already are not made again. It must be of the same images and the
    same teacher.

    Raises
    ------
    ValueError
        An image cannot be read any more, or what the teacher gives for it is no embedding.
    OSError
        The disk is full; the message names the file.
    """
    kept = open_kept(folder / "embeddings.npy", np.float16, (len(paths), *EMBEDDING_SHAPE))
    # A large teacher takes a minute for an image, so each is written down.
    make = functools.partial(_embed, paths, teacher)
    fill_kept((kept,), make, tell, every=1)
    return kept


def _embed(paths: Sequence[Path], teacher: SamTeacher, i: int) -> tuple[NDArray[np.float16]]:
    image, _ = load_image(paths[i])
    with torch.no_grad():
        found = teacher.embed_image(image)
    if tuple(found.shape) != (1, *EMBEDDING_SHAPE):
        raise InputError(
            f"an embedding of {teacher.provenance} has the shape {tuple(found.shape)}, and SAM's "
            f"has (1, {', '.join(map(str, EMBEDDING_SHAPE))})"
        )
    with np.errstate(over="ignore"):  # it is refused in the next line
        half = found[0].detach().float().cpu().numpy().astype(np.float16)
    if not np.isfinite(half).all():
        raise InputError(
            f"the embedding of {paths[i]} by {teacher.provenance} holds numbers that are too large "
            "for half precision, or none"
        )
    return (half,)
