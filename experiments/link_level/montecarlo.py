"""Counting errors: tasks with ids, raw counts on disk, stopping at enough errors or enough trials.

A *simulation* says what is sent and how one batch of it is counted; a :class:`Task` is a simulation
at one SNR with one seed. :func:`collect` runs batches of tasks until :class:`Limits` are reached
and appends one row of raw counts per batch to a file:

- The random numbers of a batch depend on the task and the number of the batch alone, so that the
  rows are the same whatever the number of workers, and a run that was killed goes on where it was.
- Rows of one point add up, also those of another seed: merging two runs is ``cat``; a batch that is
  in both counts once.
- Simulations that differ only in their receivers see the same bits, fading and noise.

An estimate is a :class:`experiments.intervals.Count`, whose interval knows that the bits of one
fade or symbol are not independent. Sampling until enough errors were seen makes the estimate a
little too high, by about one part in ``max_errors``.

The design follows sinter (https://github.com/quantumlib/Stim/tree/main/glue/sample).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TextIO

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from experiments.intervals import Count
from experiments.link_level.row_file import Row, read_rows
from experiments.running.backends import check_jobs
from experiments.running.pool import WorkerPool
from experiments.saving import named
from semcom.errors import InputError


class Simulation(Protocol):
    """What is simulated: a frozen dataclass that a worker process can be sent (pickled)."""

    @property
    def name(self) -> str:
        """What people read: ``"QPSK over awgn"``."""
        ...

    def about(self) -> dict[str, Any]:
        """Everything that the result depends on, save SNR and seed; values that JSON knows."""
        ...

    def stream(self) -> dict[str, Any]:
        """The part of :meth:`about` that random numbers depend on: not the receiver's settings."""
        ...

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Simulate one batch of bounded size at Es/N0 ``snr_db``, all randomness from ``rng``."""
        ...


def _digest(about: Any) -> str:
    text = json.dumps(about, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """One simulation at one SNR, finite, with one seed, at least 0; else ``ValueError``."""

    simulation: Simulation
    snr_db: float
    """Es/N0 in dB, on fading channels its mean."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not math.isfinite(self.snr_db):
            raise InputError(f"SNR must be a finite number of dB, got {self.snr_db}")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, got {self.seed}")

    def about(self) -> dict[str, Any]:
        """Describe the point: everything but the seed, with the version that counted."""
        version = importlib.metadata.version("semcom")
        return {**self.simulation.about(), "snr_db": float(self.snr_db), "semcom": version}

    @cached_property
    def point(self) -> str:
        """Hash of :meth:`about`: rows that share it add up."""
        return _digest(self.about())

    @cached_property
    def id(self) -> str:
        """Hash of the point and the seed."""
        return _digest([self.point, self.seed])

    def run(self, batch: int) -> Count:
        """Simulate one batch; all receivers get the same generator, on the CPU."""
        about = [self.simulation.stream(), float(self.snr_db), self.seed, batch]
        rng = torch.Generator().manual_seed(int(_digest(about)[:15], 16))
        return self.simulation.run(self.snr_db, rng)


@dataclass(frozen=True)
class Limits:
    """When a point has been measured; ``ValueError`` for a limit below 1."""

    max_errors: int
    """Stop at this many groups with errors: wrong blocks, symbols or, on block fading, fades,"""
    max_trials: int
    """or at this many bits or blocks, at the end of the batch that reaches it."""

    def __post_init__(self) -> None:
        for name in ("max_errors", "max_trials"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")

    def progress(self, count: Count) -> float:
        """How far a point is, from 0 to 1."""
        return min(1, max(count.wrong_groups / self.max_errors, count.trials / self.max_trials))


def add_up(rows: Iterable[Row]) -> dict[str, Count]:
    """Add rows up by point; rows of other kinds and repeated ids are passed over."""
    counts: dict[str, Count] = {}
    for row in {row["id"]: row for row in rows if "count" in row}.values():
        counts[row["point"]] = counts.get(row["point"], Count()) + Count(**row["count"])
    return counts


def collect(
    tasks: Sequence[Task],
    store: Path,
    *,
    limits: Limits,
    jobs: int = 1,
    say: Callable[..., None] = print,
    progress: bool = True,
) -> list[Count]:
    """Simulate until every task's point has reached the limits.

    Parameters
    ----------
    tasks
        What to simulate. Points that the store knows well enough cost nothing.
    store
        File of rows, JSON lines; batches are appended as they are done.
    limits
        When a point has been measured; looked at after every batch.
    jobs
        Worker processes; 1 works in this one. The rows do not depend on it.
    say
        What gets notes on damaged rows.
    progress
        Whether to show a bar on the error stream.

    Returns
    -------
    list[Count]
        For each task, all rows of its point in the store: earlier runs and other seeds count too.

    Raises
    ------
    ValueError
        ``jobs`` below 1, or two tasks of the same point.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from experiments.link_level.ber import BitErrors
    >>> task = Task(BitErrors("awgn", 2), snr_db=4.0)
    >>> with TemporaryDirectory() as folder:
    ...     store = Path(folder) / "rows.jsonl"
    ...     (count,) = collect([task], store, limits=Limits(200, 10**6), progress=False)
    >>> low, high = count.interval()
    >>> low < 0.0565 < high  # theory.ber_awgn(2, 4.0)
    True
    """
    check_jobs(jobs)
    if len({task.point for task in tasks}) < len(tasks):
        raise InputError("two tasks are the same point; more seeds are more calls")
    rows = read_rows(store, say)
    known = add_up(rows.values())
    points = [_Point(one, known.get(one.point, Count()), rows.keys()) for one in tasks]
    with named(store), ExitStack() as stack:
        sink = stack.enter_context(store.open("a", encoding="utf-8"))
        bar = stack.enter_context(_bar(progress))
        pool = stack.enter_context(WorkerPool("local", jobs=jobs))
        _run(points, pool, limits, sink, bar)
    return [point.count for point in points]


@dataclass(eq=False)
class _Point:
    """Where a task is. Batches are counted in order; those that end early wait."""

    task: Task
    count: Count
    stored: Iterable[str]
    counted: int = 0
    """Batches before this one are counted,"""
    started: int = 0
    """before this one started."""
    running: int = 0
    early: dict[int, Count] = field(default_factory=dict)

    def row_id(self, batch: int) -> str:
        return f"{self.task.id}/{batch}"

    def start(self) -> int:
        """Return the next batch that is not in the store."""
        while self.row_id(self.started) in self.stored:
            self.started += 1
        self.started += 1
        self.running += 1
        return self.started - 1

    def take(self, batch: int, count: Count, limits: Limits, sink: TextIO) -> None:
        """Write and count what is next in order, until the limits are reached."""
        self.running -= 1
        self.early[batch] = count
        while limits.progress(self.count) < 1:
            while self.row_id(self.counted) in self.stored:
                self.counted += 1
            if self.counted not in self.early:
                return
            done = self.early.pop(self.counted)
            self.count += done
            row = {
                "id": self.row_id(self.counted),
                "point": self.task.point,
                "about": self.task.about(),
                "seed": self.task.seed,
                "count": asdict(done),
            }
            sink.write(json.dumps(row, allow_nan=False) + "\n")
            sink.flush()
            self.counted += 1


def _run(
    points: list[_Point], pool: WorkerPool, limits: Limits, sink: TextIO, bar: Progress
) -> None:
    """Run batches until every point has reached the limits; what is then under way is dropped."""
    shown = bar.add_task("", total=len(points))
    by_id = {point.task.id: point for point in points}

    def unfinished() -> list[_Point]:
        return [point for point in points if limits.progress(point.count) < 1]

    def batches() -> Iterator[Batch]:
        while some := unfinished():
            point = min(some, key=lambda point: point.running)  # the first of equals
            yield Batch(point.task, point.start())

    def advance() -> None:
        bar.update(shown, completed=sum(limits.progress(point.count) for point in points))

    advance()
    for batch, count in pool.spread(batches(), _count):
        point = by_id[batch.task.id]
        point.take(batch.number, count, limits, sink)
        where = f"{point.task.simulation.name}, {point.task.snr_db:.4g} dB"
        bar.update(shown, description=f"{where}: {point.count.wrong_groups} wrong")
        advance()
        if not unfinished():
            return


@dataclass(frozen=True)
class Batch:
    """What a worker does at a time; see :class:`experiments.running.pool.Work`."""

    task: Task
    number: int

    def parts(self) -> list[Batch]:
        """Nothing smaller can be done again."""
        return []

    def failed(self, error: Exception) -> tuple[Batch, Count]:
        """Raise: what cannot be counted must not be left out."""
        raise error


def _count(batch: Batch) -> tuple[Batch, Count]:
    return batch, batch.task.run(batch.number)


def _bar(visible: bool) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not visible)
