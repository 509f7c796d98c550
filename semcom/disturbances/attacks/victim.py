"""The segmenter that an attack computes gradients of, and the prompts that it gives it."""

from __future__ import annotations

import functools
from typing import Protocol

import numpy as np
from torch import Tensor

from semcom.errors import InputError
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mask_prompts import deepest_point
from semcom.types import Prompts, Region

MOST_POINTS = 400


class Differentiable(Protocol):
    """A segmenter with gradients."""

    def logits(self, image: Tensor, prompts: Prompts) -> Tensor:
        """Return logits (B, H, W) of a mask for each prompt, for an image (3, H, W), 0 to 255."""
        ...


def check_victim(spec: str) -> None:
    """Refuse a segmenter that is unknown, has no gradients, or lacks an option of ``spec``.

    Its weights are not loaded.
    """
    factory, _ = SEGMENTERS.parse(spec)
    if not hasattr(factory, "logits"):
        name = spec.partition(":")[0]
        able = [n for n in SEGMENTERS.names() if n == "mobile_sam" or _has_logits(n)]
        raise InputError(
            f"victim {name!r} has no gradients (a method logits); choices: {', '.join(able)}"
        )


def _has_logits(name: str) -> bool:
    if SEGMENTERS.entry(name).missing:
        return False
    try:
        return hasattr(SEGMENTERS.load(name), "logits")
    except InputError:  # another plug-in that cannot be imported
        return False


@functools.lru_cache(maxsize=2)
def victim(spec: str) -> Differentiable:
    """Build the segmenter, which loads its weights."""
    segmenter: Differentiable = SEGMENTERS.create(spec)
    return segmenter


def source_points(truth: Region, count: int, rng: np.random.Generator) -> Prompts:
    """Return prompts in the true mask: its innermost point, and random others.

    Each is a prompt of its own.
    """
    places = np.argwhere(truth)
    others = places[rng.choice(len(places), size=count - 1, replace=len(places) < count - 1)]
    random = ((float(x), float(y)) for y, x in others.tolist())
    return Prompts(points=(deepest_point(truth), *random))
