"""Workers that are kept busy, and what happens when one of them dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any

from experiments.backends import BackendName, Submit, workers
from experiments.database import Made
from experiments.work import Unit, work

Do = Callable[[Unit], list[Made]]
_AHEAD = 2  # units per slot that are handed over, so that no worker waits for the next


class Crew:
    """Workers of one backend; use as a context manager.

    See :func:`experiments.backends.workers` for the arguments.
    """

    def __init__(self, backend: BackendName, *, jobs: int, address: str | None = None) -> None:
        self._how: dict[str, Any] = {"name": backend, "jobs": jobs, "address": address}
        self._stack = ExitStack()
        self._submit: Submit
        self._open()

    def _open(self) -> None:
        self._submit, self.slots = self._stack.enter_context(workers(**self._how))

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def spread(self, units: Iterable[Unit], do: Do = work) -> Iterator[list[Made]]:
        """Hand units to the workers and yield what they made, in the order in which it comes.

        A worker process that dies takes the whole pool of this machine with it. What was under way
        is then done again, one task at a time in a process of its own; a task that kills that one,
        too, has failed.
        """
        waiting = iter(units)
        while True:
            died: list[Unit] = []
            yield from self._feed(waiting, do, died)
            if not died:
                return
            self._stack.close()
            for unit in died:
                for job in unit.jobs:
                    yield self._alone(Unit(unit.item, (job,)), do)
            self._open()

    def _feed(self, waiting: Iterator[Unit], do: Do, died: list[Unit]) -> Iterator[list[Made]]:
        """Keep the workers busy until there is nothing left or one has died."""
        running: dict[Future[list[Made]], Unit] = {}
        more = True
        while more or running:
            while more and len(running) < _AHEAD * self.slots and not died:
                unit = next(waiting, None)
                if unit is None:
                    more = False
                elif (future := self._hand_over(unit, do)) is None:
                    died.append(unit)
                else:
                    running[future] = unit
            if died and not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                unit = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    died.append(unit)
                except Exception as error:
                    yield _failed(unit, error)

    def _hand_over(self, unit: Unit, do: Do) -> Future[list[Made]] | None:
        try:
            return self._submit(do, unit)
        except (BrokenProcessPool, RuntimeError):  # it broke since the last result
            return None

    def _alone(self, unit: Unit, do: Do) -> list[Made]:
        from loky import ProcessPoolExecutor

        from experiments.backends import ONE_THREAD

        pool = ProcessPoolExecutor(max_workers=1, env=ONE_THREAD)
        try:
            return list(pool.submit(do, unit).result())
        except BrokenProcessPool:
            return _failed(unit, RuntimeError("its process died; out of memory, or killed"))
        finally:
            pool.shutdown(kill_workers=True)


def _failed(unit: Unit, error: Exception) -> list[Made]:
    """Say that no job of a unit came to an end."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return [unit.describe(job, seconds=0.0, error=text, trace=text) for job in unit.jobs]
