"""Calling a codec, and describing an unexpected answer in words."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DecodeError, DigitalCodec
from semcom.conformance.base import CheckFailed, told
from semcom.conformance.samples import photo, region
from semcom.scores.psnr import region_psnr_db, weighted_psnr_db
from semcom.types import Image, Map

T = TypeVar("T")
MAX_PACKETS = 255


def ask(function: Callable[..., T], *arguments: object, asked: str, promise: str) -> T:
    """Call a codec where it must not raise an exception; raise :class:`CheckFailed` if it does."""
    try:
        return function(*arguments)
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error


def lengths(packets: Sequence[bytes | None]) -> str:
    """List the lengths of the first eight packets, such as ``"12, lost, 7"``; may be empty."""
    sizes = ", ".join("lost" if packet is None else str(len(packet)) for packet in packets[:8])
    return sizes + (", …" if len(packets) > 8 else "")


def check_image(shown: object, height: int, width: int, *, asked: str, promise: str) -> None:
    """Raise :class:`CheckFailed` unless ``shown`` is an image of this size."""
    if not isinstance(shown, np.ndarray):
        raise CheckFailed(asked, f"a {type(shown).__name__} and not an array", promise)
    if shown.shape != (height, width, 3) or shown.dtype != np.uint8:
        raise CheckFailed(asked, f"an array of {shown.dtype} and shape {shown.shape}", promise)


def attempt(
    codec: DigitalCodec, packets: Sequence[bytes | None], height: int, width: int, limit_s: float
) -> object:
    """Decode within a time limit, in a thread that is abandoned if it does not finish.

    Return the result or the exception; ``TimeoutError`` if it takes longer.
    """
    results: queue.SimpleQueue[object] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(codec.decode(packets, height, width))
        except Exception as error:
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return results.get(timeout=limit_s)
    except queue.Empty:
        return TimeoutError(f"no result within {limit_s:g} s")


def qualities(shown: Image, w: Map) -> NDArray[np.float64]:
    """Return the PSNR of the photo in its region, outside, and weighted, in dB."""
    inside, outside = (region_psnr_db(photo(), shown, part) for part in (region(), ~region()))
    return np.array([inside, outside, weighted_psnr_db(photo(), shown, w)], dtype=np.float64)


def check_harmless(
    codec: DigitalCodec,
    packets: Sequence[bytes | None],
    height: int,
    width: int,
    *,
    limit_s: float,
    promise: str,
    what: str = "garbage",
) -> None:
    """Check that ``packets`` soon give an error or an image.

    Raises
    ------
    CheckFailed
        Another exception, another image, or no result within ``limit_s``.
    """
    first = next((packet for packet in packets if packet), b"")
    beginning = f" ({first[:12].hex()}…)" if first else ""
    asked = f"decode a picture of {width}x{height} from {what}{beginning}"
    shown = attempt(codec, packets, height, width, limit_s)
    if isinstance(shown, DecodeError):
        return
    if isinstance(shown, Exception):
        raise CheckFailed(asked, told(shown), promise) from shown
    check_image(shown, height, width, asked=asked, promise=promise)
