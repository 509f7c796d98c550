"""The checks of disturbances.

Each is a function of a :class:`Candidate`. It raises
:class:`~channels.conformance.base.CheckFailed` if a promise of
``docs/tutorials/adding-a-disturbance.md`` is broken, and otherwise returns an empty remark.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from channels.conformance.base import TimedCandidate
from semcom.conformance.base import Check, CheckFailed, told
from semcom.conformance.isolated_process import ProcessError, run
from semcom.conformance.samples import crop, photo, region
from semcom.disturbances.base import DISTURBANCES, LEAST_SIDE, SEVERITIES, Disturbance
from semcom.errors import InputError
from semcom.hashes import digest
from semcom.types import Image, Region

PICTURE = (
    "The result is a picture of the same size, (H, W, 3) uint8, at every severity from 1 to 5."
)
INPUT = "The input is left as it is."
SEED = "Randomness comes from seed alone: the same arguments give the same picture everywhere."
TRUTH = "The truth is given only to a disturbance with needs_truth = True; others get None."
EFFECT = "Something happens: a photo at severity 5 is not what it was."
_SIZES = ((LEAST_SIDE, LEAST_SIDE), (33, 61), (64, 32))


class Candidate(TimedCandidate):
    """The disturbance under test."""

    def disturbance(self) -> Disturbance:
        """Build the disturbance; raise ``ValueError`` if its name or options are wrong."""
        built: Any = DISTURBANCES.create(self.spec)
        if hasattr(built, "of"):
            raise InputError(f"disturbance {self.spec!r} reads pictures by name: nothing to check")
        if not callable(built):
            raise InputError(f"disturbance {self.spec!r} cannot be called")
        disturbance: Disturbance = built
        return disturbance


def check_pictures(candidate: Candidate) -> str:
    """Disturb pictures of several sizes at every severity."""
    disturbance = candidate.disturbance()
    pictures = [photo().copy(), *(crop(20, 90, height, width) for height, width in _SIZES)]
    for image in pictures:
        for severity in SEVERITIES if image is pictures[0] else (3,):
            _disturb(disturbance, image, severity)
    return ""


def check_input(candidate: Candidate) -> str:
    """Disturb a photo without changing it."""
    image = photo().copy()
    _disturb(candidate.disturbance(), image, 3)
    if not np.array_equal(image, photo()):
        raise CheckFailed("disturb a photo", "a changed input", INPUT)
    return ""


def check_seed(candidate: Candidate) -> str:
    """Disturb a photo twice here and once in another process, with equal results."""
    disturbance, image = candidate.disturbance(), crop(20, 90, 64, 96)
    before = _global_states()
    first = _disturb(disturbance, image, 3)
    after = _global_states()
    asked = "disturb a photo twice with one seed"
    if after != before:
        raise CheckFailed(asked, "a changed state of a global random generator", SEED)
    if not np.array_equal(first, _disturb(disturbance, image, 3)):
        raise CheckFailed(asked, "two different pictures", SEED)
    asked = "disturb a photo here and in another process with one seed"
    try:
        there = run(_digest, candidate, image, limit_s=candidate.check_limit_s)
    except ProcessError as error:
        raise CheckFailed(asked, str(error), SEED) from error
    if there != digest(first):
        raise CheckFailed(asked, "two different pictures", SEED)
    return ""


def check_effect(candidate: Candidate) -> str:
    """Disturb a photo so that it can be seen."""
    if np.array_equal(_disturb(candidate.disturbance(), photo().copy(), 5), photo()):
        raise CheckFailed("disturb a photo at severity 5", "the same photo", EFFECT)
    return ""


def check_truth(candidate: Candidate) -> str:
    """Disturb a photo of which nothing or everything is the object."""
    disturbance = candidate.disturbance()
    if getattr(disturbance, "needs_truth", False):
        for value in (False, True):
            image = crop(20, 90, 64, 96)
            _disturb(disturbance, image, 3, np.full(image.shape[:2], value), promise=TRUTH)
    else:
        _disturb(disturbance, crop(20, 90, 64, 96), 3, promise=TRUTH)
    return ""


DISTURBANCE_CHECKS = (
    Check("pictures", PICTURE, check_pictures),
    Check("input", INPUT, check_input),
    Check("seed", SEED, check_seed),
    Check("truth", TRUTH, check_truth),
    Check("effect", EFFECT, check_effect),
)


def _global_states() -> tuple[object, ...]:
    """Return the states of the random generators that everybody shares."""
    _, key, place, *rest = np.random.get_state()  # noqa: NPY002
    return np.asarray(key).tolist(), place, rest, random.getstate()


def _digest(candidate: Candidate, image: Image) -> str:
    return digest(_disturb(candidate.disturbance(), image, 3))


def _disturb(
    disturbance: Disturbance,
    image: Image,
    severity: int,
    truth: Region | None = None,
    promise: str = PICTURE,
) -> Image:
    """Disturb a picture, and check what comes back."""
    height, width = image.shape[:2]
    asked = f"disturb a picture of {width}x{height} at severity {severity}"
    if truth is None and getattr(disturbance, "needs_truth", False):
        truth = region()[20 : 20 + height, 90 : 90 + width]
        truth = truth if truth.shape == (height, width) else region()
    try:
        seen: Any = disturbance(image, severity=severity, seed=7, truth=truth)
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error
    if not isinstance(seen, np.ndarray):
        raise CheckFailed(asked, f"a {type(seen).__name__} and not an array", PICTURE)
    if seen.shape != image.shape or seen.dtype != np.uint8:
        raise CheckFailed(asked, f"an array of {seen.dtype} and shape {seen.shape}", PICTURE)
    return seen
