"""The importance map ``w`` of an image, from its masks.

``w`` (H, W) float32, at least 0, of mean 1, is the weight of each pixel's squared error. θ in
(0, 1) is the region's share of the total weight; ``a`` is the region's fraction of the frame.

region
    ``w = θ/a`` inside the union of the masks, ``(1-θ)/(1-a)`` outside. The weighted PSNR is then
    the θ-PSNR of Wu et al. (Digital Communications and Networks, 2023).
graded
    The r-th mask, r = 0, 1, …, gets ``w = θ·2^-r / Σ_j a_j·2^-j``, where ``a_j`` is the part of
    the frame that mask j covers and no mask before it does; outside as above. The region keeps
    its share θ, and the first mask weighs twice as much per pixel as the second.

If the region is empty or fills the frame, all pixels are equal: ``w = 1``.

θ may be ``"auto"``. The masks are then trusted as far as the segmenter trusts them: with the
probability ``c``, its confidence (:func:`confidence`), ``w`` is that of the default θ, and with the
probability ``1-c`` nothing is known and ``w = 1``. The map is the mean ``c·w + (1-c)``. A squared
error that is weighted by it is the expected weighted error, since that is linear in ``w``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from semcom.errors import InputError
from semcom.images import check_mask
from semcom.types import Map, Mask, Region

KINDS = ("region", "graded")
DEFAULT_THETA = 0.65
AUTO: Literal["auto"] = "auto"
Theta = float | Literal["auto"]


@dataclass(frozen=True, eq=False)
class Importance:
    """The important pixels of one image, and their weights.

    Examples
    --------
    >>> pixels = np.zeros((32, 32), dtype=bool)
    >>> pixels[8:24, 8:24] = True
    >>> known = importance([Mask(pixels)], 32, 32)
    >>> blind = known.blind()
    >>> bool((blind.w == 1).all()), bool((blind.region == known.region).all())
    (True, True)
    """

    w: Map
    """The map that steers the sender."""
    region: Region
    """Union of the important masks, which the scores refer to."""
    masks: tuple[Mask, ...]
    """The important masks: in the order of the prompts, or else most important first."""
    theta: float
    """The region's share of the weight."""

    def blind(self) -> Importance:
        """Return the same region for scoring, with w = 1 for a sender that does not know it."""
        return Importance(np.ones_like(self.w), self.region, self.masks, self.theta)


def importance(
    masks: Sequence[Mask],
    height: int,
    width: int,
    *,
    theta: Theta = DEFAULT_THETA,
    kind: str = "region",
) -> Importance:
    """Compute the importance map of ranked masks by the formulas above.

    Parameters
    ----------
    masks
        The important masks; may be empty. With ``kind="graded"``, earlier ones weigh more.
    height, width
        Size of the image.
    theta
        The region's share of the weight, in (0, 1); or ``"auto"``, the default θ, drawn towards the
        region's share of the frame where the segmenter is not sure of its masks.
    kind
        ``"region"`` or ``"graded"``.

    Raises
    ------
    ValueError
        θ outside (0, 1), unknown kind, or a mask of another size.

    Examples
    --------
    A quarter of the frame with θ = 0.75 weighs 3 per pixel inside and 1/3 outside, 1 on average:

    >>> pixels = np.zeros((32, 32), dtype=bool)
    >>> pixels[8:24, 8:24] = True
    >>> w = importance([Mask(pixels)], 32, 32, theta=0.75).w
    >>> round(float(w[16, 16]), 3), round(float(w[0, 0]), 3), round(float(w.mean()), 3)
    (3.0, 0.333, 1.0)
    """
    check_theta(theta)
    check_kind(kind)
    for mask in masks:
        check_mask(mask.pixels, height, width)
    region = np.zeros((height, width), dtype=bool)
    steps = np.zeros((height, width))
    for r, mask in enumerate(masks):
        steps[mask.pixels & ~region] = 0.5**r if kind == "graded" else 1.0
        region |= mask.pixels
    area, share = float(region.mean()), DEFAULT_THETA if theta == AUTO else float(theta)
    if area in (0.0, 1.0):
        w = np.ones((height, width))
    else:
        w = np.where(region, share * steps / steps.mean(), (1 - share) / (1 - area))
    if theta == AUTO and 0 < area < 1:
        trust = confidence(masks)
        w, share = trust * w + (1 - trust), trust * share + (1 - trust) * area
    return Importance(w.astype(np.float32), region, tuple(masks), share)


def confidence(masks: Sequence[Mask]) -> float:
    """Return how sure the segmenter is of these masks, 0 to 1: the mean of their scores by area.

    It is 0 without masks. Masks from files have a score of 1 unless the file says otherwise.

    Examples
    --------
    >>> pixels = np.zeros((2, 4), dtype=bool)
    >>> pixels[:, :3] = True
    >>> confidence([Mask(pixels, score=0.75), Mask(~pixels, score=0.25)])  # three parts and one
    0.625
    """
    areas = [np.count_nonzero(mask.pixels) for mask in masks]
    scores = [min(max(float(mask.score), 0.0), 1.0) for mask in masks]
    total = sum(areas)
    return sum(a * s for a, s in zip(areas, scores, strict=True)) / total if total else 0.0


def warning(what: Importance) -> str | None:
    """Explain in a sentence why the map has little effect; return None if it is useful."""
    area = float(what.region.mean())
    if not 0 < area < 1:
        return "the region is empty or fills the frame, so importance has no effect (w = 1)"
    theta, times = what.theta, float(what.w.max() / max(what.w.min(), 1e-9))
    if area > theta:
        return (
            f"the region is {area:.0%} of the frame, but θ = {theta:.3g} gives it less of the "
            f"weight: other pixels count up to {times:.2g} times as much as those of the region"
        )
    if area > theta / 2:
        return (
            f"the region is {area:.0%} of the frame: with θ = {theta:.3g} its pixels count at most "
            f"{times:.2g} times as much as the others, so there is little to gain"
        )
    return None


def check_theta(theta: float | str) -> None:
    """Raise ``ValueError`` for a θ that is neither in (0, 1) nor ``"auto"``."""
    if theta != AUTO and (isinstance(theta, str) or not 0 < theta < 1):
        raise InputError(f"theta must be in (0, 1), or {AUTO}, got {theta}")


def check_kind(kind: str) -> None:
    """Raise ``ValueError`` for an unknown kind of importance."""
    if kind not in KINDS:
        raise InputError(f"unknown importance {kind!r}; choices: {', '.join(KINDS)}")


def check_map(w: Map, height: int, width: int) -> None:
    """Raise ``ValueError`` unless ``w`` is an importance map for an image of this size."""
    if w.shape != (height, width):
        raise InputError(f"importance map has shape {w.shape}, the image is {(height, width)}")
    if not np.isfinite(w).all():
        raise InputError(f"importance map has {int((~np.isfinite(w)).sum())} values not finite")
    if w.min() < 0:
        raise InputError(f"importance must be at least 0, got {w.min():g}")
    if abs(float(w.mean(dtype=np.float64)) - 1) > 1e-3:
        raise InputError(f"importance must have mean 1, got {w.mean(dtype=np.float64):.6g}")
