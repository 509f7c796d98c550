"""Masks from NumPy's files: an array (H, W) or a stack (N, H, W), perhaps among others in an NPZ.

The memory that an array needs is determined from its header, since an NPZ of a megabyte may unpack
to thousands. Nothing is unpickled.

Reference: numpy.lib.format, "NPY format".
"""

from __future__ import annotations

import contextlib
import functools
import math
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.labels import (
    MAX_BYTES,
    MAX_LABELS,
    Array,
    masks_in,
    masks_in_stack,
    wrong_size,
)
from semcom.types import Mask

SCORES = ("scores", "score", "predicted_iou", "iou_predictions", "iou_preds", "confidence")
"""Names under which an NPZ may contain the scores of masks."""
_PICKLE = (
    "holds Python objects, which are never unpickled; save the masks alone: "
    "np.save(file, np.stack([one['segmentation'] for one in masks]))"
)
Opener = Callable[[], IO[bytes]]


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def masks_in_numpy(path: Path, height: int, width: int) -> Masks:
    """Read the masks of an NPY or NPZ file.

    Raises
    ------
    ValueError
        Unreadable, of another size, with too many masks, or ambiguous.
    """
    with contextlib.ExitStack() as stack:
        with _reading():
            openers = stack.enter_context(_opened(path))
            headers = {name: _header(opener) for name, opener in openers.items()}
        fitting = {name: h for name, h in headers.items() if not _why_not(h, height, width)}
        if not fitting:
            reasons = (f"{n}: {_why_not(h, height, width)}" for n, h in headers.items())
            raise InputError(next(reasons, "holds no array").removeprefix(": "))
        _check_room(list(fitting.values()), height * width)
        with _reading():
            scores = _scores(openers, headers, fitting, height * width)
            arrays = {name: _load(openers[name]) for name in fitting}
    given = next(iter(scores.values()), None)
    masks, notes = [], dict[str, None]()
    for name, array in arrays.items():
        which = f"{name}: " if len(arrays) > 1 else ""
        try:
            found = masks_in_array(array, height, width, given)
        except ValueError as error:
            raise InputError(f"{which}{error}") from None
        label = name if which else None
        masks += [Mask(mask.pixels, mask.score, mask.label or label) for mask in found]
        notes |= dict.fromkeys(f"{which}{note}" for note in found.notes)
    if others := [name for name in headers if name not in (*fitting, *scores)]:
        notes[f"{', '.join(others)} in it: no masks of this image, left out"] = None
    return Masks(masks, notes)


def masks_in_array(values: Array, height: int, width: int, scores: Array | None = None) -> Masks:
    """Read an array (H, W) or a stack (N, H, W), with or without a score for each layer."""
    if why := _why_not(_Header(values.shape, values.dtype), height, width):
        raise InputError(why)
    stack = values.reshape(-1, height, width)
    if len(stack) == 1 and scores is None:
        return masks_in(stack[0])
    return masks_in_stack(stack, scores)


def _why_not(header: _Header, height: int, width: int) -> str | None:
    """Say why an array contains no masks for an image of this size, or return None."""
    shape, dtype = header
    if dtype.hasobject:
        return _PICKLE
    if dtype.kind not in "biuf":
        return f"masks must be bool, whole numbers or floats, got {dtype}"
    if len(shape) == 2:
        return wrong_size(shape, height, width)
    stacks = [shape]
    stacks += [shape[:-1]] if shape[-1:] == (1,) else []  # (…, H, W, 1), as in Keras
    stacks += [shape[1:]] if shape[:1] == (1,) else []  # (1, N, H, W) and
    stacks += [(*shape[:1], *shape[2:])] if shape[1:2] == (1,) else []  # (N, 1, H, W), as in SAM
    if any(s[-2:] == (height, width) and len(s) <= 3 for s in stacks):
        return None
    return (
        f"has shape {shape}, expected shape (height, width) or (masks, height, width) "
        f"of the {width}x{height} image"
    )


def _check_room(headers: list[_Header], num_pixels: int) -> None:
    layers = sum(math.prod(header.shape) for header in headers) // num_pixels
    if layers > MAX_LABELS:
        raise InputError(f"holds {layers} masks, expected {MAX_LABELS} or less")
    total = sum(math.prod(header.shape) * header.dtype.itemsize for header in headers)
    if total > MAX_BYTES:
        raise InputError(f"its masks take {total / 1e9:.1f} GB, more than {MAX_BYTES / 1e9:.1f}")


def _scores(
    openers: dict[str, Opener],
    headers: dict[str, _Header],
    fitting: dict[str, _Header],
    num_pixels: int,
) -> dict[str, Array]:
    """Load the scores of the only array of masks, by its name, if they lie between 0 and 1."""
    num_layers = [math.prod(header.shape) // num_pixels for header in fitting.values()]
    for name, (shape, dtype) in headers.items():
        if name.lower() in SCORES and dtype.kind == "f" and [math.prod(shape)] == num_layers:
            scores = _load(openers[name]).ravel()
            if ((scores >= 0) & (scores <= 1.1)).all():  # predicted IoUs may slightly exceed 1
                return {name: np.minimum(scores, 1)}
    return {}


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Turn the exceptions of NumPy and zipfile for a bad file into a one-line message."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # zipfile, zlib, tokenize and struct each raise their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"not a readable NumPy file: {reason}") from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[dict[str, Opener]]:
    """Return an opener for each array of a file by name; the name of an NPY's is empty."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            yield {"": lambda: path.open("rb")}
            return
        with zipfile.ZipFile(file) as archive:
            arrays = [name for name in archive.namelist() if name.endswith(".npy")]
            yield {name[:-4]: functools.partial(archive.open, name) for name in arrays}


def _header(opener: Opener) -> _Header:
    with opener() as file:
        version = npy.read_magic(file)  # type: ignore[no-untyped-call, unused-ignore]
        if version != (1, 0):  # other versions are for headers over 64 kB, and read up to 4 GB
            raise InputError(f"NPY version {version}, expected (1, 0)")
        shape, _, dtype = npy.read_array_header_1_0(file)  # type: ignore[no-untyped-call, unused-ignore]
    if any(length < 0 for length in shape):
        raise InputError(f"shape {shape}")
    return _Header(shape, dtype)


def _load(opener: Opener) -> Array:
    with opener() as file:
        array: Array = npy.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call, unused-ignore]
    return array
