"""What matters in an image: a segmenter's masks, the user's prompts, and what follows for ``w``."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcom import weights
from semcom.importance import DEFAULT_THETA, Importance, importance
from semcom.segmenters.base import SEGMENTERS, Segmenter
from semcom.segmenters.from_file import FromFile
from semcom.segmenters.rank import choose, rank
from semcom.types import Image, Mask, Prompts


@dataclass(frozen=True, eq=False)
class Attention:
    """What matters in one image, and how that was found."""

    importance: Importance
    masks: tuple[Mask, ...]
    """Every mask found, most important first."""
    notes: tuple[str, ...]
    """What the user should know, a line each."""
    record: dict[str, Any]


def attend(
    image: Image,
    *,
    segmenter: str = "auto",
    prompts: Prompts = Prompts(),  # noqa: B008
    mask: str | Path | None = None,
    theta: float = DEFAULT_THETA,
    kind: str = "region",
) -> Attention:
    """Find what matters in ``image``.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    segmenter
        Segmenter by name, with options. ``"auto"`` is MobileSAM where its weights are present and
        ``graph`` otherwise; the record names what was used.
    prompts
        Points and boxes: the segments that they mean are what matters. Without prompts, the
        ranked masks matter from the top until they cover 30 % of the frame.
    mask
        File with masks, used instead of a segmenter; all of them matter.
    theta, kind
        See :func:`semcom.importance.importance`.

    Raises
    ------
    ValueError
        Unknown names, prompts outside of the image, masks that do not fit.
    """
    height, width = image.shape[:2]
    prompts.check(height, width)
    used, find, notes = _build(segmenter, mask)
    found = find(image, prompts)
    if prompts:
        ranked = matter = found
    elif mask is not None:
        ranked = matter = rank(found)
    else:
        ranked = rank(found)
        matter = choose(ranked)
    what = importance(matter, height, width, theta=theta, kind=kind)
    if not 0 < what.region.mean() < 1:
        notes.append("the region is empty or the whole frame: nothing to prefer, w = 1")
    record = {
        "segmenter": used,
        "mask": None if mask is None else {"path": str(mask), "sha256": _sha256(Path(mask))},
        "points": prompts.points,
        "boxes": prompts.boxes,
        "importance": kind,
        "num_masks": len(found),
    }
    return Attention(what, tuple(ranked), tuple(notes), record)


def _build(segmenter: str, mask: str | Path | None) -> tuple[str, Segmenter, list[str]]:
    """Return the name for the record, the segmenter and what to tell the user."""
    if mask is not None:
        return "from_file", FromFile(path=str(mask)), []
    notes = []
    if segmenter == "auto":
        segmenter = "mobile_sam" if weights.available() else "graph"
        why = "weights found" if segmenter == "mobile_sam" else "no MobileSAM weights"
        notes.append(f"segmenter auto: using {segmenter} ({why})")
    find = _segmenter(segmenter)
    return getattr(find, "provenance", segmenter), find, notes


@functools.lru_cache(maxsize=4)
def _segmenter(spec: str) -> Segmenter:
    """Build a segmenter once: a network's weights take a second to load."""
    find: Segmenter = SEGMENTERS.create(spec)
    return find


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
