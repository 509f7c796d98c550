"""``semcom curve``: quality against bandwidth and against SNR, blind and by importance.

Every point is a row: the record of one delivery. Rows are appended to ``rows.jsonl`` as they are
made, under an id that is the hash of everything they depend on, so that a run that was killed goes
on where it was and rows of other settings do not mix. Plots read the rows of this run only.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from experiments.plots import plot_curves
from experiments.store import Row, read_rows
from experiments.tables import print_means
from semcom.attention import Attention, Wishes, attend
from semcom.codecs.base import CODECS
from semcom.images import digest, find_images, load_image
from semcom.session import send_attended, versions
from semcom.transmitter import Link
from semcom.types import Image


@dataclass(frozen=True)
class Grid:
    """The points of both curves."""

    cbrs: tuple[Fraction, ...]
    """Bandwidths of the rate–distortion curve,"""
    snr_db: float
    """which is measured at this SNR."""
    snrs: tuple[float, ...]
    """SNRs of the quality–SNR curve,"""
    cbr: Fraction
    """which is measured at this bandwidth."""

    def points(self) -> Iterator[tuple[Fraction, float]]:
        """Every (CBR, SNR in dB) once."""
        rate = [(cbr, self.snr_db) for cbr in self.cbrs]
        yield from dict.fromkeys([*rate, *((self.cbr, snr) for snr in self.snrs)])


@dataclass(frozen=True)
class Task:
    """One delivery: a point of the grid, one system, one image."""

    cbr: Fraction
    link: Link
    codec: str
    blind: bool
    seed: int

    def id(self, image: Image, seen: Attention) -> str:
        """Hash everything that the row depends on."""
        what = hashlib.sha256(seen.importance.w.tobytes() + seen.importance.region.tobytes())
        parts = [str(self.cbr), asdict(self.link), self.codec, self.blind, self.seed]
        about = [digest(image), what.hexdigest(), seen.importance.theta, versions(), *parts]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def curve(
    images: tuple[Path, ...],
    out: Path,
    *,
    wishes: Wishes,
    link: Link,
    codec: str,
    grid: Grid,
    seed: int,
    say: Callable[..., None],
) -> int:
    """Measure both curves over images and write rows and plots into ``out``.

    Parameters
    ----------
    images
        Files and folders; the mean is over the images. An image that cannot be read or sent is
        reported and left out.
    out
        Folder for ``rows.jsonl`` (the store), ``curve.json``, ``curve.csv`` and the plots
        ``rate_distortion`` and ``snr`` as PNG and PDF.
    wishes, link, codec, grid, seed
        What to measure; the link's SNR is replaced by the grid's.
    say
        What gets notes and errors.

    Returns
    -------
    int
        How many images and points were left out.

    Raises
    ------
    ValueError
        If not a single row could be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    store = out / "rows.jsonl"
    done = read_rows(store, say)
    tasks = [
        Task(cbr, replace(link, snr_db=snr), codec, blind, seed)
        for cbr, snr in grid.points()
        for blind in (True, False)
    ]
    if not CODECS.create(codec).steerable:
        say(f"codec {codec} cannot follow the importance map: both systems are the same")
    files = find_images(list(images))
    rows: list[Row] = []
    failed = 0
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with (
        store.open("a", encoding="utf-8") as sink,
        Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar,
    ):
        progress = bar.add_task("", total=len(files) * len(tasks))
        for file in files:
            bar.update(progress, description=file.name)
            try:
                image, notes = load_image(file)
                seen = attend(image, wishes.beside(file))
            except (ValueError, OSError) as error:
                failed += 1
                text = str(error)
                say(f"Error: {text if str(file) in text else f'{file}: {text}'}; left out")
                bar.advance(progress, len(tasks))
                continue
            say(*(f"{file}: {note}" for note in (*notes, *seen.notes)))
            blind_alone = bool((seen.importance.w == 1).all())
            for task in tasks:
                if blind_alone and not task.blind:  # nothing is preferred: the systems are one
                    bar.advance(progress)
                    continue
                row = _run(task, image, seen, file, done, sink, say)
                rows += [] if row is None else [row]
                failed += row is None
                bar.advance(progress)
    if not rows:
        raise ValueError("no image could be sent at any point")
    _write(rows, out)
    plot_curves(rows, out, snr_db=grid.snr_db, cbr=float(grid.cbr))
    print_means(rows)
    say(f"{len(rows)} rows and the plots are in {out}")
    return failed


def _run(
    task: Task,
    image: Image,
    seen: Attention,
    file: Path,
    done: dict[str, Row],
    sink: Any,
    say: Callable[..., None],
) -> Row | None:
    """Return the row of a task, from the store if it is there; None if it cannot be made."""
    identity = task.id(image, seen)
    if identity in done:
        return done[identity]
    try:
        delivery = send_attended(
            image,
            seen,
            str(file),
            codec=task.codec,
            cbr=task.cbr,
            link=task.link,
            blind=task.blind,
            seed=task.seed,
        )
    except ValueError as error:
        say(f"Error: {file} at CBR {task.cbr}, {task.link.snr_db:g} dB: {error}; left out")
        return None
    row = done[identity] = {"id": identity, **delivery.record}
    sink.write(json.dumps(row, allow_nan=False) + "\n")
    sink.flush()
    return row


def _write(rows: list[Row], out: Path) -> None:
    (out / "curve.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    flat = [
        {
            name: value
            for name, value in {**row, **row["accounting"]}.items()
            if not isinstance(value, dict | list | tuple)
        }
        for row in rows
    ]
    with (out / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
