"""Monte Carlo counting of errors: tasks with ids, raw counts on disk, and stopping rules.

A *simulation* defines what is sent and how the errors of one batch are counted. A :class:`Task` is
a simulation at one SNR with one seed. :func:`collect` runs batches of tasks until :class:`Limits`
are reached and appends one row of raw counts per batch to a file:

- The random numbers of a batch depend only on the task and the number of the batch. The rows are
  therefore the same for any number of workers, and a run that was killed can resume.
- The rows of a point can be added, including those of other seeds: two runs are merged by ``cat``.
  A batch that is in both files counts once.
- Simulations that differ only in their receivers see the same bits, fading and noise.

An estimate is a :class:`experiments.intervals.Count`; its interval takes into account that the bits
of one fade or symbol are not independent. Sampling until a number of errors is reached makes the
estimate slightly too high, by about one part in ``max_errors``.

The design follows sinter (https://github.com/quantumlib/Stim/tree/main/glue/sample).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from experiments.intervals import Count
from experiments.link_level.row_file import Row, read_rows
from experiments.link_level.task import Task
from experiments.running.backends import check_jobs
from experiments.running.pool import ProcessDiedError, WorkerPool
from experiments.saving import named
from semcom.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Limits at which the sampling of a point stops; ``ValueError`` if one is below 1.

    Examples
    --------
    >>> limits = Limits(max_errors=100, max_trials=10_000)
    >>> limits.progress(Count(trials=5_000, errors=20, groups=5_000, wrong_groups=20))
    0.5
    """

    max_errors: int
    """Stop after this many groups with errors: wrong blocks, wrong symbols or, on block fading,
    transmissions with errors."""
    max_trials: int
    """Stop at the end of the batch that reaches this many bits or blocks."""

    def __post_init__(self) -> None:
        for name in ("max_errors", "max_trials"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")

    def progress(self, count: Count) -> float:
        """Return how far a point is, from 0 to 1."""
        return min(1, max(count.wrong_groups / self.max_errors, count.trials / self.max_trials))


def add_up(rows: Iterable[Row]) -> dict[str, Count]:
    """Add the counts of rows by point; rows of other kinds and repeated ids are ignored."""
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
        Tasks to simulate. Points for which the store already has enough rows cost nothing.
    store
        File of rows (JSON lines), created if it does not exist. Batches are appended as they
        finish.
    limits
        Limits at which the sampling of a point stops, checked after every batch.
    jobs
        Number of worker processes; with 1, this process does the work. The rows do not depend on
        it.
    say
        Function that receives notes on damaged rows.
    progress
        Whether to show a progress bar on the error stream.

    Returns
    -------
    list[Count]
        For each task, the sum over all rows of its point in the store, including earlier runs and
        other seeds.

    Raises
    ------
    ValueError
        If ``jobs`` is below 1, or two tasks have the same point.

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
        raise InputError("two tasks have the same point; call collect again for another seed")
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
    """The state of a task. Batches are counted in order; a batch that ends early waits."""

    task: Task
    count: Count
    stored: Iterable[str]
    counted: int = 0
    """Number of batches counted."""
    started: int = 0
    """Number of batches started."""
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
        """Write and count the batches that are next in order, until the limits are reached."""
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
    """Run batches until every point has reached the limits; batches still running are dropped."""
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
    """A unit of work for a worker; see :class:`experiments.running.pool.Work`."""

    task: Task
    number: int

    def parts(self) -> list[Batch]:
        """Return no parts: a batch cannot be split."""
        return []

    def failed(self, error: Exception) -> tuple[Batch, Count]:
        """Raise the error, because leaving out a batch would bias the count."""
        if isinstance(error, ProcessDiedError):
            where = f"{self.task.simulation.name} at {self.task.snr_db:g} dB"
            raise InputError(f"{where}: {error}; fewer --jobs need less memory") from error
        raise error


def _count(batch: Batch) -> tuple[Batch, Count]:
    return batch, batch.task.run(batch.number)


def _bar(visible: bool) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not visible)
