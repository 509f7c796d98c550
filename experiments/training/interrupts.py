"""Ctrl-C during a training: it ends between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def interrupted_between_steps() -> Iterator[Callable[[], None]]:
    """Note Ctrl-C, and give a function that raises ``KeyboardInterrupt`` once there was one.

    A step that is left in the middle has already changed statistics of the network. A second Ctrl-C
    does not wait for the end of the step.
    """
    usual = signal.default_int_handler
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not usual:
        yield lambda: None
        return
    noted: list[int] = []

    def note(number: int, frame: Any) -> None:
        if noted:
            usual(number, frame)
        noted.append(number)

    def go_on() -> None:
        if noted:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield go_on
    finally:
        signal.signal(signal.SIGINT, usual)
