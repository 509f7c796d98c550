"""The axes of a suite, parts of the grid that they span, and what its systems are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from experiments.setting import Setting

AXES = tuple(field.name for field in fields(Setting))
SWEPT = ("channel", "cbr", "snr_db", "seed")
"""Axes along which a system is looked at; along others it becomes several systems."""

MOST_TASKS = 10_000_000
"""Of a suite: what nobody can run, and what takes long to be counted one by one."""

Part = list[tuple[int, frozenset[Any]]]
"""Of some axes, by their places, the values that a part of the grid has."""


def part_of(grid: dict[str, tuple[Any, ...]]) -> Part:
    """Return a grid, or a part of one, for :func:`holds`."""
    return [(AXES.index(axis), frozenset(values)) for axis, values in grid.items()]


def holds(part: Part, values: tuple[Any, ...]) -> bool:
    """Whether the values of all axes are in a part."""
    return all(values[i] in known for i, known in part)


def label_of(
    name: str, grids: list[dict[str, tuple[Any, ...]]]
) -> Callable[[tuple[Any, ...]], str]:
    """Return what names a setting: its system, and what varies within that."""
    varies = [
        (i, axis)
        for i, axis in enumerate(AXES)
        if axis not in SWEPT and len({v for grid in grids for v in grid[axis]}) > 1
    ]
    if not varies and not name:
        varies = [(AXES.index("blind"), "blind")]
    head = [name] if name else []
    return lambda values: ", ".join([*head, *(_describe(axis, values[i]) for i, axis in varies)])


def _describe(axis: str, value: Any) -> str:
    if axis == "blind":
        return "blind" if value else "by importance"
    if axis == "theta":
        return f"θ {value:g}"
    if axis == "planned_snr_db":
        return "planned as it is" if value is None else f"planned {value:g} dB"
    if axis == "planned_std_db":
        return f"± {value:g} dB"
    if axis in ("codec", "segmenter", "protection"):
        return str(value)
    return f"{axis} {value}"


def check_size(settings: int, images: int) -> None:
    """Raise ``ValueError`` for more than :data:`MOST_TASKS`."""
    if settings * images > MOST_TASKS:
        each = f" of {images:,} images are {settings * images:,} tasks" if images > 1 else ""
        raise ValueError(
            f"{settings:,} settings{each}, a suite takes at most {MOST_TASKS:,}: give shorter "
            "lists, or several suites"
        )
