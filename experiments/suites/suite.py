"""A suite: an experiment as one YAML file, checked as a whole before anything runs.

Every axis of :class:`experiments.suites.setting.Setting` takes one value or a list, and the suite
is their product. ``systems`` are named; each replaces some axes. ``points`` are parts of the grid,
each of which replaces some axes; the suite is their union. ``exclude`` drops what has all of the
values of one of its entries.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from experiments.suites import literature
from experiments.suites.axes import SWEPT as SWEPT
from experiments.suites.axes import Part, System, check_size, holds, part_of, system_of
from experiments.suites.axis_models import Axes as Axes
from experiments.suites.axis_models import this_segmenter
from experiments.suites.draws import AS_NEEDED, ONCE, Draws, as_draws
from experiments.suites.setting import AXES as AXES
from experiments.suites.setting import DEFAULTS, Setting
from experiments.suites.value_types import (
    Many,
    Real,
    Score,
    Several,
    Whole,
)
from semcom.errors import InputError


class Exclude(Axes):
    """What is left out: all that has these values, in these systems."""

    system: Several[str] | None = None


class Suite(Axes):
    """An experiment."""

    title: str = ""
    """The name of its file unless given."""
    question: str = ""
    images: Several[str]
    """Data sets (:mod:`experiments.datasets.items`), files, folders, patterns."""
    most_images: Whole | None = Field(None, ge=1)
    systems: dict[str, Axes] = Field(default_factory=dict)
    points: Many[Axes] = ()
    exclude: Many[Exclude] = ()
    draws: Annotated[Draws | None, BeforeValidator(as_draws)] = None
    """Unless given, :data:`AS_NEEDED` where one draw says little, and one elsewhere."""
    scores: Several[Score] = ("psnr_db", "ssim", "region_psnr_db", "background_psnr_db")
    """What tables and figures show; all are measured."""
    anchor: str = ""
    """The system that gains are against; the first one unless named."""
    shown_db: Real = 25.0
    """Region PSNR in dB from which on a picture counts as shown, for outage."""
    beside: Many[str] = ()
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
                raise InputError(f"{name!r} is no system; choices: {choices}")
        known = ("all", *literature.literature())
        for name in self.beside:
            if name not in known:
                raise InputError(f"unknown published curve {name!r}; choices: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _check_seeds(self) -> Suite:
        for name in self._systems():
            seeds = sorted({seed for grid in self._grids(name) for seed in grid["seed"]})
            most = self.draws.most if self.draws else 1
            gap = min((b - a for a, b in itertools.pairwise(seeds)), default=most)
            if gap < most:
                raise InputError(
                    f"seeds {gap} apart share draws: with {most} draws, draw k of seed "
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
                        raise InputError(f"systems {one!r} and {other!r} are the same; drop one")
        return self

    def settings(self) -> Iterator[tuple[System, Setting]]:
        """Every setting once, with its system, made as they are asked for."""
        for name in self._systems():
            grids = self._grids(name)
            system = system_of(name, grids)
            without = self._drops(name)
            for grid in grids:
                for values in itertools.product(*grid.values()):
                    if not any(holds(part, values) for part in without):
                        yield system(values), Setting.of(dict(zip(AXES, values, strict=True)))
                without.append(part_of(grid))

    def resolved(self) -> Suite:
        """Write out which segmenter it takes here: where MobileSAM's weights are, it is another."""
        if self.segmenter is not None:
            return self
        return self.model_copy(update={"segmenter": (this_segmenter("auto"),)})

    def draws_of(self, setting: Setting) -> Draws:
        """How often the channel is drawn for each image.

        Several seeds are draws, too, so that each is taken once unless the suite says otherwise.
        """
        if setting.bound:
            return ONCE
        if self.draws is not None:
            return self.draws
        return AS_NEEDED if setting.random and self._seeds == 1 else ONCE

    def rounds(self) -> list[int]:
        """How many draws there are at the end of each round, for settings that take so many."""
        if self.draws is not None:
            return self.draws.rounds()
        most = max((self.draws_of(s) for _, s in self.settings()), key=lambda d: d.most)
        return most.rounds()

    def about_draws(self) -> Iterator[str]:
        """Say what a reader of the results should know about how often channels were drawn."""
        random = (s for _, s in self.settings() if s.random and self._seeds == 1)
        names = ", ".join(dict.fromkeys(s.losses or s.channel for s in random))
        if names and self.draws is None:
            yield (
                f"{names}: {AS_NEEDED.first} to {AS_NEEDED.most} draws for each image, until the "
                f"mean PSNR is known to ±{AS_NEEDED.within:g} dB; draws: N takes N of them"
            )
        elif names and self.draws is not None and self.draws.most == 1:
            yield (
                f"{names}: one draw for each image says little of the mean; without draws, there "
                "are as many as it takes"
            )

    @cached_property
    def _seeds(self) -> int:
        every = (seed for name in self._systems() for g in self._grids(name) for seed in g["seed"])
        return len(set(every))

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
        default = {axis: (value,) for axis, value in DEFAULTS.items()}
        default["segmenter"] = (this_segmenter("auto"),)
        return [{**default, **self.values(), **part.values(), **own} for part in parts]

    def _drops(self, system: str) -> list[Part]:
        return [
            part_of(drop.values())
            for drop in self.exclude
            if drop.system is None or system in drop.system
        ]
