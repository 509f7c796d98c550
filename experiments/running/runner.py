"""``semcom run``: runs a suite on any number of workers; a killed run can be resumed.

Draws are made in rounds, one after the other. Sampling therefore stops depending on complete rounds
only, and the rows do not depend on the number of workers or their speed. This process is the only
writer.
"""

from __future__ import annotations

import functools
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from experiments.datasets.items import Item
from experiments.intervals import Interval
from experiments.path_text import readable
from experiments.running.backends import BackendName, check_backend, check_jobs
from experiments.running.pool import WorkerPool
from experiments.running.progress import RunProgress
from experiments.running.stopping import NARROW, measure, why_done
from experiments.running.tasks import (
    MOST_JOBS,
    count,
    count_failed,
    count_tasks,
    key_of,
    pending,
    suite_items,
    units,
    without_missing,
)
from experiments.running.unit import Job, Unit
from experiments.running.worker import Do, segment, work
from experiments.shell import word
from experiments.store.database import Database
from experiments.store.queries import put_intervals, settled, system_of_setting
from experiments.store.run_entry import RunContext, enter
from experiments.store.schema import RESULTS
from experiments.suites.setting import BESIDE, Setting
from experiments.suites.suite import Suite
from semcom.codecs.base import CODECS

LOG = logging.getLogger(__name__)
_UNITS_PER_SLOT = 8  # at least, so that the workers end together
_FAILURES_SHOWN = 10


@dataclass
class Summary:
    """The outcome of a run.

    Examples
    --------
    >>> Summary(Path("results.db"), tasks=432, made=154, seconds=2923.6).lines()[0]
    '154 rows in 2924 s: results.db'
    >>> Summary(Path("results.db"), tasks=432).lines()
    ['nothing to do: all 432 tasks are done in results.db']
    """

    path: Path
    """The results file."""
    tasks: int = 0
    """Number of tasks of the suite: images times settings."""
    made: int = 0
    """Number of rows that were added."""
    failures: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Tasks that failed in this run, by the name of the image and the error."""
    failed: int = 0
    """Number of tasks of the suite that failed, in this run or before."""
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """Return the summary as lines of text."""
        said = []
        file, folder = word(str(self.path)), word(str(self.path.parent))
        for (image, error), failed in itertools.islice(self.failures.items(), _FAILURES_SHOWN):
            more = f" (and {len(failed) - 1} more tasks)" if len(failed) > 1 else ""
            said.append(f"{image}: {error}{more}; to repeat: semcom repeat {file} {failed[0][:12]}")
        if len(self.failures) > _FAILURES_SHOWN:
            more_kinds = len(self.failures) - _FAILURES_SHOWN
            said.append(f"… {more_kinds} more kinds of failure: see run.log")
        if self.made:
            said.append(f"{self.made} rows in {self.seconds:.0f} s: {self.path}")
            return [*said, f"to see the results: semcom plot {folder}, semcom report {folder}"]
        if self.failures:
            return said
        if self.failed:
            return [f"only tasks that failed before are left in {self.path}: --retry repeats them"]
        return [f"nothing to do: all {self.tasks} tasks are done in {self.path}"]


def run(
    suite: Suite,
    out: Path,
    *,
    name: str = "suite",
    base: Path = Path(),
    jobs: int = 1,
    backend: BackendName = "local",
    address: str | None = None,
    retry: bool = False,
    say: Callable[..., None] = print,
    do: Do = work,
) -> Summary:
    """Run the tasks of a suite that are not done yet.

    Parameters
    ----------
    suite
        The suite.
    out
        Folder for ``results.db`` and ``run.log``.
    name
        Name of the suite in the results.
    base
        Additional folder in which relative paths of images are looked for.
    jobs, backend, address
        Workers: see :func:`experiments.running.backends.workers`.
    retry, say
        Whether to repeat tasks that failed, and the function that receives notes.
    do
        Function that does a unit of work; benchmarks replace it.

    Raises
    ------
    ValueError
        If there are no images or no cluster, or the results file cannot be used.
    OSError
        If the disk is full; committed rows are kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from PIL import Image
    >>> from experiments.store.study import read_results
    >>> from experiments.suites.suite import Suite
    >>> with TemporaryDirectory() as folder:
    ...     photo = Path(folder) / "photo.png"
    ...     Image.fromarray(np.full((48, 64, 3), 90, dtype=np.uint8)).save(photo)
    ...     suite = Suite(images=str(photo), segmenter="whole_image", codec="jpeg", cbr="1/2")
    ...     summary = run(suite, Path(folder) / "out", say=lambda *_: None)
    ...     results = read_results(Path(folder) / "out")
    >>> summary.tasks, summary.made, summary.failed
    (1, 1, 0)
    >>> results.points[0].mean("lost")
    0.0
    """
    start = time.monotonic()
    check_backend(backend, address)
    check_jobs(jobs)
    suite = without_missing(suite, say).resolved()
    items = suite_items(suite, base, say)
    say(*_unsteerable(suite))
    summary = Summary(out / RESULTS)
    with ExitStack() as stack:
        database = stack.enter_context(Database(summary.path, write=True))
        stack.enter_context(_log_to(out / "run.log"))
        context = enter(database, suite, name, items, say)
        progress = stack.enter_context(RunProgress(suite.scores[0]))

        @functools.cache
        def pool() -> WorkerPool:
            return stack.enter_context(WorkerPool(backend, jobs=jobs, address=address))

        about = (name, suite, items, database, context, progress, summary, pool, do)
        _do_rounds(_Run(*about), retry=retry)
    summary.seconds = time.monotonic() - start
    return summary


def _unsteerable(suite: Suite) -> Iterator[str]:
    """Say which codecs of the suite do the same by importance as blind."""
    settings = [setting for _, setting in suite.settings()]
    if not any(setting.blind for setting in settings):
        return
    for codec in sorted({setting.codec for setting in settings if not setting.blind}):
        if not CODECS.create(codec).steerable:
            yield f"codec {codec} cannot follow the importance map, so it does the same as blind"


class _Run(NamedTuple):
    """The state of a run."""

    name: str
    suite: Suite
    items: list[Item]
    database: Database
    context: RunContext
    progress: RunProgress
    summary: Summary
    pool: Callable[[], WorkerPool]
    """Function that starts the workers when they are first needed."""
    do: Do


def _do_rounds(run: _Run, *, retry: bool) -> None:
    """Do all rounds of draws, and count what came of them."""
    LOG.info("run %s of suite %s, %d images", run.context.run, readable(run.name), len(run.items))
    for until in run.suite.rounds():
        _do_round(run, until, retry=retry)
        _measure(run, until)
    run.summary.tasks = count_tasks(run.suite, run.items)
    run.summary.failed = count_failed(run.database, run.suite, run.items)
    LOG.info("%d rows made, %d tasks failed", run.summary.made, run.summary.failed)


def _do_round(run: _Run, until: int, *, retry: bool) -> None:
    """Do the tasks that lack draws up to ``until``, and commit results as they arrive."""
    database, context, summary = run.database, run.context, run.summary
    enough = settled(database, context.suite, context.image_set)
    left = functools.partial(
        pending, run.suite, run.items, database, until=until, enough=enough, retry=retry
    )
    found = count(left())
    if not found.batches:
        return
    pool = run.pool()
    run.progress.begin(found.batches)
    if run.do is work:
        _segment(found.looks, pool, run.progress)
    size = max(1, min(MOST_JOBS, found.batches // (_UNITS_PER_SLOT * pool.slots)))
    for made in pool.spread(units(left(), size=size, pictures=context.pictured), run.do):
        database.add(made, context.run)
        for one in made:
            system = system_of_setting(database, context.suite, one.setting)
            run.progress.advance(one, system)
            if one.error:
                known = (context.name(one), one.error)
                summary.failures.setdefault(known, []).append(one.task)
                LOG.error("task %s failed: %s\n%s", one.task, one.error, one.trace)
            else:
                summary.made += 1


def _segment(looks: list[tuple[Item, Setting]], pool: WorkerPool, progress: RunProgress) -> None:
    """Find the masks of every image once, so that they are in the cache for all workers."""
    wanted = [(item, s) for item, s in looks if s.segmenter not in (BESIDE, "whole_image")]
    todo = (Unit(item, (Job(setting, 0, 0),)) for item, setting in wanted)
    left = len(wanted)
    progress.segmenting(left)
    for _ in pool.spread(todo, segment):
        left -= 1
        progress.segmenting(left)


def _measure(run: _Run, until: int) -> None:
    """Store the interval of every setting's mean, and whether it needs no more draws.

    Systems are compared over the same draws: under each condition, all go on until each has enough.
    """
    database, suite, context = run.database, run.suite, run.context
    known = settled(database, context.suite, context.image_set)
    measured: list[tuple[Setting, Interval, Interval, str]] = []
    for _, setting in suite.settings():
        if suite.draws_of(setting).most > 1 and setting.id not in known:
            wanted = {key_of(item, setting) for item in run.items}
            draws = suite.draws_of(setting)
            score = measure(database, setting.id, wanted, draws.score, until=until)
            lost = measure(database, setting.id, wanted, "lost", until=until)
            measured.append((setting, score, lost, why_done(draws, score, lost)))
    # A system of which nothing could be sent does not make the others go on.
    unfinished = {one.condition for one, score, _, why in measured if score.draws and not why}
    rows: list[tuple[Any, ...]] = []
    for setting, score, lost, why in measured:
        done_by = "" if why == NARROW and setting.condition in unfinished else why
        about = (context.suite, context.image_set, setting.id)
        rows += [(*about, *astuple(one), done_by) for one in (score, lost)]
    put_intervals(database, rows)


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Write the log of this module to a file."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    # If the disk is full, the results file reports it.
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # noqa: ARG005
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        with suppress(OSError):
            handler.close()
