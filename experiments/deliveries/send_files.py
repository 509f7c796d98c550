"""``semcom send``: sends image files and writes received pictures, figures and records.

The functions that the other commands for images share are here as well.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image as PilImage

from experiments.deliveries.pictures import save_delivery
from experiments.deliveries.record_table import SYSTEMS, print_records
from experiments.saving import save
from semcom.api import Order
from semcom.codecs.base import CODECS
from semcom.errors import InputError
from semcom.images import MASK_ENDING, find_images, mask_beside
from semcom.large import STAGES, is_large, say_stage
from semcom.link.delivery import Delivery
from semcom.scene import Scene, send_scene

OUTPUTS = (
    *("_received.png", "_figure.png", ".json"),
    *("_blind_received.png", "_blind_figure.png", "_blind.json", "_comparison.png"),
    *(MASK_ENDING, "_masks.npz", "_masks.png"),
)
"""Endings of the files that any command writes for an image."""
_LONGEST = 220
"""Largest number of bytes of an output's name, before its ending; file systems allow some 255."""


def send_files(
    images: tuple[Path, ...],
    out: Path,
    order: Order,
    *,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> int:
    """Send files and write the received pictures; a file that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for ``NAME_received.png``, ``NAME_figure.png`` and ``NAME.json`` of each image, or
        for ``NAME_blind_received.png`` and so on if the delivery is blind.
    order
        Options of :func:`semcom.send`.
    tell
        Function that receives each record; without it, a table is printed.
    say
        Function that receives notes and errors.

    Returns
    -------
    int
        Number of images that could not be sent.
    """
    codec, blind = order.sending["codec"], order.sending["blind"]
    if not (blind or CODECS.create(codec).steerable):
        say(f"codec {codec} cannot follow the importance map, which only the scores then use")

    def one(file: Path, name: str) -> None:
        scene = look(file, order, say)
        delivery = send_scene(scene, **order.sending)
        name += "_blind" * blind
        figure = out / f"{name}_figure.png"
        with alongside(lambda: write_delivery(delivery, out, name)):
            draw(lambda path: save_delivery(delivery, scene.region, path), figure, say)
        if tell is not None:
            tell(delivery.record)
            return
        print_records({SYSTEMS[delivery.record["system"]]: delivery.record}, title=str(file))
        say(f"{file}: written to {out / name}_received.png, _figure.png and .json")
        if delivery.all_lost:
            say(f"{file}: all was lost, so the scores are those of mid-grey")

    endings = [f"{'_blind' * blind}{end}" for end in ("_received.png", "_figure.png", ".json")]
    return for_each(images, order.region.mask, out, endings, one, say=say)


def for_each(
    images: Sequence[Path],
    mask: str | None,
    out: Path,
    endings: Sequence[str],
    do: Callable[[Path, str], None],
    *,
    say: Callable[..., None],
) -> int:
    """Call a function for every image; an image that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    mask
        Another file that is read, if any, or ``"beside"``.
    out
        Folder for the outputs, created if it does not exist. Their names are those of the images
        followed by ``endings``. A file that is read is never overwritten.
    do
        Function that receives the file of an image and the name for its outputs.
    say
        Function that receives errors.

    Returns
    -------
    int
        Number of images that failed.
    """
    failed = 0
    assert set(endings) <= set(OUTPUTS), endings  # by which names are kept apart
    out.mkdir(parents=True, exist_ok=True)
    files = find_images(list(images))
    names = output_names(files)
    _check_inputs_survive(files, mask, [out / f"{name}{end}" for name in names for end in endings])
    for file, name in zip(files, names, strict=True):
        try:
            with _stages(file, say):
                do(file, name)
        except (InputError, OSError) as error:
            failed += 1
            text = str(error)
            say(f"Error: {text}" if str(file) in text else f"Error: {file}: {text}")
        except Exception:  # a bug, or a plugin's; the other images can still be sent
            failed += 1
            say(f"Error: {file}: an unexpected error", traceback.format_exc())
    return failed


@contextlib.contextmanager
def _stages(file: Path, say: Callable[..., None]) -> Iterator[None]:
    """Report the stages of work on a large picture if the error stream is a terminal."""
    handler = logging.Handler()
    handler.emit = lambda record: say(f"{file}: {record.getMessage()} …")  # type: ignore[method-assign]
    if sys.stderr.isatty():
        STAGES.setLevel(logging.INFO)
        STAGES.addHandler(handler)
    try:
        yield
    finally:
        STAGES.removeHandler(handler)


def look(file: Path, order: Order, say: Callable[..., None]) -> Scene:
    """Read an image and find the region that matters; pass notes for the user to ``say``."""
    scene = order.scene(file)
    say(*(f"{file}: {note}" for note in scene.notes))
    return scene


def draw(save: Callable[[Path], None], path: Path, say: Callable[..., None]) -> None:
    """Draw a figure; report one that cannot be drawn and continue."""
    try:
        save(path)
    except OSError:
        raise
    except Exception as error:  # the results are complete, whatever error matplotlib raises
        say(f"{path} could not be drawn: {' '.join(str(error).split()) or repr(error)}")


@contextlib.contextmanager
def alongside(work: Callable[[], None]) -> Iterator[None]:
    """Do ``work`` in another thread; its error is raised when the body has ended."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result()


def write_delivery(delivery: Delivery, out: Path, name: str) -> None:
    """Write the received picture and the record."""
    height, width = delivery.received.shape[:2]
    say_stage("writing", height, width)
    sink, effort = io.BytesIO(), 1 if is_large(height, width) else 6
    PilImage.fromarray(delivery.received).save(sink, "PNG", compress_level=effort)
    save(out / f"{name}_received.png", sink.getvalue())
    text = json.dumps(delivery.record, indent=2, ensure_ascii=False, allow_nan=False)
    # A file name that is not valid UTF-8 is written with JSON's escapes.
    save(out / f"{name}.json", text + "\n")


def _check_inputs_survive(files: list[Path], mask: str | None, outputs: list[Path]) -> None:
    # Path.resolve() raises on links that lead back to themselves.
    masks = [mask_beside(file) for file in files] if mask == "beside" else [mask] if mask else []
    inputs = {os.path.realpath(str(path)) for path in (*files, *masks)}
    for output in outputs:
        if os.path.realpath(output) in inputs:
            raise InputError(f"{output} is an input and would be overwritten: change --out")


def output_names(files: list[Path]) -> list[str]:
    """Name outputs after the files, with a number if outputs of two files would be the same.

    A name that is too long for the endings is cut.

    Examples
    --------
    >>> output_names([Path("a.png"), Path("b/a.png"), Path("a_blind.png")])
    ['a', 'a-2', 'a_blind-2']
    """
    names: list[str] = []
    used: set[str] = set()
    for file in files:
        stem, n = file.stem, 1
        while len(os.fsencode(stem)) > _LONGEST:
            stem = stem[:-1]
        name = stem
        while used & {name + end for end in OUTPUTS}:
            n += 1
            name = f"{stem}-{n}"
        names.append(name)
        used |= {name + end for end in OUTPUTS}
    return names
