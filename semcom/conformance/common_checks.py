"""The checks that digital and analog codecs share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from semcom.codecs.base import DigitalCodec
from semcom.conformance import garbage
from semcom.conformance.base import MEMORY, THREADS, Candidate, CheckFailed, told
from semcom.conformance.calls import attempt
from semcom.conformance.memory import grown_bytes, start_measuring
from semcom.conformance.samples import crop
from semcom.types import Image

MAX_SUBSETS = 64
"""Largest number of subsets of packets that a check loses."""


def subsets(count: int) -> list[tuple[bool, ...]]:
    """List which packets arrive: all subsets, or none, all, and random ones."""
    if 2**count <= MAX_SUBSETS:
        return list(itertools.product((False, True), repeat=count))
    rng = np.random.default_rng(0)
    random = rng.random((MAX_SUBSETS - 2, count)) < rng.random((MAX_SUBSETS - 2, 1))
    return [(False,) * count, (True,) * count, *map(tuple, random.tolist())]


def same_in_threads(send: Callable[[Image], Mapping[str, object]], unsteady: str) -> None:
    """Send three small pictures in three threads, and then one after the other.

    Parameters
    ----------
    send
        Function that sends a picture and returns what must be the same, by name.
    unsteady
        The promise that is broken if results also differ without threads.

    Raises
    ------
    CheckFailed
        A thread failed, or its result differs.
    """
    images = [crop(i, 90 + i, 40, 56) for i in (20, 50, 80)]
    with ThreadPoolExecutor(len(images)) as pool:
        together = [pool.submit(send, image) for image in images]
    alone = [send(image) for image in images]
    asked = "send three pictures in three threads with the same results as one after the other"
    for image, future, expected in zip(images, together, alone, strict=True):
        if (error := future.exception()) is not None:
            raise CheckFailed(asked, str(error), THREADS) from error
        for name, value in future.result().items():
            if value != expected[name]:
                steady = send(image) == expected
                raise CheckFailed(asked, f"different {name}", THREADS if steady else unsteady)


def bounded_memory(
    candidate: Candidate,
    send: Callable[[], tuple[DigitalCodec, list[bytes]]],
    size: tuple[int, int],
    promise: str,
) -> str:
    """Send a picture of 512x512, and decode a few bytes of garbage, in bounded memory.

    Parameters
    ----------
    candidate
        The codec, with its limits.
    send
        Function that sends the picture and returns a decoder and packets for it.
    size
        Height and width of the picture of these packets.
    promise
        The promise that is broken if the decoder takes too long.

    Raises
    ------
    CheckFailed
        Memory has grown too much, or the decoder took too long.
    """
    start = start_measuring()

    def check(asked: str) -> None:
        growth = grown_bytes(start)
        if growth > candidate.max_growth_bytes:
            raise CheckFailed(asked, f"{growth / 1e9:.2f} GB of memory used", MEMORY)

    decoder, packets = send()
    check("send a picture of 512x512")
    height, width = size
    for what, short in garbage.few_bytes(packets) if packets else ():
        asked = f"decode a picture of {width}x{height} from {what}"
        shown = attempt(decoder, short, height, width, candidate.decode_limit_s)
        if isinstance(shown, TimeoutError):  # other exceptions are left to the check of garbage
            raise CheckFailed(asked, told(shown), promise)
        check(asked)
    return "" if start.own else "this system does not report the use of memory"
