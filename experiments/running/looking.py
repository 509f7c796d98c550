"""What a sender sees of an image: the picture, disturbed or not, and the region in it."""

from __future__ import annotations

import functools
import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.datasets.items import Item
from experiments.suites.setting import BESIDE, Choice, Setting
from semcom.disturbances.apply import Disturb, disturbed
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import load_image
from semcom.importance.looking import looking
from semcom.importance.maps import Importance
from semcom.importance.ranking import choose
from semcom.importance.region import (
    RegionOfInterest,
    RegionOptions,
    Select,
    find_region,
)
from semcom.scores.base import Look
from semcom.scores.masks import mask_scores
from semcom.segmenters.mask_prompts import bounding_box, deepest_point
from semcom.segmenters.overlap import iou
from semcom.types import Image, Mask, Prompts, Region


@functools.lru_cache(maxsize=2)
def load(item: Item) -> Image:
    """Read an image, which must not have changed."""
    _check_same(item.path, item.sha256)
    return load_image(item.path)[0]


@functools.lru_cache(maxsize=2)
def seen_of(item: Item, disturb: Disturb | None) -> Image:
    """Return what the camera sees of an image."""
    if disturb is None:
        return load(item)
    truth = None if item.mask is None else _truth(item)
    return disturbed(load(item), disturb, truth=truth, source=str(item.path))


@functools.lru_cache(maxsize=8)
def see(
    item: Item,
    region_options: RegionOptions,
    disturb: Disturb | None = None,
    masks: Choice = "chosen",
) -> RegionOfInterest:
    """Find the region in what is seen of an image."""
    if region_options.mask is not None and item.mask is not None:
        _check_same(item.mask, item.mask_sha256)
    return find_region(seen_of(item, disturb), region_options, select=_select(item, masks))


def _select(item: Item, masks: Choice) -> Select:
    """Return the function that chooses the masks that matter."""
    return choose if masks == "chosen" else functools.partial(_best, _truth(item))


def _best(truth: Region, masks: Sequence[Mask]) -> list[Mask]:
    """Return the mask that is closest to the true one."""
    return [max(masks, key=lambda mask: iou(mask.pixels, truth))] if masks else []


def _check_same(path: Path, sha256: str) -> None:
    """Raise ``ValueError`` if a file is not the one that the id of a task refers to."""
    if not path.is_file():
        raise InputError(f"{path}: no such file on {platform.node()}")
    if sha256_of(path) != sha256:
        raise InputError(f"{path} has changed since the run was planned")


def region_to_send(item: Item, setting: Setting) -> RegionOfInterest:
    """Find the region that steers the sender."""
    return see(item, _options(item, setting), setting.disturb, setting.masks)


def region_to_score(item: Item, setting: Setting) -> Importance:
    """Find the region that the scores refer to."""
    if setting.scored == BESIDE:
        return see(item, setting.options_of_mask(item.mask)).importance
    disturb = setting.disturb if setting.scored == "own" else None
    return see(item, _options(item, setting), disturb, setting.masks).importance


def look_of(item: Item, setting: Setting) -> Look | None:
    """Return the sender's way to find its region, for another picture; None for a mask file."""
    options = _options(item, setting)
    if options.reads_masks:
        return None
    return looking(options, select=_select(item, setting.masks))


def scores_of_masks(item: Item, setting: Setting) -> dict[str, Any]:
    """Score the masks that were found, where the suite has true masks or disturbs the picture."""
    if not setting.looks_at_masks:
        return {}
    options = _options(item, setting)
    return dict(_scores(item, options, setting.disturb, setting.masks, setting.needs_mask))


@functools.lru_cache(maxsize=64)
def _scores(
    item: Item, options: RegionOptions, disturb: Disturb | None, masks: Choice, with_truth: bool
) -> tuple[tuple[str, float | None], ...]:
    found = see(item, options, disturb, masks).importance.region
    truth = _truth(item) if with_truth else None
    clean = None if disturb is None else see(item, options, None, masks).importance.region
    area = float(found.mean())
    return tuple({"mask_area": area, **mask_scores(found, truth=truth, clean=clean)}.items())


def _options(item: Item, setting: Setting) -> RegionOptions:
    """Return the options of the region, with the prompt that the true mask gives.

    The point is the one that is furthest from the edge of the true mask.
    """
    options = setting.region_options(item.mask)
    if setting.prompt == "none" or options.mask is not None:
        return options
    truth = _truth(item)
    if not truth.any():
        raise InputError(f"{item.mask} shows no object to make a {setting.prompt} of")
    if setting.prompt == "point":
        return replace(options, prompts=Prompts(points=(deepest_point(truth),)))
    return replace(options, prompts=Prompts(boxes=(bounding_box(truth),)))


def _truth(item: Item) -> Region:
    """Return the true mask of an image."""
    return see(item, RegionOptions(mask=str(item.mask))).importance.region
