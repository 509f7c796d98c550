"""``semcom run``: a suite from its file to rows, on any number of workers, killed at any moment.

Rounds of draws follow one another, so that where sampling stops depends on complete rounds alone,
and the rows on neither the number of workers nor their pace. This process is the only writer.
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
from typing import Any

from experiments.datasets.items import Item
from experiments.path_text import readable
from experiments.running.backends import BackendName, check_backend
from experiments.running.pool import WorkerPool
from experiments.running.progress import RunProgress
from experiments.running.stopping import measure, why_done
from experiments.running.tasks import (
    MOST_JOBS,
    PendingTask,
    count,
    count_failed,
    count_tasks,
    key_of,
    pending,
    suite_items,
    units,
    without_missing,
)
from experiments.running.worker import Do, Job, Unit, segment, work
from experiments.shell import word
from experiments.store.database import RESULTS, Database
from experiments.store.queries import put_intervals, settled, system_of_setting
from experiments.store.run_entry import RunContext, enter
from experiments.suites.setting import BESIDE, Setting
from experiments.suites.suite import Suite
from semcom.codecs.base import CODECS

LOG = logging.getLogger(__name__)
_UNITS_PER_SLOT = 8  # at least, so that the workers end together
_FAILURES_SHOWN = 10
_BATCH = 1000


@dataclass
class Summary:
    """What a run did."""

    path: Path
    """The results file."""
    tasks: int = 0
    """Images times settings."""
    made: int = 0
    """Rows added."""
    failures: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Tasks that failed in this run, by the image's name and the error."""
    failed: int = 0
    """Tasks of the suite that have failed, in this run or before."""
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """Say it in words."""
        said = []
        file, folder = word(str(self.path)), word(str(self.path.parent))
        for (image, error), failed in itertools.islice(self.failures.items(), _FAILURES_SHOWN):
            more = f" (and {len(failed) - 1} more tasks)" if len(failed) > 1 else ""
            said.append(f"{image}: {error}{more}; again: semcom repeat {file} {failed[0][:12]}")
        if len(self.failures) > _FAILURES_SHOWN:
            said.append(f"… {len(self.failures) - _FAILURES_SHOWN} more kinds, in run.log")
        if self.made:
            said.append(f"{self.made} rows in {self.seconds:.0f} s: {self.path}")
            return [*said, f"look: semcom plot {folder}, semcom report {folder}"]
        if self.failures:
            return said
        if self.failed:
            return [f"nothing to do but what failed before: --retry does it again, in {self.path}"]
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
    """Do what is not done yet of a suite.

    Parameters
    ----------
    suite
        What to do.
    out
        Folder for ``results.db`` and ``run.log``.
    name
        What the suite is called.
    base
        Folder that relative paths of images may start from, too.
    jobs
        Processes of this machine; 1 works in this one.
    backend, address
        See :func:`experiments.running.backends.workers`.
    retry
        Do again what failed.
    say
        What gets notes.
    do
        What a worker does with a unit; benchmarks replace it.

    Raises
    ------
    ValueError
        No images, no cluster, or a results file that cannot be used.
    OSError
        The disk is full; what was committed is kept.
    """
    start = time.monotonic()
    check_backend(backend, address)
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    suite = without_missing(suite, say).resolved()
    items = suite_items(suite, base, say)
    for codec in sorted({s.codec for _, s in suite.settings() if not s.blind}):
        if not CODECS.create(codec).steerable and any(s.blind for _, s in suite.settings()):
            say(f"codec {codec} cannot follow the importance map: it does the same as blind")
    summary = Summary(out / RESULTS)
    with ExitStack() as stack:
        database = stack.enter_context(Database(summary.path, write=True))
        stack.enter_context(_log_to(out / "run.log"))
        context = enter(database, suite, name, items, say)
        LOG.info("run %s of suite %s, %d images", context.run, readable(name), len(items))
        progress = stack.enter_context(RunProgress(suite.scores[0]))
        pool: WorkerPool | None = None
        for until in suite.rounds():
            left = functools.partial(
                pending,
                suite,
                items,
                database,
                until=until,
                enough=settled(database, context.suite, context.image_set),
                retry=retry,
            )
            found = count(left())
            if found.batches:
                if pool is None:
                    pool = stack.enter_context(WorkerPool(backend, jobs=jobs, address=address))
                progress.begin(found.batches)
                if do is work:
                    _segment(found.looks, pool, progress)
                _work(left(), found.batches, do, pool, database, context, summary, progress)
            _measure(database, suite, context, items, until)
        summary.tasks = count_tasks(suite, items)
        summary.failed = count_failed(database, suite, items)
        LOG.info("%d rows made, %d tasks failed", summary.made, summary.failed)
    summary.seconds = time.monotonic() - start
    return summary


def _work(
    todo: Iterator[PendingTask],
    total: int,
    do: Do,
    pool: WorkerPool,
    database: Database,
    context: RunContext,
    summary: Summary,
    progress: RunProgress,
) -> None:
    """Do one round and commit what comes as it comes."""
    size = max(1, min(MOST_JOBS, total // (_UNITS_PER_SLOT * pool.slots)))
    for made in pool.spread(units(todo, size=size, pictures=context.pictured), do):
        database.add(made, context.run)
        for one in made:
            progress.advance(one, system_of_setting(database, context.suite, one.setting))
            if one.error:
                known = (context.name(one), one.error)
                summary.failures.setdefault(known, []).append(one.task)
                LOG.error("task %s failed: %s\n%s", one.task, one.error, one.trace)
            else:
                summary.made += 1


def _segment(looks: list[tuple[Item, Setting]], pool: WorkerPool, progress: RunProgress) -> None:
    """Find the masks of every image once; the cache then has them for all workers."""
    wanted = [(item, s) for item, s in looks if s.segmenter not in (BESIDE, "whole_image")]
    todo = (Unit(item, (Job(setting, 0, 0),)) for item, setting in wanted)
    left = len(wanted)
    progress.segmenting(left)
    for _ in pool.spread(todo, segment):
        left -= 1
        progress.segmenting(left)


def _measure(
    database: Database, suite: Suite, context: RunContext, items: list[Item], until: int
) -> None:
    """Store the interval of every setting's mean, and whether it is narrow enough."""
    known = settled(database, context.suite, context.image_set)
    left = (s for _, s in suite.settings() if suite.draws_of(s).most > 1 and s.id not in known)
    while batch := list(itertools.islice(left, _BATCH)):
        rows: list[tuple[Any, ...]] = []
        for setting in batch:
            wanted = {key_of(item, setting) for item in items}
            draws = suite.draws_of(setting)
            score = measure(database, setting.id, wanted, draws.score, until=until)
            lost = measure(database, setting.id, wanted, "lost", until=until)
            done_by = why_done(draws, score, lost)
            about = (context.suite, context.image_set, setting.id)
            rows += [(*about, *astuple(one), done_by) for one in (score, lost)]
        put_intervals(database, rows)


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Write the log of this module to a file."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    # Where the disk is full, the results file says so.
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
