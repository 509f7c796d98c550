"""What a figure or a table is made of, whoever shows it: ``semcom plot``, or the report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

Cells = tuple[tuple[Any, ...], ...]
"""Rows of text, numbers or None, as wide as the columns."""


@dataclass(frozen=True)
class Table:
    """Numbers with a name."""

    name: str
    """For files: ``bd-rate``."""
    title: str
    """One line for people."""
    caption: str
    """How the numbers were obtained, and what they do not say; one or two sentences."""
    columns: tuple[str, ...]
    rows: Cells
    scores: tuple[str, ...] = ()
    """Those columns that are scores, or gains of them."""
    anchor: str = ""
    """What gains are against."""
    bounds: frozenset[str] = frozenset()
    """Systems that are none: bits at capacity, never sent."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """By channel: the title of its rows alone, where there are several channels."""


Tell = Callable[[str], None]


@contextlib.contextmanager
def spared(name: str, tell: Tell | None) -> Iterator[None]:
    """Let what fails in here cost nothing but itself, and tell of it; None: let it fail."""
    try:
        yield
    except Exception as error:  # whatever it is, the others are worth showing
        if tell is None:
            raise
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        tell(f"{name}: {kind}{' '.join(str(error).split())}")
