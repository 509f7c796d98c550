"""The region of interest of an image, from a segmenter's masks and the user's prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semcom.checkpoints import mobile_sam as weights
from semcom.detectors.base import DEFAULT as DEFAULT_DETECTOR
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import mask_beside
from semcom.importance.by_text import check_prompts, mark
from semcom.importance.maps import (
    AUTO,
    DEFAULT_THETA,
    Importance,
    Theta,
    check_kind,
    check_theta,
    confidence,
    importance,
    warning,
)
from semcom.importance.ranking import choose, rank
from semcom.importance.segmenting import enlarged, find_masks, opened, sees_shrunk
from semcom.large import say_stage
from semcom.segmenters.base import SEGMENTERS, Segmenter
from semcom.segmenters.from_file.segmenter import FromFile, check_mask_file
from semcom.segmenters.inner import asked, resolved
from semcom.sizes import Size
from semcom.types import Image, Mask, Prompts

Select = Callable[[Sequence[Mask]], list[Mask]]


@dataclass(frozen=True, eq=False)
class RegionOfInterest:
    """The region of an image that matters, and how it was found.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((96, 96, 3), 40, dtype=np.uint8)
    >>> image[32:64, 24:56] = (220, 40, 40)  # a red square on a dark ground
    >>> found = find_region(image, RegionOptions("graph", Prompts(points=((40, 48),))))
    >>> len(found.masks), int(found.masks[0].pixels.sum()), int(found.importance.region.sum())
    (1, 1024, 1024)
    >>> found.record["segmenter"], found.record["points"], found.notes
    ('graph', ((40.0, 48.0),), ())
    """

    importance: Importance
    masks: tuple[Mask, ...]
    """All masks that were found: in the order of the prompts, or else most important first."""
    notes: tuple[str, ...]
    """Notes for the user, one line each."""
    record: dict[str, Any]
    """The settings and the segmenter, for the record of a delivery."""


@dataclass(frozen=True)
class RegionOptions:
    """Options that decide which parts of an image matter, and how much.

    Parameters
    ----------
    segmenter
        Segmenter by name, with options. ``"auto"`` is MobileSAM if its weights are present, and
        otherwise ``graph``, which follows contrast and needs no weights; the record names the
        segmenter that was used.
    prompts
        Points, boxes and texts that mark the important segments. Without prompts, the mask
        of highest rank is important, and those that nearly equal it, up to 30 % of the frame
        (:func:`semcom.importance.ranking.choose`).
    mask
        File with masks to use instead of a segmenter; all of them are important. ``"beside"``
        stands for ``NAME_mask.png`` beside each image. If the file shows no object, all pixels
        weigh alike.
    theta, kind
        Share of the total weight that the region gets, and the kind of importance map; see
        :func:`semcom.importance.maps.importance`.
    image
        File of the image, if there is one. A mask file for several images refers to them by name.
    detector
        Detector by name, with options, that finds what the texts name
        (:data:`semcom.detectors.base.DETECTORS`).

    Raises
    ------
    ValueError
        If a name is unknown, a mask and a segmenter are both given, θ is outside (0, 1), a detector
        has no text to look for, or a text has a segmenter that follows no prompts.

    Examples
    --------
    >>> RegionOptions("graph", Prompts(points=((320, 200),)), theta=0.8).theta
    0.8
    >>> RegionOptions("grpah")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: unknown segmenter 'grpah' (did you mean 'graph'?); choices: ...
    """

    segmenter: str = "auto"
    prompts: Prompts = field(default_factory=Prompts)
    mask: str | None = None
    theta: Theta = DEFAULT_THETA
    kind: str = "region"
    image: str = ""
    detector: str = DEFAULT_DETECTOR

    def __post_init__(self) -> None:
        check_theta(self.theta)
        check_kind(self.kind)
        if self.segmenter != "auto":
            SEGMENTERS.parse(self.segmenter)  # a misspelt name is refused before images are read
        check_prompts(self.prompts, self.segmenter, self.detector)
        if self.mask is not None and self.segmenter != "auto":
            raise InputError(
                f"mask {self.mask} and segmenter {self.segmenter!r} exclude each other: give one"
            )
        if self.mask == "":
            raise InputError("mask needs the path of a file, got ''")
        if self.mask not in (None, "beside"):
            check_mask_file(Path(str(self.mask)))

    @property
    def reads_masks(self) -> bool:
        """Whether the masks come from a file, so that they cannot be found in another picture."""
        return self.mask is not None or asked(self.segmenter) == "from_file"

    def beside(self, image: Path) -> RegionOptions:
        """Return the options for the image in a file, with ``mask="beside"`` resolved."""
        mask = self.mask
        if mask == "beside":
            mask = str(mask_beside(image))
        return replace(self, mask=mask, image=str(image))


def find_region(
    image: Image,
    options: RegionOptions = RegionOptions(),
    *,
    select: Select = choose,
    shrunk_from: Size | None = None,
) -> RegionOfInterest:
    """Find the region of an image that matters.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    options
        Segmenter, prompts, mask and θ.
    select
        Function that returns those that matter of ranked masks, if there are neither prompts nor a
        mask file.
    shrunk_from
        Height and width of the image before it was shrunk. Prompts refer to that size; a mask file
        may have either size.

    Raises
    ------
    ValueError
        If prompts lie outside the image, or masks do not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((96, 96, 3), 40, dtype=np.uint8)
    >>> image[32:64, 24:56] = (220, 40, 40)  # a red square on a dark ground
    >>> found = find_region(image, RegionOptions("graph", Prompts(points=((40, 48),))))
    >>> bool(found.importance.region[32:64, 24:56].all()), int(found.importance.region.sum())
    (True, 1024)
    """
    height, width = image.shape[:2]
    prompts = options.prompts
    prompts.check(*(shrunk_from or (height, width)), text=True)
    say_stage("segmenting", height, width)
    used, find, notes = _build(options)
    marked = mark(find, image, prompts, options.detector, shrunk_from or (height, width))
    if prompts and not marked.prompts:
        found = []
    else:
        found = find_masks(find, used, image, marked.prompts, shrunk_from)
    notes += getattr(found, "notes", ())
    found = marked.labelled(found)
    notes += marked.missed(found)
    if prompts:
        ranked = matter = found
    elif options.mask is not None:
        ranked = matter = rank(found)
    else:
        ranked = rank(found)
        matter = select(ranked)
    if sees_shrunk(used, height, width):
        ranked, matter = enlarged(ranked, matter, (height, width))
    what = importance(matter, height, width, theta=options.theta, kind=options.kind)
    if (doubt := warning(what)) is not None:
        notes.append(doubt)
    record: dict[str, Any] = {
        "segmenter": used,
        "mask": options.mask,
        "mask_sha256": sha256_of(Path(find.path)) if isinstance(find, FromFile) else None,
        "points": prompts.points,
        "boxes": prompts.boxes,
        "importance": options.kind,
        "num_masks": len(found),
        **marked.record,
    }
    if used.startswith("mobile_sam:") and ":" in options.segmenter:
        record["segmenter_asked"] = options.segmenter  # its name above leaves the options out
    if options.theta == AUTO:
        record["confidence"] = confidence(matter)
    if shrunk_from is not None:
        record["shrunk_from"] = f"{shrunk_from[1]}x{shrunk_from[0]}"
    return RegionOfInterest(what, tuple(ranked), tuple(notes), record)


def _build(options: RegionOptions) -> tuple[str, Segmenter, list[str]]:
    """Return the segmenter's name for the record, the segmenter, and notes for the user."""
    if options.mask is not None:
        return "from_file", FromFile(path=options.mask, image=options.image), []
    segmenter, notes = options.segmenter, []
    if segmenter == "auto":
        segmenter = resolved("auto")
        why = "weights found" if segmenter == "mobile_sam" else weights.why_unavailable()
        notes.append(f"segmenter auto: using {segmenter} ({why})")
    find = opened(segmenter)
    return getattr(find, "provenance", segmenter), find, notes
