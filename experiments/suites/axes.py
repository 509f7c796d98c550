"""The axes of a suite, parts of the grid that they span, and the names of its systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.naming import visible
from experiments.suites.setting import AXES
from semcom.disturbances.pin import unpinned
from semcom.errors import InputError

_PLACES = {axis: i for i, axis in enumerate(AXES)}
SWEPT = ("channel", "cbr", "snr_db", "seed")
"""Axes over which one system is measured; other axes with several values give several systems."""

MOST_TASKS = 10_000_000
"""Largest number of tasks of a suite; more could neither be run nor even be counted quickly."""

Part = list[tuple[int, frozenset[Any]]]
"""A part of the grid: the positions of some axes, each with its allowed values."""


def part_of(grid: dict[str, tuple[Any, ...]]) -> Part:
    """Convert a grid, or a part of one, to the form that :func:`holds` takes."""
    return [(_PLACES[axis], frozenset(values)) for axis, values in grid.items()]


def holds(part: Part, values: tuple[Any, ...]) -> bool:
    """Whether a point, given by the values of all axes, lies in a part of the grid."""
    return all(values[i] in known for i, known in part)


@dataclass(frozen=True, slots=True)
class System:
    """One of the systems that a suite compares. It identifies points; its label is for display.

    Examples
    --------
    >>> System("masks", (("theta", 0.65),)).label
    'masks, θ 0.65'
    """

    name: str
    """Name in the suite; empty if the suite names no systems."""
    varies: tuple[tuple[str, Any], ...] = ()
    """The axes that distinguish systems of this name, with their values, in the order of
    :data:`AXES`."""

    @property
    def label(self) -> str:
        """Name for display, such as ``"masks, θ 0.65"``."""
        head = [self.name] if self.name else []
        undisturbed = ("disturbance", "") in self.varies
        told = [one for one in self.varies if not (undisturbed and one[0] == "severity")]
        return visible(", ".join([*head, *(_describe(axis, value) for axis, value in told)]))

    def without(self, axis: str) -> System:
        """Return the system without ``axis``: equal for systems that differ only in that axis."""
        return System(self.name, tuple(one for one in self.varies if one[0] != axis))


def system_of(
    name: str, grids: list[dict[str, tuple[Any, ...]]]
) -> Callable[[tuple[Any, ...]], System]:
    """Return a function that gives the system for the values of all axes."""
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
    if axis == "disturbance":
        return unpinned(text) or "undisturbed"
    if axis == "planned_snr_db":
        return "planned as it is" if value is None else f"planned {text} dB"
    if axis == "planned_std_db":
        return f"± {text} dB"
    if axis == "side_margin_db":
        return f"margin {text} dB"
    if axis == "text":
        return f"text {text!r}" if text else "no text"
    return text if axis in ("codec", "segmenter", "detector", "protection") else f"{axis} {text}"


def _number(value: float) -> str:
    """Write a number briefly, but different numbers differently."""
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
