"""Rows on disk: lines of JSON, appended as they are made, each under an id; and what is shared.

``results.json`` has the layout of CompressAI's results (a name, a description, and lists of equal
length under ``results``), so that tools for those read it; so have the files ``paper-*.json``
(:mod:`experiments.literature`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.means import Point

Row = dict[str, Any]

SCORE_NAMES = {
    "psnr-rgb": "psnr_db",
    "ssim-rgb": "ssim",
    "ms-ssim-rgb": "ms_ssim",
    "region-psnr-rgb": "region_psnr_db",
    "background-psnr-rgb": "background_psnr_db",
    "theta-psnr-rgb": "theta_psnr_db",
}
"""Scores as they are called in results files, the first and third as CompressAI does."""


def read_rows(store: Path, say: Callable[..., None]) -> dict[str, Row]:
    """Read the rows of earlier runs by id; a line that was cut off is reported and passed over."""
    rows: dict[str, Row] = {}
    if not store.exists():
        return rows
    text = store.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row["id"]] = row
        except (ValueError, TypeError, KeyError):
            say(f"{store}, line {number}: damaged, passed over")
    if text and not text.endswith("\n"):
        with store.open("a", encoding="utf-8") as sink:
            sink.write("\n")
    return rows


def write_results(
    path: Path, points: Sequence[Point], *, name: str, description: str, settings: dict[str, Any]
) -> None:
    """Write points, a list for each quantity, and the rows that they are the means of.

    ``cbr`` is the mean of what was taken, ``bpp`` that of payload bits per pixel, ``lost`` the
    share of images of which nothing arrived. Scores are means of per-image values, null where no
    image has one.
    """
    results: dict[str, list[Any]] = {
        "codec": [point.codec for point in points],
        "system": [point.system for point in points],
        "theta": [point.theta for point in points],
        "cbr": [point.mean("cbr") for point in points],
        "snr_db": [point.snr_db for point in points],
        "bpp": [point.bits_per_pixel for point in points],
        **{key: [point.mean(name) for point in points] for key, name in SCORE_NAMES.items()},
        "lost": [point.num_lost / len(point.rows) for point in points],
    }
    content = {
        "name": name,
        "description": description,
        "settings": settings,
        "results": results,
        "images": [row for point in points for row in point.rows],
    }
    text = json.dumps(content, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write one line per row, without what has parts itself; the accounting's items are columns."""
    flat = [
        {
            name: value
            for name, value in {**row, **row.get("accounting", {})}.items()
            if not isinstance(value, dict | list | tuple)
        }
        for row in rows
    ]
    names = dict.fromkeys(name for row in flat for name in row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(flat)
