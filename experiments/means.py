"""Means over images: rows that differ in nothing but their image are one point of a curve."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from experiments.store import Row


@dataclass(frozen=True)
class Point:
    """One system at one bandwidth and SNR, over all images."""

    codec: str
    system: str
    theta: float
    cbr_budget: float
    snr_db: float
    rows: tuple[Row, ...]
    """One per image."""

    def values(self, name: str) -> list[float]:
        """What the images have under ``name``; those without a finite value are left out."""
        return [row[name] for row in self.rows if row.get(name) is not None]

    def mean(self, name: str) -> float | None:
        """Mean of the per-image values; None where no image has one."""
        values = self.values(name)
        return float(np.mean(values)) if values else None

    def standard_error(self, name: str) -> float:
        """Of that mean, over the images; 0 for a single one."""
        values = self.values(name)
        return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0

    @property
    def bits_per_pixel(self) -> float:
        """Mean payload bits per pixel."""
        return float(np.mean([r["num_bits"] / (r["height"] * r["width"]) for r in self.rows]))

    @property
    def num_lost(self) -> int:
        """Images of which no packet arrived."""
        return sum(row.get("all_lost", row["packets_received"] == 0) for row in self.rows)


def points(rows: Iterable[Row]) -> list[Point]:
    """Group rows into points, in the order in which their points first appear."""
    groups: dict[tuple[str, str, float, float, float], list[Row]] = {}
    for row in rows:
        key = (row["codec"], row["system"], row["theta"], row["cbr_budget"], row["snr_db"])
        groups.setdefault(key, []).append(row)
    return [Point(*key, tuple(group)) for key, group in groups.items()]


def count_images(rows: Iterable[Row]) -> int:
    """How many images, told apart by their pixels, the rows are about."""
    return len({row["sha256"] for row in rows})
