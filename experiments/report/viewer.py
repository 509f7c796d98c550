"""The data of the page's viewer: pictures by image, condition and system, and their scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.Image import Image as Picture

from experiments.analysis.points import bandwidth_sweep, evenly
from experiments.analysis.score_names import label, naming, shown_scores
from experiments.report import pictures
from experiments.report.pictures import Album
from experiments.report.words import axis_name, axis_value
from experiments.shell import path_word
from experiments.store.database import Database, opened
from experiments.store.kept_pictures import Shot, decode, in_threads, intact, read, shots_of
from experiments.store.measured import Key, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import AXES, Setting
from experiments.suites.value_types import OF_RECORD

LIMIT = 40 << 20
"""Largest number of characters of all pictures of a page."""
_SAMPLES = 12
TASK = 12
"""Number of characters of a task's id that the page shows."""


@dataclass(frozen=True)
class Viewer:
    """The data of the viewer."""

    data: dict[str, Any]
    """Data for the script, written as JSON."""
    pictures: list[bytes]
    """WebP pictures, by the numbers in the data."""
    notes: list[str]
    """Notes on what was left out."""
    damaged: list[str]
    """Descriptions of the rows with damaged pictures."""


def build_viewer(
    study: SuiteResults, results: Path | Database, *, limit: int = LIMIT
) -> Viewer | None:
    """Collect the pictures of a run; return None if the file has none.

    Parameters
    ----------
    study
        The results.
    results
        The file of the results, with the pictures.
    limit
        Largest number of characters of all pictures. Values of the longest axes are dropped until
        they fit.
    """
    with opened(results) as database:
        shots, sizes = shots_of(study, database)
        if not shots:
            return None
        album = Album()
        values = _values(study, shots)
        if sum({s.key: sizes[s.row.task] for s in shots}.values()) > limit / 2:
            values, shots = _thin(values, shots, limit / _mean_size(database, shots))
        shots, gone = intact(database, shots)
        lost = [f"{study.labels[s.system]}, {s.row.name} (task {s.row.task[:TASK]})" for s in gone]
        if not shots:
            return Viewer({}, [], [], lost)
        values = {a: [v for v in some if _any(a, v, shots)] for a, some in values.items()}
        notes = _notes(study, values, shots)
        _fill(database, album, shots)
        data = _describe(study, database, album, values, shots)
    return Viewer(data, album.pictures, notes, lost)


def _any(axis: str, value: Any, shots: Sequence[Shot]) -> bool:
    return any(shot.value(axis) == value for shot in shots)


def _values(study: SuiteResults, shots: Sequence[Shot]) -> dict[str, list[Any]]:
    """Return the axes of the viewer: the image, and the axes that vary within a system."""
    by_system: dict[System, list[Setting]] = {}
    for point in study.points:
        by_system.setdefault(point.key, []).append(point.setting)
    axes: dict[str, list[Any]] = {"image": list(dict.fromkeys(shot.row.key for shot in shots))}
    for axis in AXES:
        if any(len({getattr(s, axis) for s in one}) > 1 for one in by_system.values()):
            there = {shot.value(axis) for shot in shots}
            axes[axis] = [value for value in study.axis(axis) if value in there]
    return axes


def _thin(
    values: dict[str, list[Any]], shots: Sequence[Shot], most: float
) -> tuple[dict[str, list[Any]], list[Shot]]:
    """Drop values evenly, from the longest axis first, until ``most`` pictures are left."""
    kept, left = values, list(shots)
    while _count(left) > most:
        axis = max(reversed(kept), key=lambda name: len(kept[name]))
        fewer = {**kept, axis: evenly(values[axis], len(kept[axis]) - 1)}
        sets = {name: set(some) for name, some in fewer.items()}
        some = [s for s in shots if all(s.value(name) in of for name, of in sets.items())]
        if not some:
            break  # no value can be dropped without losing all pictures
        kept, left = fewer, some
    return kept, left


def _mean_size(database: Database, shots: Sequence[Shot]) -> float:
    """Return the mean number of characters of a picture with its error map, from a sample."""
    some, _ = intact(database, sorted(shots, key=lambda shot: shot.row.task)[:_SAMPLES])
    album = Album()
    _fill(database, album, some)
    return math.fsum(map(_length, album.pictures)) / max(1, _count(some)) or 1.0


def _count(shots: Sequence[Shot]) -> int:
    """Count the received pictures and the originals."""
    return len({shot.key for shot in shots}) + len({shot.row.image for shot in shots})


def _length(data: bytes) -> int:
    # The length in base64.
    return 4 * -(-len(data) // 3)


def _notes(study: SuiteResults, values: dict[str, list[Any]], shots: Sequence[Shot]) -> list[str]:
    notes = []
    for axis, some in values.items():
        if axis == "image":
            continue
        total = len({getattr(point.setting, axis) for point in study.points})
        if len(some) < total:
            notes.append(f"{len(some)} of {total} values of {axis_name(axis)}")
    images = len({row.key for point in study.points for row in point.rows})
    if len(values["image"]) < images:
        notes.append(f"{len(values['image'])} of {images} images")
    if max(max(s.row.record["width"], s.row.record["height"]) for s in shots) > pictures.LONGEST:
        notes.append(f"pictures scaled down to {pictures.LONGEST} pixels")
    return notes


def _fill(database: Database, album: Album, shots: Sequence[Shot]) -> None:
    """Add every picture and its error map to the album, each once."""
    originals: dict[Hashable, Picture] = {}
    for shot in shots:
        if shot.row.image not in originals:
            original = decode(read(database, shot.row.task, "original"))
            originals[shot.row.image] = original
            album.add(shot.row.image, pictures.received(original))
        if (seen := _seen(shot)) is not None and seen not in album:
            originals[seen] = decode(read(database, shot.row.task, "seen"))
            album.add(seen, pictures.received(originals[seen]))
    new = {shot.key: shot for shot in shots}

    def lossless() -> Iterator[tuple[Shot, bytes]]:
        for shot in new.values():
            yield shot, read(database, shot.row.task, "received")

    def make(one: tuple[Shot, bytes]) -> tuple[tuple[str, str], bytes, bytes]:
        shot, data = one
        picture = decode(data)
        seen = _seen(shot) if shot.reference == "seen" else None
        reference = originals[seen or shot.row.image]
        return shot.key, pictures.received(picture), pictures.error_map(reference, picture)

    for key, picture, error in in_threads(make, lossless()):
        album.add(key, picture)
        album.add((*key, "error"), error)


def _seen(shot: Shot) -> tuple[str, str] | None:
    """Return the key of what the camera saw; None if nothing was disturbed."""
    s = shot.setting
    return (shot.row.image, f"{s.disturbance}, {s.severity}") if s.disturbance else None


def _describe(
    study: SuiteResults,
    database: Database,
    album: Album,
    values: dict[str, list[Any]],
    shots: Sequence[Shot],
) -> dict[str, Any]:
    """Return the data for the script, as JSON values."""
    systems = [system for system in study.systems if any(s.system == system for s in shots)]
    left = study.anchor if study.anchor in systems else systems[0]
    scores = [score for score in shown_scores(study) if score != "lost"]
    several = any(shot.row.draws > 1 for shot in shots)
    regions = _regions(database, album, shots)
    return {
        "results": path_word(database.path),
        "images": _images(album, values["image"], shots),
        "axes": _axes(study, values),
        "systems": [study.labels[system] for system in systems],
        "left": systems.index(left),
        "right": next((i for i, system in enumerate(systems) if system != left), -1),
        "groups": _heads(study, scores, several=several),
        "shots": [
            {
                "key": [
                    *(some.index(shot.value(axis)) for axis, some in values.items()),
                    systems.index(shot.system),
                ],
                "received": album.number(shot.key),
                "error": album.number((*shot.key, "error")),
                **({} if (seen := _seen(shot)) is None else {"seen": album.number(seen)}),
                **regions[shot.row.task],
                "cells": _cells(shot, scores, several=several),
                "task": shot.row.task[:TASK],
                "lost": shot.outcome["all_lost"],
            }
            for shot in shots
        ],
    }


def _axes(study: SuiteResults, values: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Describe the axes to choose from, each with its initial position."""
    first: dict[str, Any] = dict(zip(("snr_db", "cbr"), bandwidth_sweep(study.points), strict=True))
    return [
        {
            "name": axis_name(axis),
            "values": [axis_value(axis, value) for value in some],
            "open": some.index(first[axis]) if first.get(axis) in some else (len(some) - 1) // 2,
        }
        for axis, some in values.items()
        if axis != "image"
    ]


def _images(album: Album, images: Sequence[Key], shots: Sequence[Shot]) -> list[dict[str, Any]]:
    rows = {shot.row.key: shot.row for shot in shots}
    return [
        {
            "name": rows[key].name,
            "width": rows[key].record["width"],
            "height": rows[key].record["height"],
            "original": album.number(rows[key].image),
        }
        for key in images
    ]


def _regions(database: Database, album: Album, shots: Sequence[Shot]) -> dict[str, dict[str, int]]:
    """Add every region to the album once; return the numbers of its pictures by task."""
    found = {}
    for task in (shot.row.task for shot in shots):
        data = read(database, task, "region")
        name = hashlib.sha256(data).hexdigest()
        if (name, "outline") not in album:
            region = decode(data)
            album.add((name, "outline"), pictures.outline(region))
            album.add((name, "shade"), pictures.shade(region))
        found[task] = {part: album.number((name, part)) for part in ("outline", "shade")}
    return found


def _heads(study: SuiteResults, scores: Sequence[str], *, several: bool) -> list[dict[str, Any]]:
    """Return the heads of the rows below the pictures, with their numbers of digits."""
    rows = [{"head": label(score, study), "digits": naming(score).digits} for score in scores]
    sent: list[dict[str, Any]] = [{"head": "CBR used", "digits": 4}]
    sent += [{"head": head} for head in ("bits", "scheme", "packets arrived")]
    if not several:
        return [{"title": "", "rows": rows}, {"title": "", "rows": sent}]
    sent.append({"head": "draws in which all was lost"})
    return [
        {"title": "this draw", "rows": rows},
        {"title": "mean over the draws", "rows": rows},
        {"title": "sent", "rows": sent},
    ]


def _cells(shot: Shot, scores: Sequence[str], *, several: bool) -> list[Any]:
    """Return the cells beside the heads: numbers, text, or None."""
    row, outcome = shot.row, shot.outcome
    bits = row.record["num_bits"]
    return [
        *(row.mean(s) if s in OF_RECORD else outcome["scores"].get(s) for s in scores),
        *(row.mean(score) for score in scores if several),
        row.record["cbr"],
        str(bits) if bits else None,
        row.record.get("scheme") or None,
        f"{outcome['packets_received']} of {row.record['packets_sent']}",
        *([f"{row.lost} of {row.draws}"] if several else []),
    ]
