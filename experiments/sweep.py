"""Many deliveries of many images, each a row on disk: what ``curve`` and ``tradeoff`` share.

Rows are appended to ``rows.jsonl`` as they are made, under an id that is the hash of everything
they depend on, so that a run that was killed goes on where it was and rows of other settings do not
mix.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from experiments.bound import bound
from experiments.store import Row, read_rows
from semcom.agreement import Link
from semcom.attention import Attention, Wishes, attend
from semcom.images import digest, find_images, load_image
from semcom.importance import Importance, importance
from semcom.scores.psnr import region_psnr_db
from semcom.session import send_attended, versions
from semcom.types import Image

Say = Callable[..., None]


@dataclass(frozen=True)
class Task:
    """One delivery of an image that is still to be named."""

    cbr: Fraction
    link: Link
    codec: str
    blind: bool
    seed: int
    bound: bool = False
    """No link, but the bits of its capacity (:mod:`experiments.bound`)."""
    theta: float | None = None
    """Weighs the region anew, with this θ instead of the wishes'."""

    def id(self, image: Image, seen: Attention) -> str:
        """Hash everything that the row depends on; ``seen`` as :meth:`weigh` returns it."""
        what = hashlib.sha256(seen.importance.w.tobytes() + seen.importance.region.tobytes())
        parts = [str(self.cbr), asdict(self.link), self.codec, self.blind, self.seed]
        parts += ["bound"] if self.bound else []
        about = [digest(image), what.hexdigest(), seen.importance.theta, versions(), *parts]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def weigh(self, seen: Attention) -> Attention:
        """Return the same attention with this task's θ."""
        if self.theta is None:
            return seen
        old, kind = seen.importance, seen.record["importance"]
        return replace(
            seen, importance=importance(old.masks, *old.w.shape, theta=self.theta, kind=kind)
        )

    def run(self, image: Image, seen: Attention, source: str) -> Row:
        """Deliver an image; raises ``ValueError`` where that is impossible."""
        if self.bound:
            record, received = bound(
                image,
                seen,
                source,
                codec=self.codec,
                cbr=self.cbr,
                channel=self.link.channel,
                snr_db=self.link.snr_db,
                blind=self.blind,
            )
        else:
            delivery = send_attended(
                image,
                seen,
                source,
                codec=self.codec,
                cbr=self.cbr,
                link=self.link,
                blind=self.blind,
                seed=self.seed,
            )
            record, received = delivery.record, delivery.received
        return {**record, **_mask_scores(image, received, seen.importance)}


def sweep(
    images: Sequence[Path], out: Path, *, wishes: Wishes, tasks: Sequence[Task], say: Say
) -> tuple[list[Row], int]:
    """Run every task on every image; return the rows, and how many could not be made.

    Parameters
    ----------
    images
        Files and folders. An image that cannot be read or sent is reported and left out.
    out
        Folder for ``rows.jsonl``; rows that it holds already are taken from there.
    wishes
        What matters. Where nothing is preferred, the tasks by importance are passed over: they
        are the blind ones.
    tasks
        What to do with each image.
    say
        What gets notes and errors.

    Raises
    ------
    ValueError
        If not a single row could be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    done = read_rows(out / "rows.jsonl", say)
    files = find_images(list(images))
    rows: dict[str, Row] = {}
    failed = 0
    with (out / "rows.jsonl").open("a", encoding="utf-8") as sink, progress_bar() as bar:
        progress = bar.add_task("", total=len(files) * len(tasks))
        for file in files:
            bar.update(progress, description=file.name)
            found = look(file, wishes, say)
            if found is None:
                failed += 1
                bar.advance(progress, len(tasks))
                continue
            alike = bool((found[1].importance.w == 1).all())
            for task in tasks:
                if task.blind or not alike:
                    row = _row(task, *found, file, done, sink, say)
                    failed += row is None
                    rows |= {} if row is None else {row["id"]: row}
                bar.advance(progress)
    if not rows:
        raise ValueError("no image could be sent at any point")
    return list(rows.values()), failed


def progress_bar() -> Progress:
    """Make a bar on the error stream, which takes file names literally."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def look(file: Path, wishes: Wishes, say: Say) -> tuple[Image, Attention] | None:
    """Load an image and find what matters in it; None, and a line, where that fails."""
    try:
        image, notes = load_image(file)
        seen = attend(image, wishes.beside(file))
    except (ValueError, OSError) as error:
        text = str(error)
        say(f"Error: {text if str(file) in text else f'{file}: {text}'}; left out")
        return None
    say(*(f"{file}: {note}" for note in (*notes, *seen.notes)))
    return image, seen


def _row(
    task: Task,
    image: Image,
    seen: Attention,
    file: Path,
    done: dict[str, Row],
    sink: TextIO,
    say: Say,
) -> Row | None:
    """Return the row of a task, from the store if it is there; None if it cannot be made."""
    weighed = task.weigh(seen)
    identity = task.id(image, weighed)
    if identity in done:
        return done[identity]
    try:
        made = task.run(image, weighed, str(file))
    except ValueError as error:
        say(f"Error: {file} at CBR {task.cbr}, {task.link.snr_db:g} dB: {error}; left out")
        return None
    row = done[identity] = {"id": identity, **made}
    sink.write(json.dumps(row, allow_nan=False) + "\n")
    sink.flush()
    return row


def _mask_scores(image: Image, received: Image, what: Importance) -> Row:
    """PSNR over the most important mask, and over the rest of the region: what grading moves."""
    first = what.masks[0].pixels if what.masks else np.zeros_like(what.region)
    scores = {
        "first_psnr_db": region_psnr_db(image, received, first),
        "others_psnr_db": region_psnr_db(image, received, what.region & ~first),
    }
    return {n: v if v is not None and math.isfinite(v) else None for n, v in scores.items()}
