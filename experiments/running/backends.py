"""Backends for units of work: this process, processes of this machine, or a Dask or Ray cluster.

Each backend is a context that starts and ends the workers. It gives a function that submits work
and returns a future of the standard library. Every worker limits numba, torch and the BLAS to one
thread, so that N workers use N cores.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, get_args

from semcom import cache
from semcom.errors import InputError
from semcom.processor import keep_freed_memory

if TYPE_CHECKING:
    from concurrent.futures import Executor

BackendName = Literal["local", "dask", "ray"]
Submit = Callable[..., "Future[Any]"]
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in _THREADS}
"""Environment variables of workers."""
_GROWTH = {"LOKY_MAX_MEMORY_LEAK_SIZE": "2e9"}
"""Bytes by which a worker may grow before it is replaced; large pictures and caches are no leak."""
_WATCH_EVERY_S = 1.0
CONNECT_S = 10
"""Time in which a Dask scheduler has to answer."""


def check_backend(name: str, address: str | None) -> None:
    """Check the name of a backend and whether it takes an address.

    Raises
    ------
    ValueError
        If the backend is unknown or not installed, or an address is missing or superfluous.
    """
    if name not in get_args(BackendName):
        raise InputError(f"unknown backend {name!r}; choices: {', '.join(get_args(BackendName))}")
    if name == "local" and address:
        raise InputError("the local backend takes no address; --backend dask or ray does")
    if name == "dask" and not address:
        raise InputError("the dask backend needs the scheduler's address, such as tcp://host:8786")
    if name != "local":
        module = {"dask": "distributed", "ray": "ray"}[name]
        import importlib.util

        if importlib.util.find_spec(module) is None:
            raise InputError(f"backend {name} needs {module}: pip install 'semcom[{name}]'")


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes below 1."""
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, got {jobs}")


def default_jobs() -> int:
    """Return the number of worker processes to use by default: one per physical core."""
    import loky

    return int(loky.cpu_count(only_physical_cores=True))


@contextlib.contextmanager
def workers(name: str, *, jobs: int, address: str | None = None) -> Iterator[tuple[Submit, int]]:
    """Start workers, or connect to those of a cluster.

    Parameters
    ----------
    name
        ``"local"``, ``"dask"`` or ``"ray"``.
    jobs
        Number of processes on this machine; with 1, this process does the work. Clusters have their
        own number.
    address
        Address of the cluster's scheduler; Ray finds one by itself.

    Yields
    ------
    submit, slots
        Function that submits a function with its arguments and returns a future, and the number of
        calls that can run at a time.
    """
    check_backend(name, address)
    opened = {"local": _local, "dask": _dask, "ray": _ray}[name](jobs, address)
    with opened as found:
        yield found


@contextlib.contextmanager
def _local(jobs: int, _: str | None) -> Iterator[tuple[Submit, int]]:
    if jobs == 1:
        yield _here, 1
        return
    from loky import ProcessPoolExecutor

    # Problems with the cache are reported here once, instead of by every worker.
    environment = ONE_THREAD | _GROWTH
    if not cache.usable():
        environment |= {cache.ENVIRONMENT: "off"}
    pool = ProcessPoolExecutor(
        max_workers=jobs, env=environment, initializer=_begin, initargs=(os.getpid(),)
    )
    try:
        yield pool.submit, jobs
    finally:
        pool.shutdown(kill_workers=True)


def _begin(parent: int) -> None:
    """Prepare a worker."""
    keep_freed_memory()
    _end_with(parent)


def _end_with(parent: int) -> None:
    """End this process when ``parent`` ends; a worker of a killed run would otherwise never end."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _here(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(function(*arguments))
    except Exception as error:
        future.set_exception(error)
    return future


@contextlib.contextmanager
def _dask(_: int, address: str | None) -> Iterator[tuple[Submit, int]]:
    from distributed import Client, WorkerPlugin

    class _OneThread(WorkerPlugin):  # type: ignore[misc, unused-ignore]
        name = "semcom-one-thread"
        idempotent = True

        def setup(self, worker: Any) -> None:  # noqa: ARG002
            one_thread()

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler at {address}: {error}") from None
    with client:
        slots = sum(client.nthreads().values())
        if not slots:
            raise InputError(f"the Dask scheduler at {address} has no workers")
        client.register_plugin(_OneThread())  # also in workers that join later
        executor: Executor = client.get_executor(pure=False)
        yield executor.submit, slots


def one_thread() -> None:
    """Limit this process to one thread."""
    os.environ.update(ONE_THREAD)
    import numba
    import torch

    numba.set_num_threads(1)
    torch.set_num_threads(1)


@contextlib.contextmanager
def _ray(_: int, address: str | None) -> Iterator[tuple[Submit, int]]:
    import ray

    started = not ray.is_initialized()
    if started:
        ray.init(address=address, log_to_driver=False, runtime_env={"env_vars": ONE_THREAD})

    @ray.remote(max_retries=3)  # type: ignore[untyped-decorator, unused-ignore]
    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    def submit(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = call.remote(function, *arguments).future()
        return future

    try:
        slots = int(ray.cluster_resources().get("CPU", 0))
        if not slots:
            raise InputError("the Ray cluster has no CPUs")
        yield submit, slots
    finally:
        if started:
            ray.shutdown()
