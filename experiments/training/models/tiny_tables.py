"""The tables of ``tiny``: weights of contexts by least squares, and shares by counting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from experiments.training.conditions import draw_importance, even
from experiments.training.images import window
from semcom.codecs.parts.range_coder import COUNT, TOTAL_BITS, start
from semcom.codecs.tiny.coding import (
    PRICE,
    Phase,
    Tables,
    code_all_coarsest,
    code_all_details,
    new_tally,
)
from semcom.codecs.tiny.context_kernels import (
    CLASSES,
    FEATURES,
    PHASES,
    WEIGHT_BITS,
    choose,
    find_features,
)
from semcom.codecs.tiny.number_kernels import REACH, SIZES, code_offsets
from semcom.codecs.tiny.quantised import (
    LEVELS_PER_DOUBLING,
    MAX_LEVEL,
    Floats,
    Ints,
    Whole,
    details_in_steps,
)
from semcom.codecs.tiny.transform import Source
from semcom.codecs.tiny.wavelet import LEVELS, ORIENTATIONS, PLANES
from semcom.types import Image

_ROUNDS = 2  # of counting what the encoder chooses by the shares of the round before
QUALITIES = 80, 450
"""Levels of the step at which squares are coded."""
_DEAD = 0.62  # before there are shares, values below become 0
_RIDGE = 1e-3
_FAINT = 0.02  # expected size below which errors of it no longer count more
_SMOOTHING = 4.0  # counts of the mean distribution that are added to each class


class _Sent(NamedTuple):
    """A picture, and the level at which it is sent."""

    source: Source
    level: int


class _Counts(NamedTuple):
    """Numbers of sizes and lengths, in the order of the shares."""

    details: Ints
    coarsest: Ints
    offsets: Ints


def fit(paths: Sequence[Path], side: int, seed: int, tell: Callable[[int, int], None]) -> Tables:
    """Fit the tables to a random square of each image, at a random quality and importance.

    Parameters
    ----------
    paths
        The images.
    side
        Side of the squares in pixels, a multiple of 32.
    seed
        Seed of squares, qualities and importance.
    tell
        Called with the number of squares done, and of all, over all passes.
    """
    passes = 2 + _ROUNDS

    def sent(number: int) -> Iterator[_Sent]:
        for i, path in enumerate(paths):
            rng = np.random.default_rng((seed, i))
            yield _drawn(window(path, side, rng), rng)
            tell(number * len(paths) + i + 1, passes * len(paths))

    weights, tables = _fit_weights(sent(0)), None
    for number in range(1, passes):
        counts = _count(weights, tables, sent(number))
        tables = Tables(weights, *map(_shares, counts))
    assert tables
    return tables


def _drawn(image: Image, rng: np.random.Generator) -> _Sent:
    level, side = int(rng.integers(*QUALITIES)), len(image)
    w = even(side) if rng.random() < 0.5 else draw_importance(side, rng)
    return _Sent(Source.of(image, w), level)


def _code(sent: _Sent, take: Callable[[Phase, Floats | None], Whole]) -> None:
    _, wavelet, offsets = sent.source
    code_all_details(offsets, take, details_in_steps(wavelet, sent.level, offsets))


def _dead_zone(values: Floats | None) -> Whole:
    assert values is not None
    return np.asarray(np.sign(values) * np.floor(np.abs(values) + 1 - _DEAD), np.int32)


def _fit_weights(pictures: Iterator[_Sent]) -> Whole:
    """Return the weights that predict sizes best, none below 0.

    Errors count less where a size is expected to be large, as its spread is.
    """
    places = LEVELS, PLANES, ORIENTATIONS, PHASES
    square = np.zeros((*places, FEATURES, FEATURES))
    product = np.zeros((*places, FEATURES))

    def take(phase: Phase, values: Floats | None) -> Whole:
        found = _dead_zone(values)
        features = np.empty((FEATURES, *found.shape), np.float32)
        find_features(phase.number, *phase[4:], features)
        seen = features.reshape(FEATURES, -1)
        weighted = seen / (seen.mean(axis=0) + _FAINT)
        square[phase.place] += weighted @ seen.T
        product[phase.place] += weighted @ np.abs(found).ravel()
        return found

    for sent in pictures:
        _code(sent, take)
    weights = np.zeros(product.shape, np.int32)
    for at in np.ndindex(*places):
        ridge = _RIDGE * (np.trace(square[at]) / FEATURES + 1) * np.eye(FEATURES)
        factor = np.linalg.cholesky(square[at] + ridge)
        found, _ = nnls(factor.T, np.linalg.solve(factor, product[at]))
        weights[at] = np.rint(found * (1 << WEIGHT_BITS))
    return weights


def _count(weights: Whole, before: Tables | None, pictures: Iterator[_Sent]) -> _Counts:
    """Count sizes and lengths, with the choices that the shares so far suggest."""
    counts = _Counts(
        np.zeros((LEVELS, 2, 2, CLASSES, SIZES), np.int64),
        new_tally(MAX_LEVEL // LEVELS_PER_DOUBLING + 1, PLANES),
        new_tally(2),
    )
    tables = before or Tables(weights, *map(_shares, counts))
    costs = before.costs() if before else None

    def take(phase: Phase, values: Floats | None) -> Whole:
        classes, found = phase.classes(tables), _dead_zone(values)
        if costs is not None:
            choose(values, classes, costs[phase.group], PRICE, found)
        np.add.at(counts.details[phase.group], (classes, np.minimum(np.abs(found), REACH + 1)), 1)
        return found

    for sent in pictures:
        state, (_, wavelet, offsets) = start(COUNT), sent.source
        about = sent.level, offsets, tables
        code_all_coarsest(COUNT, state, *about, wavelet.coarsest, counts.coarsest)
        if offsets.any():
            code_offsets(COUNT, state, tables.offset_shares, offsets, counts.offsets)
        _code(sent, take)
    return counts


def _shares(counts: Ints) -> Ints:
    """Turn counts (…, symbols) into cumulative shares of ``2^15``, each at least 1.

    A row with few counts is smoothed by the sum of the row before and after it.
    """
    around = np.zeros(counts.shape)
    around[..., 1:, :] += counts[..., :-1, :]
    around[..., :-1, :] += counts[..., 1:, :]
    around += 1e-3 * (around.sum(axis=-1, keepdims=True) + 1) / counts.shape[-1]
    smooth = counts + _SMOOTHING * around / around.sum(axis=-1, keepdims=True)
    spare = (1 << TOTAL_BITS) - counts.shape[-1]
    wanted = np.cumsum(smooth, axis=-1) / smooth.sum(axis=-1, keepdims=True)
    edges = np.rint(spare * wanted).astype(np.int64) + np.arange(1, counts.shape[-1] + 1)
    return np.concatenate([np.zeros_like(edges[..., :1]), edges], axis=-1)
