"""The pool of workers: it keeps them busy and continues when one of them dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, Protocol, Self, TypeVar

from experiments.running.backends import BackendName, Submit, workers

Result = TypeVar("Result")
ResultOf = TypeVar("ResultOf", covariant=True)
_AHEAD = 2  # units submitted per slot, so that no worker waits for the next


class ProcessDiedError(RuntimeError):
    """A worker ended without a word."""


class Work(Protocol[ResultOf]):
    """A unit of work for a worker."""

    def parts(self) -> Sequence[Self]:
        """Return smaller units, to find the one that kills workers; none if it cannot be split."""
        ...

    def failed(self, error: Exception) -> ResultOf:
        """Return a result that reports the error, or raise the error."""
        ...


class WorkerPool:
    """A pool of workers of one backend, used as a context manager.

    :func:`experiments.running.backends.workers` explains the arguments.
    """

    def __init__(self, backend: BackendName, *, jobs: int, address: str | None = None) -> None:
        self._how: dict[str, Any] = {"name": backend, "jobs": jobs, "address": address}
        self._stack = ExitStack()
        self._submit: Submit
        self._open()

    def _open(self) -> None:
        self._submit, self.slots = self._stack.enter_context(workers(**self._how))

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def spread(
        self, units: Iterable[Work[Result]], do: Callable[[Any], Result]
    ) -> Iterator[Result]:
        """Submit units to the workers and yield the results in the order in which they finish.

        A process that dies ends its whole pool or, on a cluster, the units that waited for it.
        Unfinished units are then repeated when nothing else is running: one unit at a time and, if
        that dies as well, one part at a time. A part that still does not finish has failed.
        """
        waiting = iter(units)
        while True:
            suspects: list[Work[Result]] = []
            yield from self._feed(waiting, do, suspects)
            if not suspects:
                return
            self._reopen()
            for unit in suspects:
                yield from self._alone(unit, do)

    def _feed(
        self,
        waiting: Iterator[Work[Result]],
        do: Callable[[Any], Result],
        suspects: list[Work[Result]],
    ) -> Iterator[Result]:
        """Keep the workers busy until no units are left or a worker has died."""
        running: dict[Future[Result], Work[Result]] = {}
        more = True
        while more or running:
            while more and not suspects and len(running) < _AHEAD * self.slots:
                if any(future.done() for future in running):
                    break  # its result may tell the caller that no more is needed
                unit = next(waiting, None)
                if unit is None:
                    more = False
                    break
                try:
                    running[self._submit(do, unit)] = unit
                except RuntimeError:  # the pool broke since the last result
                    suspects.append(unit)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                unit = running.pop(future)
                try:
                    made = future.result()
                except Exception:  # work reports its own errors: a worker died
                    suspects.append(unit)
                else:
                    yield made

    def _alone(self, unit: Work[Result], do: Callable[[Any], Result]) -> Iterator[Result]:
        """Do a unit while nothing else is running; if a worker dies, do its parts in turn."""
        try:
            yield self._submit(do, unit).result()
            return
        except BrokenProcessPool:
            why: Exception = ProcessDiedError("its process died: out of memory, or killed")
            self._reopen()
        except Exception as error:
            why = error
        parts = unit.parts()
        if not parts:
            yield unit.failed(why)
        for part in parts:
            yield from self._alone(part, do)

    def _reopen(self) -> None:
        self._stack.close()
        self._open()
