"""Progress of a run: a bar on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.store.database import TaskResult
from experiments.suites.axes import System

_LINE_EVERY_S = 60.0


class RunProgress:
    """Display of tasks done, rate, time left and the best mean so far; a context manager.

    Parameters
    ----------
    score
        The score by which the best system is named.
    """

    def __init__(self, score: str) -> None:
        self._score = score
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}", markup=False), BarColumn())
        self._bar = Progress(
            *columns,
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[best]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("tasks", total=None, rate="", best="")
        self._means: dict[System, tuple[int, float]] = {}
        self._done = self._total = 0
        self._start = self._told = time.monotonic()

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, total: int) -> None:
        """Start counting ``total`` tasks."""
        self._done, self._total, self._start = 0, total, time.monotonic()
        self._bar.reset(self._task, total=total, rate="", best=self._best())

    def segmenting(self, left: int) -> None:
        """Show how many images still have to be segmented."""
        text = f"segmenting, {left} left" if left else ""
        self._bar.update(self._task, rate=text)
        if text:
            self._line(text)

    def advance(self, made: TaskResult, system: System) -> None:
        """Count one task."""
        for outcome in made.outcomes:
            if (value := outcome["scores"].get(self._score)) is not None:
                count, total = self._means.get(system, (0, 0.0))
                n = outcome["count"]
                self._means[system] = count + n, total + n * value
        self._done += 1
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        self._bar.update(self._task, advance=1, rate=f"{rate:.1f}/s", best=self._best())
        left = (self._total - self._done) / rate
        self._line(f"{self._done} of {self._total} tasks, {rate:.1f}/s, {left:.0f} s left")

    def _line(self, text: str) -> None:
        """Print a line where there is no bar, now and then."""
        if self._bar.disable and time.monotonic() - self._told > _LINE_EVERY_S:
            self._told = time.monotonic()
            self._console.print(text, markup=False, highlight=False)

    def _best(self) -> str:
        """Name the system with the best mean so far; systems may differ in their progress."""
        means = {system: total / count for system, (count, total) in self._means.items() if count}
        if not means:
            return ""
        best = max(means, key=lambda system: means[system])
        name = f" ({best.label})" if best.label else ""
        return f"best {self._score} {means[best]:.2f}{name}"
