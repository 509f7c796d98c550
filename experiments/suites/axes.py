"""The axes of a suite, parts of the grid that they span, and what its systems are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.naming import visible
from experiments.suites.setting import AXES
from semcom.errors import InputError

_PLACES = {axis: i for i, axis in enumerate(AXES)}
SWEPT = ("channel", "cbr", "snr_db", "seed")
"""Axes along which a system is looked at; along others it becomes several systems."""

MOST_TASKS = 10_000_000
"""Of a suite: what nobody can run, and what takes long to be counted one by one."""

Part = list[tuple[int, frozenset[Any]]]
"""Of some axes, by their places, the values that a part of the grid has."""


def part_of(grid: dict[str, tuple[Any, ...]]) -> Part:
    """Return a grid, or a part of one, for :func:`holds`."""
    return [(_PLACES[axis], frozenset(values)) for axis, values in grid.items()]


def holds(part: Part, values: tuple[Any, ...]) -> bool:
    """Whether the values of all axes are in a part."""
    return all(values[i] in known for i, known in part)


@dataclass(frozen=True, slots=True)
class System:
    """What is compared: a key, by which points are told apart. Its label is for show alone."""

    name: str
    """As the suite calls it; empty where it names none."""
    varies: tuple[tuple[str, Any], ...] = ()
    """The axes that vary within it, each with its value, in the order of :data:`AXES`."""

    @property
    def label(self) -> str:
        """Write it for people: ``"masks, θ 0.65"``."""
        head = [self.name] if self.name else []
        return visible(", ".join([*head, *(_describe(axis, value) for axis, value in self.varies)]))

    def without(self, axis: str) -> System:
        """Return what it has in common with those that differ from it along ``axis`` alone."""
        return System(self.name, tuple(one for one in self.varies if one[0] != axis))


def system_of(
    name: str, grids: list[dict[str, tuple[Any, ...]]]
) -> Callable[[tuple[Any, ...]], System]:
    """Return what finds the system of a setting: its name, and what varies within that."""
    varies = [
        (i, axis)
        for i, axis in enumerate(AXES)
        if axis not in SWEPT and len({v for grid in grids for v in grid[axis]}) > 1
    ]
    if not varies and not name:
        varies = [(_PLACES["blind"], "blind")]
    return lambda values: System(name, tuple((axis, values[i]) for i, axis in varies))


def _describe(axis: str, value: Any) -> str:
    text = _number(value) if isinstance(value, float) else str(value)
    if axis == "blind":
        return "blind" if value else "by importance"
    if axis == "theta":
        return f"θ {text}"
    if axis == "planned_snr_db":
        return "planned as it is" if value is None else f"planned {text} dB"
    if axis == "planned_std_db":
        return f"± {text} dB"
    return text if axis in ("codec", "segmenter", "protection") else f"{axis} {text}"


def _number(value: float) -> str:
    """Write a number briefly, but never two alike."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)


def check_size(settings: int, images: int) -> None:
    """Raise ``ValueError`` for more than :data:`MOST_TASKS`."""
    if settings * images > MOST_TASKS:
        each = f" of {images:,} images are {settings * images:,} tasks" if images > 1 else ""
        raise InputError(
            f"{settings:,} settings{each}, a suite takes at most {MOST_TASKS:,}: give shorter "
            "lists, or several suites"
        )
