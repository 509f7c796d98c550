"""A suite: an experiment as one YAML file, checked as a whole before anything runs.

Every axis of :class:`experiments.setting.Setting` takes one value or a list, and the suite is their
product. ``systems`` are named; each replaces some axes. ``points`` are parts of the grid, each of
which replaces some axes; the suite is their union. ``exclude`` drops what has all of the values of
one of its entries.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from channels.channels import CHANNELS, PACKET_CHANNELS
from channels.mcs import find_scheme
from channels.units import parse_cbr
from experiments import literature
from experiments.grid import AXES as AXES
from experiments.grid import SWEPT as SWEPT
from experiments.grid import Part, check_size, holds, label_of, part_of
from experiments.links import parse_snrs
from experiments.setting import BESIDE, BEST_SCHEMES, Setting
from semcom import weights
from semcom.codecs.base import CODECS
from semcom.frame import MAX_COPIES
from semcom.importance import check_kind, check_theta
from semcom.scores import SCORES
from semcom.segmenters.base import SEGMENTERS

SCORE_NAMES = (*SCORES, "lost")


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _snrs(value: Any) -> tuple[Any, ...]:
    found: list[Any] = []
    problems = []
    for part in _several(value):
        try:
            found += parse_snrs(part) if isinstance(part, str) else (part,)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def _cbr(value: Any) -> str:
    return str(parse_cbr(str(value)))


def _segmenter(value: str) -> str:
    if value == "auto":
        return "mobile_sam" if weights.available() else "graph"
    if value != BESIDE:
        SEGMENTERS.parse(value)
    return value


def _scheme(value: str) -> str:
    if value and value not in BEST_SCHEMES:
        try:
            find_scheme(value)
        except ValueError as error:
            raise ValueError(f"{error}; or {', '.join(BEST_SCHEMES)}") from None
    return value


def _checked(check: Any) -> AfterValidator:
    """Pass a value on that ``check`` does not refuse."""

    def passed(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(passed)


def _score(value: str) -> None:
    if value not in SCORE_NAMES:
        raise ValueError(f"unknown score {value!r}; choices: {', '.join(SCORE_NAMES)}")


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(_several), Field(min_length=1)]
Many = Annotated[tuple[T, ...], BeforeValidator(_several)]
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(lambda v: v + 0.0)]
"""No text and no yes or no; and -0 is 0."""
Decibels = Annotated[Real, Field(ge=-300, le=300)]
Codec = Annotated[str, _checked(CODECS.parse)]
Score = Annotated[str, _checked(_score)]


class _Part(BaseModel):
    """A part of a suite: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Axes(_Part):
    """Values for some axes; see :class:`experiments.setting.Setting` for what they mean."""

    segmenter: Several[Annotated[str, AfterValidator(_segmenter)]] | None = None
    scored: Several[Literal["own", "beside"]] | None = None
    importance: Several[Annotated[str, _checked(check_kind)]] | None = None
    theta: Several[Annotated[Real, _checked(check_theta)]] | None = None
    blind: Several[bool] | None = None
    codec: Several[Codec] | None = None
    bound: Several[bool] | None = None
    channel: Several[Annotated[str, _checked(CHANNELS.create)]] | None = None
    csi: Several[Literal["perfect", "pilots"]] | None = None
    pilots: Several[Annotated[Whole, Field(ge=1)]] | None = None
    scheme: Several[Annotated[str, AfterValidator(_scheme)]] | None = None
    protection: Several[Literal["equal", "unequal", "graceful"]] | None = None
    copies: Several[Annotated[Whole, Field(ge=1, le=MAX_COPIES)]] | None = None
    planned_snr_db: Several[Decibels | None] | None = None
    planned_std_db: Several[Annotated[Real, Field(ge=0, le=30)]] | None = None
    losses: Several[Annotated[str, _checked(lambda v: v and PACKET_CHANNELS.create(v))]] | None = (
        None
    )
    seed: Several[Annotated[Whole, Field(ge=0, lt=2**53)]] | None = None
    cbr: Several[Annotated[str, BeforeValidator(_cbr)]] | None = None
    snr_db: Annotated[tuple[Decibels, ...], BeforeValidator(_snrs), Field(min_length=1)] | None = (
        None
    )

    def values(self) -> dict[str, tuple[Any, ...]]:
        """Return the axes that are given, each value once."""
        given = ((name, getattr(self, name)) for name in AXES)
        return {name: tuple(dict.fromkeys(v)) for name, v in given if v is not None}


class Exclude(Axes):
    """What is left out: all that has these values, in these systems."""

    system: Several[str] | None = None


class Draws(_Part):
    """How often the channel is drawn for each image, and when a point has been measured.

    A point is a setting; its mean is over the images. Rounds of draws double; after each, a point
    is done where the 95 % interval of the mean of ``score`` over the draws is narrow enough, and
    the share of lost pictures is known to ``lost_within`` (no loss so far is no proof of none).
    Without ``within`` and ``relative``, all of ``most`` are drawn.
    """

    most: Whole = Field(1, ge=1, le=1_000_000)
    first: Whole = Field(8, ge=2)
    score: Score = "psnr_db"
    within: Real | None = Field(None, gt=0)
    """Half-width of the interval, in the units of the score."""
    relative: Real | None = Field(None, gt=0)
    """Half-width as a share of the mean."""
    lost_within: Real = Field(0.05, gt=0)

    @property
    def stops(self) -> bool:
        """Whether points may be done before ``most``."""
        return self.within is not None or self.relative is not None

    def rounds(self) -> list[int]:
        """How many draws there are at the end of each round: 8, 16, 32, … ``most``."""
        if not self.stops:
            return [self.most]
        ends = [min(self.first, self.most)]
        while ends[-1] < self.most:
            ends.append(min(2 * ends[-1], self.most))
        return ends


def _draws(value: Any) -> Any:
    return {"most": value} if isinstance(value, int) else value


class Suite(Axes):
    """An experiment."""

    title: str
    question: str = ""
    images: Several[str]
    """Data sets (:mod:`experiments.datasets`), files, folders, patterns."""
    most_images: Whole | None = Field(None, ge=1)
    systems: dict[str, Axes] = Field(default_factory=dict)
    points: Many[Axes] = ()
    exclude: Many[Exclude] = ()
    draws: Annotated[Draws, BeforeValidator(_draws)] = Draws()
    scores: Several[Score] = ("psnr_db", "ssim", "region_psnr_db", "background_psnr_db")
    """What tables and figures show; all are measured."""
    anchor: str = ""
    """The system that gains are against; the first one unless named."""
    shown_db: Real = 25.0
    """Region PSNR in dB from which on a picture counts as shown, for outage."""
    beside: Several[str] = ()
    """Published curves that figures show: ``all``, or some of ``experiments/results``."""
    pictures: Whole = Field(2, ge=0)
    """Of how many images what arrives is kept, for the report."""

    @model_validator(mode="after")
    def _check_size(self) -> Suite:
        check_size(self.most_settings(), 1)
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Suite:
        for name in (self.anchor, *(n for drop in self.exclude for n in drop.system or ())):
            if name and name not in self.systems:
                choices = ", ".join(self.systems) or "there are none"
                raise ValueError(f"{name!r} is no system; choices: {choices}")
        known = ("all", *literature.literature())
        for name in self.beside:
            if name not in known:
                raise ValueError(f"unknown published curve {name!r}; choices: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _check_seeds(self) -> Suite:
        for name in self._systems():
            seeds = sorted({seed for grid in self._grids(name) for seed in grid["seed"]})
            gap = min((b - a for a, b in itertools.pairwise(seeds)), default=self.draws.most)
            if gap < self.draws.most:
                raise ValueError(
                    f"seeds {gap} apart share draws: with {self.draws.most} draws, draw k of seed "
                    "s is that of seed s + k; give seeds further apart, or one seed and more draws"
                )
        return self

    @model_validator(mode="after")
    def _check_systems_differ(self) -> Suite:
        for one, other in itertools.combinations(self._systems(), 2):
            drops = self._drops(one) + self._drops(other)
            for grid, grid2 in itertools.product(self._grids(one), self._grids(other)):
                shared = [[v for v in grid[axis] if v in grid2[axis]] for axis in AXES]
                for values in itertools.product(*shared):
                    if not any(holds(drop, values) for drop in drops):
                        raise ValueError(f"systems {one!r} and {other!r} are the same; drop one")
        return self

    def settings(self) -> Iterator[tuple[str, Setting]]:
        """Every setting once, with the name of its system, made as they are asked for."""
        for name in self._systems():
            grids = self._grids(name)
            label = label_of(name, grids)
            without = self._drops(name)
            for grid in grids:
                for values in itertools.product(*grid.values()):
                    if not any(holds(part, values) for part in without):
                        yield label(values), Setting(*values)
                without.append(part_of(grid))

    def most_settings(self) -> int:
        """Count the settings without making them, and as if none were excluded."""
        grids = (grid for name in self._systems() for grid in self._grids(name))
        return sum(math.prod(map(len, grid.values())) for grid in grids)

    def idle(self) -> Iterator[str]:
        """Say which axes have no effect, since all points or all systems say their own."""
        for parts, what in ((self.points, "points"), (tuple(self.systems.values()), "systems")):
            for axis in self.values() if parts else ():
                if all(axis in part.values() for part in parts):
                    yield f"{axis} has no effect: all {what} say their own"

    def _systems(self) -> dict[str, Axes]:
        return self.systems or {"": Axes()}

    def _grids(self, system: str) -> list[dict[str, tuple[Any, ...]]]:
        """Return the values of every axis, for each part of the grid."""
        own = self._systems()[system].values()
        parts = self.points or (Axes(),)
        return [{**_DEFAULTS, **self.values(), **part.values(), **own} for part in parts]

    def _drops(self, system: str) -> list[Part]:
        return [
            part_of(drop.values())
            for drop in self.exclude
            if drop.system is None or system in drop.system
        ]


_DEFAULTS = {
    field.name: (_segmenter("auto") if field.name == "segmenter" else field.default,)
    for field in fields(Setting)
}
