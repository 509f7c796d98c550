"""The checks of scores.

Each is a function of a :class:`Candidate`. It raises
:class:`~channels.conformance.base.CheckFailed` if a promise of
``docs/tutorials/adding-a-score.md`` is broken, and otherwise returns a remark, often empty.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from channels.conformance.base import TimedCandidate
from semcom.conformance.base import Check, CheckFailed, told
from semcom.conformance.isolated_process import ProcessError, run
from semcom.conformance.samples import crop, photo, region
from semcom.errors import InputError
from semcom.importance.maps import importance
from semcom.scores.base import SCORES, Score, Scored
from semcom.types import Image, Mask, Region

ABOUT = (
    "The class has a label, a unit (dB or empty), better (higher or lower), and a range of two "
    "numbers, the lower one first."
)
VALUE = "The result is a number within the range, infinite only if the range is, or None."
SIZES = (
    "Pictures have any size from 16x16, and the region may be empty or cover everything; where the "
    "score has no meaning, it is None."
)
BEST = "No picture scores better than an exact copy."
INPUT = "The pictures and the region are left as they are."
SAME = "The same pictures give the same score everywhere."
_SIZES = ((16, 16), (33, 61), (64, 32))
_NOTHING = "no value on the sample pictures"


class Candidate(TimedCandidate):
    """The score under test."""

    def score(self) -> Score:
        """Build the score; raise ``ValueError`` if its name or options are wrong."""
        built: Any = SCORES.create(self.spec)
        if not callable(built):
            raise InputError(f"score {self.spec!r} cannot be called")
        score: Score = built
        return score


def check_about(candidate: Candidate) -> str:
    """Read the attributes of the class."""
    plugin: Any = SCORES.load(candidate.spec.partition(":")[0])
    asked = "read the attributes of the class"
    for name in ("label", "unit", "better", "range"):
        if not hasattr(plugin, name):
            raise CheckFailed(asked, f"no {name}", ABOUT)
    if not isinstance(plugin.label, str) or not plugin.label:
        raise CheckFailed(asked, f"the label {plugin.label!r}", ABOUT)
    for name, choices in (("unit", ("dB", "")), ("better", ("higher", "lower"))):
        if getattr(plugin, name) not in choices:
            raise CheckFailed(asked, f"{name} = {getattr(plugin, name)!r}", ABOUT)
    try:
        low, high = map(float, plugin.range)
    except (TypeError, ValueError):
        raise CheckFailed(asked, f"the range {plugin.range!r}", ABOUT) from None
    if not low < high:
        raise CheckFailed(asked, f"the range {plugin.range!r}", ABOUT)
    return ""


def check_value(candidate: Candidate) -> str:
    """Score a photo with more and more noise."""
    score = candidate.score()
    found = [_score(score, photo(), _noisy(photo(), level), region()) for level in (0, 4, 16, 64)]
    return _NOTHING if all(value is None for value in found) else ""


def check_sizes(candidate: Candidate) -> str:
    """Score pictures of several sizes, with an empty and a full region."""
    score = candidate.score()
    for height, width in _SIZES:
        image = crop(20, 90, height, width)
        for inside in (False, True):
            _score(score, image, _noisy(image, 8), np.full((height, width), inside), SIZES)
    return ""


def check_best(candidate: Candidate) -> str:
    """Score an exact copy, and photos with noise."""
    score = candidate.score()
    best = _score(score, photo(), photo().copy(), region())
    if best is None:
        return _NOTHING
    sign = 1 if score.better == "higher" else -1
    for level in (4, 32):
        value = _score(score, photo(), _noisy(photo(), level), region())
        if value is not None and sign * value > sign * best:
            got = f"{value:g} with noise and {best:g} for the copy, {score.better} being better"
            raise CheckFailed("score an exact copy and a photo with noise", got, BEST)
    return ""


def check_input(candidate: Candidate) -> str:
    """Score a photo without changing anything."""
    original, received, inside = photo().copy(), _noisy(photo(), 8), region()
    kept = [one.copy() for one in (original, received, inside)]
    _score(candidate.score(), original, received, inside)
    if not all(map(np.array_equal, kept, (original, received, inside))):
        raise CheckFailed("score a photo", "a changed picture or region", INPUT)
    return ""


def check_same(candidate: Candidate) -> str:
    """Score a photo twice here and once in another process, with equal results."""
    score = candidate.score()
    first, again = (_score(score, photo(), _noisy(photo(), 8), region()) for _ in range(2))
    if first != again:
        raise CheckFailed("score a photo twice", f"{first} and {again}", SAME)
    asked = "score a photo here and in another process"
    try:
        there = run(_elsewhere, candidate, limit_s=candidate.check_limit_s)
    except ProcessError as error:
        raise CheckFailed(asked, str(error), SAME) from error
    if (first is None) != (there is None) or not math.isclose(first or 0, there or 0, rel_tol=1e-6):
        raise CheckFailed(asked, f"{first} and {there}", SAME)
    return ""


SCORE_CHECKS = (
    Check("about", ABOUT, check_about),
    Check("value", VALUE, check_value),
    Check("sizes", SIZES, check_sizes),
    Check("best", BEST, check_best),
    Check("input", INPUT, check_input),
    Check("same", SAME, check_same),
)


def _elsewhere(candidate: Candidate) -> float | None:
    return _score(candidate.score(), photo(), _noisy(photo(), 8), region())


def _noisy(image: Image, level: float) -> Image:
    """Add Gaussian noise of a standard deviation in grey levels."""
    noise = np.random.default_rng(0).normal(0, level, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def _look(image: Image) -> Region:
    """Find what is bright, in place of a sender's segmenter."""
    return np.asarray(image.mean(axis=2) > 128)


def _score(
    score: Score, original: Image, received: Image, inside: Region, promise: str = VALUE
) -> float | None:
    """Score a picture, and check what comes back."""
    height, width = original.shape[:2]
    asked = f"score a picture of {width}x{height}"
    scored = Scored(importance([Mask(inside)], height, width), _look)
    try:
        value: Any = score(original, received, scored)
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise CheckFailed(asked, f"a {type(value).__name__} and not a number", VALUE) from None
    low, high = map(float, score.range)
    if math.isnan(number) or not low - 1e-5 <= number <= high + 1e-5:
        raise CheckFailed(asked, f"{number:g}, outside {low:g} to {high:g}", VALUE)
    return number
