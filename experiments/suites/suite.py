"""Suites: experiments that a YAML file describes and that are checked before anything runs.

Every axis of :class:`experiments.suites.setting.Setting` takes one value or a list of values, and
the suite is the product of these lists. ``systems`` have names, and each replaces the values of
some axes. ``points`` are parts of the grid, each of which replaces the values of some axes; the
suite is the union of the parts. ``exclude`` drops the settings that have all values of one of its
entries.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from experiments.suites import literature
from experiments.suites.axes import SWEPT, Part, System, check_size, holds, part_of, system_of
from experiments.suites.axis_models import Axes, this_segmenter
from experiments.suites.draws import AS_NEEDED, ONCE, Draws, as_draws
from experiments.suites.setting import AXES, DEFAULTS, Setting
from experiments.suites.value_types import (
    SCORE_NAMES,
    Many,
    Real,
    Score,
    Several,
    Whole,
)
from semcom.errors import InputError
from semcom.scores.base import optional

_SEVERITY = list(AXES).index("severity")


class Exclude(Axes):
    """Settings to leave out: those with all of these values, in these systems."""

    system: Several[str] | None = None


class Suite(Axes):
    """An experiment: images, axes with their values, and the systems to compare.

    Examples
    --------
    >>> suite = Suite(
    ...     images="photos",
    ...     segmenter="graph",
    ...     snr_db=[4, 10],
    ...     systems={"blind": {"blind": True}, "by importance": {"theta": [0.5, 0.8]}},
    ... )
    >>> for system, setting in suite.settings():
    ...     print(system.label, setting.snr_db)
    blind 4.0
    blind 10.0
    by importance, θ 0.5 4.0
    by importance, θ 0.5 10.0
    by importance, θ 0.8 4.0
    by importance, θ 0.8 10.0
    """

    title: str = ""
    """Title of the results; the name of the file by default."""
    question: str = ""
    images: Several[str]
    """Data sets (:mod:`experiments.datasets.items`), files, folders or patterns."""
    most_images: Whole | None = Field(None, ge=1)
    systems: dict[str, Axes] = Field(default_factory=dict)
    points: Many[Axes] = ()
    exclude: Many[Exclude] = ()
    draws: Annotated[Draws | None, BeforeValidator(as_draws)] = None
    """Number of draws; by default :data:`AS_NEEDED` on channels that fade or lose packets, and one
    on others."""
    scores: Several[Score] = ("psnr_db", "ssim", "region_psnr_db", "background_psnr_db")
    """Scores that tables and figures show. Those that ``semcom send`` always prints are measured in
    any case, others only if they are named here."""
    anchor: str = ""
    """System that the others are compared with; the first one by default."""
    best_of: str = ""
    """Axis with several values of which tables and figures show the best at each point, by the mean
    PSNR over the images (:mod:`experiments.analysis.choice.best_of`): usually ``scheme``."""
    shown_db: Real = 25.0
    """Region PSNR in dB from which a picture counts as shown. Outage is the share below it."""
    beside: Many[str] = ()
    """Published curves to show in figures: ``all``, or keys of ``experiments/results``."""
    pictures: Whole = Field(2, ge=0)
    """Number of images of which the received pictures are kept for the report."""

    @model_validator(mode="after")
    def _check_size(self) -> Suite:
        check_size(self.most_settings(), 1)
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Suite:
        for name in (self.anchor, *(n for drop in self.exclude for n in drop.system or ())):
            if name and name not in self.systems:
                choices = ", ".join(self.systems) or "there are none"
                raise InputError(f"{name!r} is not a system; choices: {choices}")
        known = ("all", *literature.literature())
        for name in self.beside:
            if name not in known:
                raise InputError(f"unknown published curve {name!r}; choices: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _check_best_of(self) -> Suite:
        if self.best_of and (self.best_of not in AXES or self.best_of in (*SWEPT, "segmenter")):
            choices = ", ".join(axis for axis in AXES if axis not in (*SWEPT, "segmenter"))
            raise InputError(f"best_of {self.best_of!r} is no axis of systems; choices: {choices}")
        parts = (self, *self.points, *self.systems.values())
        if self.best_of and all(len(part.values().get(self.best_of, ())) < 2 for part in parts):
            raise InputError(f"best_of: {self.best_of} needs a part with several values of it")
        return self

    @model_validator(mode="after")
    def _check_severity(self) -> Suite:
        disturbed = {
            where
            for name in self._systems()
            for i, grid in enumerate(self._grids(name))
            if any(grid["disturbance"])
            for where in ((), ("points", i), ("systems", name))
        }
        why = PydanticCustomError(
            "value_error", "severity needs a disturbance, in the same part or in the whole suite"
        )
        errors = [
            InitErrorDetails(type=why, loc=(*where, "severity"), input=part.severity)
            for where, part in self.parts()
            if where not in disturbed and set(part.severity or ()) - {DEFAULTS["severity"]}
        ]
        if errors:
            raise ValidationError.from_exception_data("Suite", errors)
        return self

    @model_validator(mode="after")
    def _check_seeds(self) -> Suite:
        for name in self._systems():
            seeds = sorted({seed for grid in self._grids(name) for seed in grid["seed"]})
            most = self.draws.most if self.draws else 1
            gap = min((b - a for a, b in itertools.pairwise(seeds)), default=most)
            if gap < most:
                raise InputError(
                    f"seeds {gap} apart share draws: with {most} draws, draw k of seed s is that "
                    "of seed s + k; give seeds further apart, or one seed and more draws"
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
                        raise InputError(f"systems {one!r} and {other!r} are the same; drop one")
        return self

    def parts(self) -> Iterator[tuple[tuple[str | int, ...], Axes]]:
        """Yield the parts of the suite that give values to axes, each with its keys in the file."""
        yield (), self
        yield from ((("points", i), point) for i, point in enumerate(self.points))
        yield from ((("systems", name), system) for name, system in self.systems.items())

    def settings(self) -> Iterator[tuple[System, Setting]]:
        """Generate every setting once, with its system."""
        for name in self._systems():
            grids = self._grids(name)
            system = system_of(name, grids)
            without = self._drops(name)
            plain_without = [part for part in without if not any(i == _SEVERITY for i, _ in part)]
            for grid in grids:
                for values in itertools.product(*grid.values()):
                    about = dict(zip(AXES, values, strict=True))
                    if about["disturbance"]:
                        if not any(holds(part, values) for part in without):
                            yield system(values), Setting.of(about)
                        continue
                    # A severity has no meaning then, and the first one stands for all.
                    if about["severity"] != grid["severity"][0]:
                        continue
                    about["severity"] = DEFAULTS["severity"]
                    plain = tuple(about.values())
                    if not any(holds(part, plain) for part in plain_without):
                        yield system(plain), Setting.of(about)
                without.append(part_of(grid))
                plain_without.append([one for one in without[-1] if one[0] != _SEVERITY])

    def origin(self, system: System, axis: str, value: Any) -> str:
        """Return where the suite gives a system this value of an axis, for messages."""
        parts = (self._systems()[system.name], *self.points, self)
        found = (part.place(axis) for part in parts if value in part.values().get(axis, ()))
        return next(found, axis)

    def resolved(self) -> Suite:
        """Return the suite with segmenter ``auto`` replaced by the one that is used here."""
        if self.segmenter is not None:
            return self
        return self.model_copy(update={"segmenter": (this_segmenter("auto"),)})

    def draws_of(self, setting: Setting) -> Draws:
        """Return the number of draws of the channel for each image.

        Several seeds are draws as well, so that each is used once unless the suite says otherwise.
        """
        if setting.bound:
            return ONCE
        if self.draws is not None:
            return self.draws
        return AS_NEEDED if setting.random and self._seeds == 1 else ONCE

    def rounds(self) -> list[int]:
        """Return the number of draws at the end of each round, for settings that need that many."""
        if self.draws is not None:
            return self.draws.rounds()
        most = max((self.draws_of(s) for _, s in self.settings()), key=lambda d: d.most)
        return most.rounds()

    def about_draws(self) -> Iterator[str]:
        """Generate notes on the number of draws, for readers of the results."""
        random = (s for _, s in self.settings() if s.random and self._seeds == 1)
        names = ", ".join(dict.fromkeys(s.losses or s.channel for s in random))
        if names and self.draws is None:
            yield (
                f"{names}: {AS_NEEDED.first} to {AS_NEEDED.most} draws (realisations of the "
                "channel) for each image, until the mean PSNR is known to "
                f"±{AS_NEEDED.within:g} dB; set draws: N to take exactly N"
            )
        elif names and self.draws is not None and self.draws.most == 1:
            yield (
                f"{names}: one draw of the channel for each image says little about the mean; "
                "leave out draws to take as many as are needed"
            )

    @cached_property
    def _seeds(self) -> int:
        every = (seed for name in self._systems() for g in self._grids(name) for seed in g["seed"])
        return len(set(every))

    def most_settings(self) -> int:
        """Count the settings without generating them, as if none were excluded."""
        grids = (grid for name in self._systems() for grid in self._grids(name))
        return sum(math.prod(map(len, grid.values())) for grid in grids)

    def idle(self) -> Iterator[str]:
        """Generate notes on axes without effect, because all points or systems replace them."""
        for parts, what in ((self.points, "points"), (tuple(self.systems.values()), "systems")):
            for axis in self.values() if parts else ():
                if all(axis in part.values() for part in parts):
                    yield f"{axis} has no effect, because all {what} set it themselves"

    def _systems(self) -> dict[str, Axes]:
        return self.systems or {"": Axes()}

    def _grids(self, system: str) -> list[dict[str, tuple[Any, ...]]]:
        """Return the values of every axis, for each part of the grid."""
        own = self._systems()[system].values()
        parts = self.points or (Axes(),)
        default = {axis: (value,) for axis, value in DEFAULTS.items()}
        default["segmenter"] = (this_segmenter("auto"),)
        default["further_scores"] = (",".join(self._further_scores()),)
        return [{**default, **self.values(), **part.values(), **own} for part in parts]

    def _further_scores(self) -> tuple[str, ...]:
        named = (*self.scores, *([self.draws.score] if self.draws else []))
        return optional(set(named) - set(SCORE_NAMES))

    def _drops(self, system: str) -> list[Part]:
        return [
            part_of(drop.values())
            for drop in self.exclude
            if drop.system is None or system in drop.system
        ]
