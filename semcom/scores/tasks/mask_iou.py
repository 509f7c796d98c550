"""Whether a receiver that segments the received picture finds the object again."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np

from semcom.errors import InputError
from semcom.importance.looking import looking
from semcom.importance.region import RegionOptions
from semcom.scores.base import Look, Scored
from semcom.scores.masks import iou_or_none
from semcom.scores.tasks.remembered import Remembered
from semcom.segmenters.inner import TEXT_ALONE, asked
from semcom.segmenters.mask_prompts import bounding_box, deepest_point
from semcom.types import Image, Prompts, Region

PROMPTS = ("none", "point", "box")
AGAINST = ("sender", "region")


class MaskIou:
    """IoU of the receiver's mask with the sender's, or with the region that is scored.

    Parameters
    ----------
    segmenter
        The receiver's segmenter; empty for the sender's, with the sender's prompts.
    prompt
        With a segmenter of its own: ``"point"`` or ``"box"``, made from the region that is scored,
        or ``"none"``.
    against
        ``"sender"``: what the same segmenter with the same prompts finds in the picture that was
        sent. ``"region"``: the region that is scored, which is the true one if the suite has true
        masks (``scored: beside``).

    Raises
    ------
    ValueError
        An option is none of these, ``prompt`` is given without a segmenter, or the segmenter does
        not follow it.
    """

    label, unit, range = "mask IoU", "", (0.0, 1.0)
    better: Literal["higher"] = "higher"

    def __init__(
        self, *, segmenter: str = "", prompt: str = "none", against: str = "sender"
    ) -> None:
        for name, value, choices in (("prompt", prompt, PROMPTS), ("against", against, AGAINST)):
            if value not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
        if prompt != "none" and not segmenter:
            raise InputError(f"prompt={prompt} needs a segmenter, as in segmenter=graph")
        if segmenter:
            _check_own(segmenter, prompt)
        self.segmenter, self.prompt, self.against = segmenter, prompt, against
        self.needs_look = not segmenter
        self._looks: dict[int, tuple[Look, Remembered[Region]]] = {}

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the IoU; None if both masks are empty, or there is no region to make a prompt of.

        Raises
        ------
        ValueError
            The sender read a mask file, so that there is no segmenter to repeat.
        """
        look = self._own(scored.region) if self.segmenter else scored.look
        if look is None:
            if self.segmenter:
                return None
            raise InputError(
                "score 'mask_iou' repeats the sender's segmentation, but its mask is from a file: "
                "name a segmenter, as in mask_iou:segmenter=graph"
            )
        if self.against == "region":
            return iou_or_none(look(received), scored.region)
        return iou_or_none(look(received), self._sent(look, original))

    def _own(self, region: Region) -> Look | None:
        """Return the receiver's own way to find the region; None without an object to mark."""
        prompts = Prompts()
        if self.prompt != "none":
            if not region.any():
                return None
            marked = region.tobytes()
            prompts = _prompts(marked, region.shape, self.prompt)
        return _looking(RegionOptions(self.segmenter, prompts))

    def _sent(self, look: Look, original: Image) -> Region:
        """Return the mask in the picture that was sent, found once for all received pictures."""
        if id(look) not in self._looks:
            self._looks.clear()
            self._looks[id(look)] = look, Remembered(look)
        return self._looks[id(look)][1](original)


def _check_own(segmenter: str, prompt: str) -> None:
    """Refuse a segmenter of the receiver's own that cannot be asked so."""
    if asked(segmenter) in ("from_file", *TEXT_ALONE):
        raise InputError(f"segmenter={segmenter} does not look for objects in what arrived")
    RegionOptions(segmenter, Prompts() if prompt == "none" else Prompts(points=((0.0, 0.0),)))


@functools.lru_cache(maxsize=4)
def _prompts(marked: bytes, shape: tuple[int, int], kind: str) -> Prompts:
    region = np.frombuffer(marked, dtype=bool).reshape(shape)
    if kind == "point":
        return Prompts(points=(deepest_point(region),))
    return Prompts(boxes=(bounding_box(region),))


_looking = functools.lru_cache(maxsize=4)(looking)
