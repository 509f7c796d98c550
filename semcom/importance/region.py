"""What matters in an image: a segmenter's masks, the user's prompts, and what follows for ``w``."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from semcom import cache
from semcom.checkpoints import mobile_sam as weights
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import mask_beside
from semcom.importance.maps import (
    DEFAULT_THETA,
    Importance,
    check_kind,
    check_theta,
    importance,
    warning,
)
from semcom.importance.ranking import choose, rank
from semcom.large import in_threads, is_large, say_stage
from semcom.segmenters.base import SEGMENTERS, Masks, Segmenter
from semcom.segmenters.from_file.segmenter import FromFile, check_mask_file
from semcom.segmenters.mask_archive import pack, unpack
from semcom.sizes import Size, resized_mask, scaled, shrink_large, size_of
from semcom.types import Image, Mask, Prompts

_SLOW = ("mobile_sam", "graph")
"""Segmenters whose masks are kept on disk (:mod:`semcom.cache`)."""


@dataclass(frozen=True, eq=False)
class RegionOfInterest:
    """What matters in one image, and how that was found."""

    importance: Importance
    masks: tuple[Mask, ...]
    """Every mask found, most important first."""
    notes: tuple[str, ...]
    """What the user should know, a line each."""
    record: dict[str, Any]


@dataclass(frozen=True)
class RegionOptions:
    """Which parts of an image matter, and how much.

    Parameters
    ----------
    segmenter
        Segmenter by name, with options. ``"auto"`` is MobileSAM where its weights are present and
        ``graph`` otherwise; the record names what was used.
    prompts
        Points and boxes: the segments that they mean are what matters. Without prompts, the
        ranked masks matter from the top until they cover 30 % of the frame.
    mask
        File with masks, used instead of a segmenter; all of them matter. ``"beside"`` stands for
        ``NAME_mask.png`` beside each image. A file without an object leaves nothing to prefer.
    theta, kind
        See :func:`semcom.importance.maps.importance`.
    image
        The image's file, where there is one: a file with masks of several images names them.

    Raises
    ------
    ValueError
        Unknown names, a mask together with a segmenter, or θ outside (0, 1).
    """

    segmenter: str = "auto"
    prompts: Prompts = field(default_factory=Prompts)
    mask: str | None = None
    theta: float = DEFAULT_THETA
    kind: str = "region"
    image: str = ""

    def __post_init__(self) -> None:
        check_theta(self.theta)
        check_kind(self.kind)
        if self.segmenter != "auto":
            SEGMENTERS.parse(self.segmenter)  # a typing error shows before any image is read
        if self.mask is not None and self.segmenter != "auto":
            raise InputError(
                f"mask {self.mask} and segmenter {self.segmenter!r} exclude one another: give one"
            )
        if self.mask not in (None, "beside"):
            check_mask_file(Path(str(self.mask)))

    def beside(self, image: Path) -> RegionOptions:
        """Say which file the image is: resolves ``mask="beside"``, and names it to ``mask``."""
        mask = self.mask
        if mask == "beside":
            mask = str(mask_beside(image))
        return replace(self, mask=mask, image=str(image))


def find_region(
    image: Image,
    options: RegionOptions = RegionOptions(),
    *,
    shrunk_from: Size | None = None,
) -> RegionOfInterest:
    """Find what matters in ``image`` (H, W, 3) uint8.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    options
        What is wanted.
    shrunk_from
        Height and width that the image had before it was shrunk: what prompts are in. A mask file
        may have either size.

    Raises
    ------
    ValueError
        Prompts outside of the image, or masks that do not fit.
    """
    height, width = image.shape[:2]
    prompts = options.prompts
    prompts.check(*(shrunk_from or (height, width)))
    say_stage("segmenting", height, width)
    used, find, notes = _build(options)
    if shrunk_from is None:
        found = _find(find, used, image, prompts)
    else:
        found = _find_in_shrunk(find, used, image, prompts, shrunk_from)
    notes += getattr(found, "notes", ())
    if prompts:
        ranked = matter = found
    elif options.mask is not None:
        ranked = matter = rank(found)
    else:
        ranked = rank(found)
        matter = choose(ranked)
    if _sees_shrunk(used, height, width):
        ranked, matter = _enlarged(ranked, matter, (height, width))
    what = importance(matter, height, width, theta=options.theta, kind=options.kind)
    if (doubt := warning(what)) is not None:
        notes.append(doubt)
    record = {
        "segmenter": used,
        "mask": options.mask,
        "mask_sha256": None if options.mask is None else sha256_of(Path(options.mask)),
        "points": prompts.points,
        "boxes": prompts.boxes,
        "importance": options.kind,
        "num_masks": len(found),
    }
    if shrunk_from is not None:
        record["shrunk_from"] = f"{shrunk_from[1]}x{shrunk_from[0]}"
    return RegionOfInterest(what, tuple(ranked), tuple(notes), record)


def _find(find: Segmenter, used: str, image: Image, prompts: Prompts) -> list[Mask]:
    """Segment, or recall what was found before: by our own segmenters, whose sources we know.

    These look at a large picture shrunk to the size that they work at, and find masks of that.
    """
    if not _is_ours(used):
        return find(image, prompts)
    versions = (cache.version(name) for name in ("numpy", "scikit-image", "scipy", "torch"))
    size, image = size_of(image), shrink_large(image)
    prompts = scaled(prompts, size, size_of(image))
    about = (image, used, prompts.points, prompts.boxes, *versions)
    return unpack(cache.recall(lambda: pack(find(image, prompts)), *about, part="segmenters"))


def _is_ours(used: str) -> bool:
    return used.partition(":")[0] in _SLOW


def _sees_shrunk(used: str, height: int, width: int) -> bool:
    """Whether the masks of this segmenter are smaller than such a picture."""
    return _is_ours(used) and is_large(height, width)


def _enlarged(ranked: list[Mask], matter: list[Mask], size: Size) -> tuple[list[Mask], list[Mask]]:
    """Bring masks to the picture's size once they are ranked; those that matter are among them."""
    masks = in_threads(lambda i: resized_mask(ranked[i], size), range(len(ranked)))
    return masks, [masks[ranked.index(mask)] for mask in matter]


def _find_in_shrunk(
    find: Segmenter, used: str, image: Image, prompts: Prompts, shrunk_from: Size
) -> list[Mask]:
    """Segment a shrunk image, or shrink the masks that a file has of it at its former size."""
    size = size_of(image)
    there = scaled(prompts, shrunk_from, size)
    if used.partition(":")[0] != "from_file":
        return _find(find, used, image, there)
    try:
        found = find(np.empty((*shrunk_from, 3), dtype=np.uint8), prompts)
    except ValueError:
        with contextlib.suppress(ValueError):
            return find(image, there)
        raise
    return Masks((resized_mask(mask, size) for mask in found), getattr(found, "notes", ()))


def _build(options: RegionOptions) -> tuple[str, Segmenter, list[str]]:
    """Return the name for the record, the segmenter and what to tell the user."""
    if options.mask is not None:
        return "from_file", FromFile(path=options.mask, image=options.image), []
    segmenter, notes = options.segmenter, []
    if segmenter == "auto":
        segmenter = "mobile_sam" if weights.available() else "graph"
        why = "weights found" if segmenter == "mobile_sam" else weights.why_unavailable()
        notes.append(f"segmenter auto: using {segmenter} ({why})")
    find = _segmenter(segmenter)
    return getattr(find, "provenance", segmenter), find, notes


@functools.lru_cache(maxsize=4)
def _segmenter(spec: str) -> Segmenter:
    """Build a segmenter once: a network's weights take a second to load."""
    find: Segmenter = SEGMENTERS.create(spec)
    return find
