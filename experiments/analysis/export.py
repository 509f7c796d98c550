"""``semcom export``: writes rows for other tools, as Parquet, CSV and CompressAI's JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.analysis.choice.best_of import about_best, best_of
from experiments.analysis.points import draws_words, join_seeds
from experiments.csv_table import to_csv
from experiments.naming import file_names
from experiments.saving import save
from experiments.store.measured import ImageRow, Point, SuiteResults
from experiments.suites.axes import System
from semcom.errors import InputError
from semcom.scores.base import ALWAYS
from semcom.scores.masks import IOU_CLEAN, MASK_SCORES

FORMATS = ("parquet", "csv", "json")
COMPRESSAI_NAMES = {
    "psnr_db": "psnr-rgb",
    "ssim": "ssim-rgb",
    "ms_ssim": "ms-ssim-rgb",
    "region_psnr_db": "region-psnr-rgb",
    "background_psnr_db": "background-psnr-rgb",
    "theta_psnr_db": "theta-psnr-rgb",
}
"""Names of the scores in the style of CompressAI's results."""


def export(study: SuiteResults, out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the results of a suite for other tools.

    Parameters
    ----------
    study
        The results.
    out
        Folder for ``NAME.parquet`` and ``NAME.csv``, with a row per image and setting, and for
        ``NAME-SYSTEM.json``, with the means of one system over one channel in the layout of the
        files ``paper-*.json``, which is CompressAI's with the channel in addition.
    formats
        Some of :data:`FORMATS`.

    Returns
    -------
    list[Path]
        The files that were written.

    Raises
    ------
    ValueError
        If a format is unknown, or polars is missing for Parquet.
    """
    for name in formats:
        if name not in FORMATS:
            raise InputError(f"unknown format {name!r}; choices: {', '.join(FORMATS)}")
    out.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    (name,) = file_names([study.name])
    if "parquet" in formats:
        files.append(_write_parquet(study, out / f"{name}.parquet"))
    if "csv" in formats:
        files.append(_write_csv(study, out / f"{name}.csv"))
    if "json" in formats:
        files += _write_json(study, out)
    return files


_OF_DISTURBED = (
    *("clean_psnr_db", "clean_region_psnr_db", IOU_CLEAN),
    *(*MASK_SCORES, "mask_area"),
)
"""Scores that rows have only if something was disturbed, or if there are true masks."""


def flat_rows(study: SuiteResults) -> Iterator[dict[str, Any]]:
    """Yield a flat row per task, with means over the draws.

    PSNR is None if any draw is an exact copy.
    """
    for point in study.points:
        for row in point.tasks:
            yield _flat(study, point, row)


def _flat(study: SuiteResults, point: Point, row: ImageRow) -> dict[str, Any]:
    record = row.record
    return {
        "suite": study.name,
        "task": row.task,
        "image": row.name,
        "image_sha256": row.image,
        "mask_sha256": row.mask if point.setting.needs_mask else "",
        "pixels_sha256": record["sha256"],
        "height": record["height"],
        "width": record["width"],
        "system": point.system,
        **asdict(point.setting),
        "cbr": record["cbr"],
        "cbr_budget": point.cbr_budget,
        "num_bits": record["num_bits"],
        "num_uses": record.get("num_uses"),
        "scheme_used": record.get("scheme"),
        "region_area": record["region_area"],
        "expected_psnr_db": record.get("expected_psnr_db"),
        "draws": row.draws,
        "lost": row.lost,
        "exact": row.exact,
        **{name: row.mean(name) for name in ALWAYS},
        **{name: row.mean(name) for name in point.setting.also},
        **{name: value for name in _OF_DISTURBED if (value := row.mean(name)) is not None},
        **{f"uses_{item}": uses for item, uses in record.get("accounting", {}).items()},
    }


def _write_csv(study: SuiteResults, path: Path) -> Path:
    names = dict.fromkeys(name for row in flat_rows(study) for name in row)
    rows = ([row.get(name) for name in names] for row in flat_rows(study))
    save(path, to_csv(list(names), rows))
    return path


def _write_parquet(study: SuiteResults, path: Path) -> Path:
    try:
        import polars
    except ImportError:
        raise InputError("Parquet needs polars: pip install 'semcom[parquet]'") from None
    about = {"title": study.title, "versions": json.dumps(study.versions), "git": study.git or ""}
    frame = polars.DataFrame(list(flat_rows(study)), infer_schema_length=None)
    sink = io.BytesIO()
    frame.write_parquet(sink, metadata=about)
    save(path, sink.getvalue())
    return path


def _write_json(study: SuiteResults, out: Path) -> Iterator[Path]:
    """Write a file per system and channel, which gives one line in a plot."""
    lines: dict[tuple[System, str], list[Point]] = {}
    study = best_of(join_seeds(study))
    for point in study.points:
        lines.setdefault((point.key, point.setting.channel), []).append(point)
    several = len({channel for _, channel in lines}) > 1
    labels = [
        (study.labels[system] or study.name) + (f" over {channel}" if several else "")
        for system, channel in lines
    ]
    names = file_names([f"{study.name}-{label}" for label in labels])
    for name, label, ((_, channel), points) in zip(names, labels, lines.items(), strict=True):
        points.sort(key=lambda p: (p.setting.snr_db, p.cbr_budget))
        images = ", ".join(filter(None, (f"mean over {_images(points)}", draws_words(points))))
        content = {
            "name": label,
            "description": f"{study.title}; {images}, {channel}",
            "source": "semcom",
            "obtained": "simulated" + (f"; {said}" if (said := about_best(study)) else ""),
            "dataset": study.about_images,
            "channel": channel,
            "bound": points[0].setting.bound,
            "results": _results(points),
        }
        path = out / f"{name}.json"
        save(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
        yield path


def _results(points: Sequence[Point]) -> dict[str, list[Any]]:
    """Return the means of a line, each over the images that have a PSNR, if there are any."""
    some = [point.over("psnr_db") if point.means("psnr_db") else point for point in points]
    results: dict[str, list[Any]] = {"bpp": [_bits_per_pixel(point) for point in some]}
    for score, name in COMPRESSAI_NAMES.items():
        results[name] = [point.mean(score) for point in some]
        counts = [len(point.means(score)) for point in some]
        if any(results[name]) and counts != [len(point.rows) for point in some]:
            results[f"{name}-images"] = counts
    if any(point.chosen[0] for point in some):
        results["best"] = [point.chosen[0] for point in some]
    return {
        **results,
        "cbr": [point.mean("cbr") for point in some],
        "cbr-budget": [point.cbr_budget for point in some],
        "snr_db": [point.setting.snr_db for point in some],
        "lost": [point.mean("lost") for point in some],
        "images": [len(point.rows) for point in some],
    }


def _images(points: Sequence[Point]) -> str:
    counts = sorted({len(point.over("psnr_db").rows) or len(point.rows) for point in points})
    many = "–".join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))
    return f"{many} image" + "s" * (many != "1")


def _bits_per_pixel(point: Point) -> float | None:
    """Return the mean number of bits per pixel; None with analog symbols, which are no bits."""
    if any(row.record.get("accounting", {}).get("analog") for row in point.rows):
        return None
    rates = [r.record["num_bits"] / (r.record["height"] * r.record["width"]) for r in point.rows]
    return float(sum(rates) / len(rates))
