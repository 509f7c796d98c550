"""The learned numbers of the side information of ``jscc``: fitted by least squares and counting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from channels.kernels.jit import kernel
from experiments.training.conditions import draw_condition
from experiments.training.images import window
from semcom.codecs.jscc.side_coding import Ints, SideModel, settle
from semcom.codecs.jscc.side_kernels import (
    FEATURES,
    FIELD_CONTEXTS,
    FIELD_REACH,
    LEVEL_CONTEXTS,
    LEVEL_REACH,
    MEAN_STEPS,
    VALUE_CONTEXTS,
    VALUE_REACH,
    describe,
)
from semcom.codecs.linear.code import LinearPicture
from semcom.codecs.linear.side_information import COARSE_ABOVE, LAYOUTS, layouts, snr_level_of
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.parts.range_coder import TOTAL_BITS
from semcom.codecs.refiner.knowledge import floor_of

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
    square, product = np.zeros((*_SHAPE, FEATURES, FEATURES)), np.zeros((*_SHAPE, FEATURES))
    levels = np.zeros((LEVEL_CONTEXTS, 2 * LEVEL_REACH + 1), np.int64)
    fields = np.zeros((FIELD_CONTEXTS, 2 * FIELD_REACH + 1), np.int64)
    values = np.zeros((VALUE_CONTEXTS, 2 * VALUE_REACH + 1), np.int64)
    tallies = levels, fields, values
    model = SideModel(np.zeros(0, np.int64), *map(_shares, tallies))
    for done in range(2 * len(paths)):
        i = done % len(paths)
        if i == 0 and done:
            model = model._replace(predictors=_solve(square, product))
        for picture, num_symbols in _pictures(paths[i], side, np.random.default_rng((seed, i))):
            if done < len(paths):
                _add_moments(picture, num_symbols, square, product)
            else:
                settle(picture, num_symbols, model, tallies)
        tell(done + 1, 2 * len(paths))
    return SideModel(model.predictors, _shares(levels), _shares(fields), _value_shares(values))


def _pictures(
    path: Path, side: int, rng: np.random.Generator
) -> Iterator[tuple[LinearPicture, int]]:
    """Return an image in every layout, with the number of its symbols."""
    planes = to_planes(window(path, side, rng)).astype(np.float32)
    for layout in layouts(side, side):
        how = draw_condition(side, rng)
        snr, step = snr_level_of(how.planned_snr_db), int(rng.choice(MEAN_STEPS))
        picture = LinearPicture.of(planes, how.w, layout, snr, step)
        rest = int(picture.side.levels.max()) - int(rng.integers(COARSE_ABOVE, 20))
        yield picture.with_coarse(max(rest, 8)) if rng.random() < 0.7 else picture, how.num_symbols


def _add_moments(picture: LinearPicture, num_symbols: int, square: Any, product: Any) -> None:
    """Add the second moments of the features of levels, and their products with the levels."""
    about, chunks = picture.choose(num_symbols), picture.chunks
    weights = about.weights.astype(np.int64)
    worth = 2 * about.levels.astype(np.int64) + weights[:, None]
    sent = (about.levels > 0) & (weights[:, None] > 0)
    floor = floor_of(weights, int(worth[sent].min()) if sent.any() else 0xFF)
    levels = np.maximum(about.levels, floor[:, None]).reshape(3, chunks.rows, chunks.columns, -1)
    means = about.means.astype(np.int64).reshape(levels.shape[:3])
    _moments(levels, means, square[about.layout], product[about.layout])


def _solve(square: Any, product: Any) -> Ints:
    """Return the predictors of least squared error in 256ths, by ridge regression."""
    ridge = _RIDGE * (np.trace(square, axis1=-2, axis2=-1)[..., None, None] + 1) * np.eye(FEATURES)
    found = np.linalg.solve(square + ridge, product[..., None])[..., 0]
    return np.asarray(np.rint(256 * found), np.int64)


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
    mean = counts.sum(axis=0) + 1e-3 * (counts.sum() + 1)
    return _cumulative(counts + _SMOOTHING * mean / mean.sum())


def _value_shares(counts: Any) -> Ints:
    """Do the same for coarse values: alike for both signs, and smoothed by kind."""
    counts = counts + counts[:, ::-1]
    by_kind = counts.reshape(-1, 8, counts.shape[1]).sum(axis=1) + 0.01
    mean = np.repeat(by_kind / by_kind.sum(axis=1, keepdims=True), 8, axis=0)
    return _cumulative(counts + _SMOOTHING * mean)


def _cumulative(smooth: Any) -> Ints:
    """Return whole cumulative shares of frequencies above 0."""
    symbols = smooth.shape[1]
    spare = (1 << TOTAL_BITS) - symbols
    wanted = np.cumsum(smooth, axis=1) / smooth.sum(axis=1, keepdims=True)
    edges = np.rint(spare * wanted).astype(np.int64) + np.arange(1, symbols + 1)
    return np.pad(edges, ((0, 0), (1, 0)))
