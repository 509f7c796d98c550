"""Opening a segmenter and asking it, or taking its masks from the cache."""

from __future__ import annotations

import contextlib
import functools
import re

import numpy as np

from semcom import cache
from semcom.checkpoints import mobile_sam as weights
from semcom.errors import InputError
from semcom.hashes import changes
from semcom.large import in_threads, is_large
from semcom.processor import processor
from semcom.segmenters.base import SEGMENTERS, Masks, Segmenter
from semcom.segmenters.inner import asked
from semcom.segmenters.mask_archive import pack, unpack
from semcom.sizes import Size, resized_mask, scaled, shrink_large, size_of
from semcom.types import Image, Mask, Prompts

_SLOW = re.compile(r"((median|blurred):of=)?(mobile_sam|graph|hf|sam3)(?![\w-])")
"""Segmenters whose masks are kept on disk (:mod:`semcom.cache`)."""
_HUB = re.compile(r"\b(hf|sam3)\b")
"""Segmenters whose masks depend on the release of transformers."""


def opened(spec: str) -> Segmenter:
    """Build a segmenter, or return the one that was built before of the same files."""
    _, options = SEGMENTERS.parse(spec)
    files = dict(options)
    if asked(spec) == "mobile_sam":
        files["checkpoint"] = str(weights.path())
    return _built(spec, changes(files))


@functools.lru_cache(maxsize=4)
def _built(spec: str, changed: tuple[int, ...]) -> Segmenter:  # noqa: ARG001
    """Build a segmenter; loading the weights of a network takes a second."""
    find: Segmenter = SEGMENTERS.create(spec)
    return find


def find_masks(
    find: Segmenter, used: str, image: Image, prompts: Prompts, shrunk_from: Size | None
) -> list[Mask]:
    """Ask a segmenter, known to records as ``used``, or take its masks from the cache.

    ``shrunk_from`` is the size that the prompts refer to, if the image was shrunk.
    """
    if shrunk_from is None:
        return _find(find, used, image, prompts)
    return _find_in_shrunk(find, used, image, prompts, shrunk_from)


def _find(find: Segmenter, used: str, image: Image, prompts: Prompts) -> list[Mask]:
    """Segment an image, or take the masks from the cache.

    Only masks of our own segmenters are cached, since we know their versions; the name of a network
    from the hub holds the state of its weights. These segmenters see a large picture at a smaller
    size, and their masks have that size.
    """
    if not _is_ours(used):
        return find(image, prompts)
    needed = ["numpy", "pillow", "scikit-image", "scipy", "torch"]
    if _HUB.search(used):
        needed.append("transformers")
    if "mobile_sam" in used:
        needed.append("timm")
    versions = [cache.version(name) for name in needed]
    machine = [f"{name} {value}" for name, value in processor().items() if name != "name"]
    size, image = size_of(image), shrink_large(image)
    prompts = scaled(prompts, size, size_of(image))
    # The name in records leaves out the options of MobileSAM's search.
    options = repr((getattr(find, "settings", ""), getattr(find, "device", "cpu")))
    asked_for = (prompts.points, prompts.boxes, prompts.text)
    about = (image, used, options, *asked_for, *versions, *machine, cache.sources("checkpoints"))
    return unpack(cache.recall(lambda: pack(find(image, prompts)), *about, part="segmenters"))


def _is_ours(used: str) -> bool:
    return _SLOW.match(used) is not None


def sees_shrunk(used: str, height: int, width: int) -> bool:
    """Whether this segmenter sees a picture of this size shrunk, so that its masks are smaller."""
    return _is_ours(used) and is_large(height, width)


def enlarged(ranked: list[Mask], matter: list[Mask], size: Size) -> tuple[list[Mask], list[Mask]]:
    """Enlarge ranked masks to the size of the picture; ``matter`` is a selection of them."""
    masks = in_threads(lambda i: resized_mask(ranked[i], size), range(len(ranked)))
    return masks, [masks[ranked.index(mask)] for mask in matter]


def _find_in_shrunk(
    find: Segmenter, used: str, image: Image, prompts: Prompts, shrunk_from: Size
) -> list[Mask]:
    """Segment a shrunk image, or shrink the masks that a file holds at the original size."""
    size = size_of(image)
    there = scaled(prompts, shrunk_from, size)
    if used.partition(":")[0] != "from_file":
        return _find(find, used, image, there)
    try:
        found = find(np.empty((*shrunk_from, 3), dtype=np.uint8), prompts)
    except InputError:
        with contextlib.suppress(InputError):
            return find(image, there)
        raise
    return Masks((resized_mask(mask, size) for mask in found), getattr(found, "notes", ()))
