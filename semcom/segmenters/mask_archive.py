"""Masks and their notes as bytes and back, for the cache, as a NumPy archive without pickles."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from semcom.segmenters.base import Masks
from semcom.types import Mask


def pack(masks: Sequence[Mask]) -> bytes:
    """Return masks of equal size as bytes, one bit per pixel before compression.

    Notes are kept if ``masks`` has them (:class:`semcom.segmenters.base.Masks`).
    """
    sink = io.BytesIO()
    shape = masks[0].pixels.shape if masks else (0, 0)
    np.savez_compressed(
        sink,
        shape=np.array([len(masks), *shape]),
        bits=np.packbits(np.array([mask.pixels for mask in masks], dtype=bool)),
        scores=np.array([mask.score for mask in masks], dtype=np.float64),
        labels=np.array([mask.label or "" for mask in masks], dtype=np.str_),
        notes=np.array(getattr(masks, "notes", ()), dtype=np.str_),
    )
    return sink.getvalue()


def unpack(data: bytes) -> Masks:
    """Read the output of :func:`pack`, bit for bit."""
    with np.load(io.BytesIO(data), allow_pickle=False) as content:
        shape = tuple(content["shape"])
        count = int(np.prod(shape))
        pixels = np.unpackbits(content["bits"], count=count).astype(bool).reshape(shape)
        rows = zip(pixels, content["scores"], content["labels"], strict=True)
        masks = [Mask(one, float(score), str(label) or None) for one, score, label in rows]
        return Masks(masks, map(str, content["notes"]))
