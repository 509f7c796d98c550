"""Types of the values in a suite."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from semcom.errors import InputError
from semcom.scores import SCORES

SCORE_NAMES = (*SCORES, "lost")


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
    if value not in SCORE_NAMES:
        raise InputError(f"unknown score {value!r}; choices: {', '.join(SCORE_NAMES)}")


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(several), Field(min_length=1)]
Many = Annotated[tuple[T, ...], BeforeValidator(several)]
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(lambda v: v + 0.0)]
"""A real number, not text and not a truth value; -0 becomes 0."""
Score = Annotated[str, checked(_score)]


class Section(BaseModel):
    """A part of a suite, which refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
