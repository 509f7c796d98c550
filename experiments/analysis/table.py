"""Tables of numbers, the basis of the figures and tables of ``semcom plot`` and the report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from semcom.errors import InputError

Cells = tuple[tuple[Any, ...], ...]
"""Rows of text, numbers or None, as wide as the columns."""


@dataclass(frozen=True)
class Table:
    """A table of numbers with a title and a caption."""

    name: str
    """Name for files, such as ``bd-rate``."""
    title: str
    """One line for display."""
    caption: str
    """How the numbers were obtained, and what they do not show; one or two sentences."""
    columns: tuple[str, ...]
    rows: Cells
    scores: tuple[str, ...] = ()
    """Columns that are scores or gains."""
    fine: frozenset[str] = frozenset()
    """Scores that are shown with four decimals instead of two."""
    lower: frozenset[str] = frozenset()
    """Scores of which lower values are better."""
    unranked: frozenset[str] = frozenset()
    """Scores of which no value is better than another."""
    anchor: str = ""
    """Name of the system that gains are relative to."""
    bounds: frozenset[str] = frozenset()
    """Names of bounds, which use as many bits as the capacity carries and are not systems."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of the rows of each channel, if there are several channels."""

    def digits(self, score: str) -> int:
        """Return the number of decimals of a score."""
        return 4 if score in self.fine else 2


Tell = Callable[[str], None]


@contextlib.contextmanager
def spared(name: str, tell: Tell | None) -> Iterator[None]:
    """Report an error in the body to ``tell`` and continue; without ``tell``, let it pass."""
    try:
        yield
    except Exception as error:  # other figures and tables are still worth showing
        if tell is None:
            raise
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        tell(f"{name}: {kind}{' '.join(str(error).split())}")
