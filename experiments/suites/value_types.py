"""Types of the values in a suite."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from semcom.errors import InputError
from semcom.scores.base import ALWAYS, SCORES, built
from semcom.scores.masks import IOU_CLEAN, MASK_SCORES

CLEAN_SCORES = ("clean_psnr_db", "clean_region_psnr_db")
"""Scores against the clean picture, of pictures that were disturbed."""
DRAWN_SCORES = (*ALWAYS, *CLEAN_SCORES, "lost")
"""The scores of every suite that depend on the draw of the channel."""
SCORE_NAMES = (*DRAWN_SCORES, IOU_CLEAN, *MASK_SCORES, "mask_area")
"""The scores that cost nothing more."""
OF_RECORD = (
    *("cbr", "expected_psnr_db", "region_area", "num_bits", "mask_area", IOU_CLEAN),
    *MASK_SCORES,
)
"""Numbers that are the same for every draw, by their names in the record."""


def several(value: Any) -> tuple[Any, ...]:
    """Convert a single value to a tuple of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def checked(check: Any) -> AfterValidator:
    """Return a validator that passes a value on unless ``check`` raises."""

    def passed(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(passed)


def _score(value: str) -> None:
    _check_score(value, SCORE_NAMES)


def _drawn_score(value: str) -> None:
    _check_score(value, DRAWN_SCORES)


def _check_score(value: str, known: tuple[str, ...]) -> None:
    """Refuse a score that is neither among those that cost nothing more nor a plug-in."""
    if value in known:
        return
    if value.partition(":")[0] not in SCORES.names():
        choices = ", ".join(dict.fromkeys((*known, *SCORES.names())))
        raise InputError(f"unknown score {value!r}; choices: {choices}")
    if ":" in value:
        built(value)
    else:
        SCORES.check(value)


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(several), Field(min_length=1)]
Many = Annotated[tuple[T, ...], BeforeValidator(several)]
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(lambda v: v + 0.0)]
"""A real number, not text and not a truth value; -0 becomes 0."""
Score = Annotated[str, checked(_score)]
DrawnScore = Annotated[str, checked(_drawn_score)]


class Section(BaseModel):
    """A part of a suite, which refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
