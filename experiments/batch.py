"""``semcom send``: images from files to received pictures, figures and records."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image as PilImage

from experiments.figures import save_delivery
from experiments.saving import save
from experiments.tables import SYSTEMS, print_records
from semcom.agreement import Link
from semcom.attention import Wishes, attend
from semcom.codecs.base import CODECS
from semcom.images import find_images, load_image
from semcom.link import Delivery
from semcom.session import send_attended


def send_files(
    images: tuple[Path, ...],
    out: Path,
    *,
    wishes: Wishes,
    link: Link,
    codec: str,
    cbr: Fraction,
    blind: bool,
    seed: int,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> int:
    """Send files and write what arrives; a file that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for ``NAME_received.png``, ``NAME_figure.png`` and ``NAME.json`` of each image.
    tell
        What gets each record; None prints a table instead.
    say
        What gets notes and errors.

    Returns
    -------
    int
        How many could not be sent.
    """
    failed = 0
    if not (blind or CODECS.create(codec).steerable):
        say(f"codec {codec} cannot follow the importance map: it is only used for the scores")
    out.mkdir(parents=True, exist_ok=True)
    files = find_images(list(images))
    names = _names(files)
    _check_inputs_survive(files, wishes.mask, out, names)
    for file, name in zip(files, names, strict=True):
        try:
            image, notes = load_image(file)
            seen = attend(image, wishes.beside(file))
            say(*(f"{file}: {note}" for note in (*notes, *seen.notes)))
            delivery = send_attended(
                image, seen, str(file), blind=blind, codec=codec, cbr=cbr, link=link, seed=seed
            )
            write_delivery(delivery, out, name)
            save_delivery(delivery, seen, out / f"{name}_figure.png")
        except (ValueError, OSError) as error:
            failed += 1
            text = str(error)
            say(f"Error: {text}" if str(file) in text else f"Error: {file}: {text}")
            continue
        if tell is None:
            print_records({SYSTEMS[delivery.record["system"]]: delivery.record}, title=str(file))
            say(f"{file}: written to {out / name}_received.png, _figure.png and .json")
            if delivery.all_lost:
                say(f"{file}: nothing arrived; the scores are those of mid-grey")
        else:
            tell(delivery.record)
    return failed


def write_delivery(delivery: Delivery, out: Path, name: str) -> None:
    """Write the received picture and the record."""
    sink = io.BytesIO()
    PilImage.fromarray(delivery.received).save(sink, "PNG")
    save(out / f"{name}_received.png", sink.getvalue())
    text = json.dumps(delivery.record, indent=2, ensure_ascii=False, allow_nan=False)
    # A file name that is no UTF-8 becomes JSON's own escapes.
    save(out / f"{name}.json", text + "\n")


def _check_inputs_survive(files: list[Path], mask: str | None, out: Path, names: list[str]) -> None:
    inputs = {path.resolve() for path in [*files, *([Path(mask)] if mask else [])]}
    for name in names:
        for output in (f"{name}_received.png", f"{name}_figure.png", f"{name}.json"):
            if (out / output).resolve() in inputs:
                raise ValueError(f"{out / output} is read and would be written over: change --out")


def _names(files: list[Path]) -> list[str]:
    """Name outputs after the files; equal names are told apart by a number."""
    names: list[str] = []
    for file in files:
        name, n = file.stem, 1
        while name in names:
            n += 1
            name = f"{file.stem}-{n}"
        names.append(name)
    return names
