"""The learned numbers of the side information of ``jscc``: fitted by least squares and counting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from channels.kernels.jit import kernel
from experiments.training.conditions import draw_condition
from experiments.training.images import window
from semcom.codecs.jscc.range_coder import TOTAL_BITS
from semcom.codecs.jscc.side_coding import (
    FEATURES,
    FIELD_CONTEXTS,
    FIELD_REACH,
    LEVEL_CONTEXTS,
    LEVEL_REACH,
    MEAN_STEPS,
    Ints,
    SideModel,
    describe,
    floor_of,
    settle,
)
from semcom.codecs.linear.code import LinearPicture
from semcom.codecs.linear.side_information import LAYOUTS, Side, layouts, snr_level_of
from semcom.codecs.parts.colour import to_planes

_SMOOTHING = 4.0  # counts of the mean distribution that are added to each context
_RIDGE = 1e-3
_SHAPE = (len(LAYOUTS), 2, 3, 3)


def fit(paths: Sequence[Path], side: int, seed: int, tell: Callable[[int, int], None]) -> SideModel:
    """Fit the numbers to a random square of each image.

    Parameters
    ----------
    paths
        The images.
    side
        Side of the squares in pixels.
    seed
        Seed of the squares and of the conditions.
    tell
        Called with the number of images done, and of all.
    """
    moments = np.zeros((*_SHAPE, FEATURES, FEATURES)), np.zeros((*_SHAPE, FEATURES))
    seen: list[tuple[Side, tuple[int, int]]] = []
    for i, path in enumerate(paths):
        for about, grid in _pictures(path, side, np.random.default_rng((seed, i))):
            _add_moments(about, grid, *moments)
            seen.append((about, grid))
        tell(i + 1, len(paths))
    square, product = moments
    ridge = _RIDGE * (np.trace(square, axis1=-2, axis2=-1)[..., None, None] + 1) * np.eye(FEATURES)
    found = np.linalg.solve(square + ridge, product[..., None])[..., 0]
    model = SideModel(
        np.rint(256 * found).astype(np.int64),
        _shares(np.zeros((LEVEL_CONTEXTS, 2 * LEVEL_REACH + 1))),
        _shares(np.zeros((FIELD_CONTEXTS, 2 * FIELD_REACH + 1))),
    )
    levels, fields = (np.zeros((len(s), s.shape[1] - 1), np.int64) for s in model[1:])
    for about, grid in seen:
        settle(about, grid, model, (levels, fields))
    return model._replace(level_shares=_shares(levels), field_shares=_shares(fields))


def _pictures(path: Path, side: int, rng: np.random.Generator) -> list[Any]:
    """Return the side information of an image in every layout, with the grid of its tiles."""
    planes = to_planes(window(path, side, rng)).astype(np.float32)
    found = []
    for layout in layouts(side, side):
        how = draw_condition(side, rng)
        snr, step = snr_level_of(how.planned_snr_db), int(rng.choice(MEAN_STEPS))
        picture = LinearPicture.of(planes, how.w, layout, snr, step)
        grid = picture.chunks.rows, picture.chunks.columns
        found.append((picture.choose(how.num_symbols), grid))
    return found


def _add_moments(about: Side, grid: tuple[int, int], square: Any, product: Any) -> None:
    """Add the second moments of the features of levels, and their products with the levels."""
    weights = about.weights.astype(np.int64)
    worth = 2 * about.levels.astype(np.int64) + weights[:, None]
    sent = (about.levels > 0) & (weights[:, None] > 0)
    floor = floor_of(weights, int(worth[sent].min()) if sent.any() else 0xFF)
    levels = np.maximum(about.levels, floor[:, None]).reshape(3, *grid, -1)
    means = about.means.astype(np.int64).reshape(3, *grid)
    _moments(levels, means, square[about.layout], product[about.layout])


@kernel
def _moments(levels: Any, means: Any, square: Any, product: Any) -> None:
    planes, rows, columns, bands = levels.shape
    features = np.zeros(FEATURES, np.int64)
    for b in range(bands):
        for p in range(planes):
            for r in range(rows):
                for c in range(columns):
                    describe(levels, means, p, r, c, b, features)
                    known = 1 if r or c else 0
                    for i in range(FEATURES):
                        for j in range(FEATURES):
                            square[known, p, min(b, 2), i, j] += features[i] * features[j] / 256
                        product[known, p, min(b, 2), i] += features[i] * levels[p, r, c, b] / 16


def _shares(counts: Any) -> Ints:
    """Turn counts, (contexts, symbols), into cumulative shares of ``2^15``, each at least 1."""
    symbols = counts.shape[1]
    mean = counts.sum(axis=0) + 1e-3 * (counts.sum() + 1)
    smooth = counts + _SMOOTHING * mean / mean.sum()
    spare = (1 << TOTAL_BITS) - symbols
    wanted = np.cumsum(smooth, axis=1) / smooth.sum(axis=1, keepdims=True)
    edges = np.rint(spare * wanted).astype(np.int64) + np.arange(1, symbols + 1)
    return np.pad(edges, ((0, 0), (1, 0)))
