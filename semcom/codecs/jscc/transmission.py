"""What ``jscc`` and ``hybrid`` send of planes: a description of least expected error, and symbols.

A description has a layout of tiles and bands, coarse values down to some depth, and a step of the
means. All layouts are tried, and from the most promising ones better neighbours are walked to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.jscc.side_coding import SideModel, pack, settle
from semcom.codecs.jscc.side_kernels import MEAN_STEPS
from semcom.codecs.linear.code import LinearPicture
from semcom.codecs.linear.side_information import (
    LAYOUTS,
    NO_COARSE,
    Side,
    layouts,
    snr_level_of,
)
from semcom.large import in_threads, is_large
from semcom.types import Map

_MAX_SIDE = 0.7  # share of the symbols that side information takes at most
_DEPTHS = (0, 4, 6, 8, 10, 12, 14, 16, 18)
"""Levels from the strongest chunk down to the rest of coarse values; 0: none are sent."""
_BEGINNINGS = (_DEPTHS.index(10), 0)
"""Depths with which a layout is tried: the usual one, and none."""
_TRIED = 3  # layouts of which all depths are walked; more gain less than 0.02 dB
_transformed: dict[bytes, list[LinearPicture]] = {}
"""The transforms of the last planes, by the hash of them and of ``w``."""

T = TypeVar("T")


class Transmission(NamedTuple):
    """What is sent of an image."""

    side: Side
    least: int
    """Least ``2·level + weight`` that is sent."""
    packet: bytes
    symbols: Tensor
    """complex64 (n,)"""
    error: float
    """Expected weighted squared error at the planned SNR, summed over the planes."""


def transmission(
    planes: NDArray[np.generic],
    w: Map,
    num_symbols: int,
    snr_db: float,
    side_snr_db: float,
    model: SideModel,
) -> Transmission:
    """Choose the description of least expected error, and send its chunks.

    The planes are (3, H, W), with values from 0 to 1023. The symbols are planned for ``snr_db``,
    and the packet will be protected for ``side_snr_db``.
    """

    def error(picture: LinearPicture) -> tuple[float, float]:
        bits = settle(picture, num_symbols, model).bits
        return picture.expected_error(num_symbols, bits, side_snr_db, _MAX_SIDE)

    tried = _promising(planes, w, snr_level_of(snr_db), error)

    def best_depth(i: int) -> tuple[Cost, LinearPicture]:
        whole, known = tried[i]
        begin = min(known, key=lambda at: known[at])
        return walk(lambda at: _coarse(whole, _DEPTHS[at]), len(_DEPTHS), error, begin, known)

    cost, coarse = min(_each(best_depth, len(tried), w), key=lambda walked: walked[0])

    def stepped(at: int) -> LinearPicture:
        return coarse.with_mean_step(MEAN_STEPS[at])

    (expected, _), best = walk(stepped, len(MEAN_STEPS), error, at=1, known={1: cost})
    side, least, _ = settle(best, num_symbols, model)
    side, symbols = best.send(side, num_symbols)
    packet = pack(side, least, best.chunks, model)
    return Transmission(side, least, packet, torch.from_numpy(symbols), expected)


Cost = tuple[float, float]
Error = Callable[[LinearPicture], Cost]


def _promising(
    planes: NDArray[np.generic], w: Map, snr: int, error: Error
) -> list[tuple[LinearPicture, dict[int, Cost]]]:
    """Try planes in every layout; return some layouts, each with the costs of the depths tried.

    Each is tried with coarse values of the usual depth and without any, and those of least error
    are returned.
    """
    pictures = [
        picture._replace(side=replace(picture.side, snr=snr)) for picture in _pictures(planes, w)
    ]

    def tried(i: int) -> dict[int, Cost]:
        return {at: error(_coarse(pictures[i], _DEPTHS[at])) for at in _BEGINNINGS}

    found = _each(tried, len(pictures), w)
    best = sorted(range(len(pictures)), key=lambda i: min(found[i].values()))[:_TRIED]
    return [(pictures[i], found[i]) for i in best]


def _pictures(planes: NDArray[np.generic], w: Map) -> list[LinearPicture]:
    """Transform planes in every layout; layouts of equal tiles share the transform.

    The transforms of the last planes are kept, unless they are large: the link asks several times
    how many symbols an image needs.
    """
    key = hashlib.sha256(planes.tobytes() + w.tobytes()).digest()
    if (kept := _transformed.get(key)) is not None:
        return kept
    values = planes.astype(np.float32)
    by_tile = groupby(layouts(*w.shape), key=lambda layout: LAYOUTS[layout][0])
    groups = [list(group) for _, group in by_tile]

    def transformed(i: int) -> list[LinearPicture]:
        first, *others = groups[i]
        picture = LinearPicture.of(values, w, first, 0, MEAN_STEPS[1])
        return [picture, *(picture.with_layout(layout) for layout in others)]

    pictures = [one for group in _each(transformed, len(groups), w) for one in group]
    if not is_large(*w.shape):
        _transformed.clear()
        _transformed[key] = pictures
    return pictures


def _each(do: Callable[[int], T], count: int, w: Map) -> list[T]:
    """Do something for each number: in threads, unless this process shall keep to one thread.

    Large pictures are treated one by one as well, because of the memory.
    """
    if torch.get_num_threads() == 1 or is_large(*w.shape):
        return [do(i) for i in range(count)]
    return in_threads(do, range(count))


def _coarse(picture: LinearPicture, depth: int) -> LinearPicture:
    """Send coarse values of the chunks in the uppermost levels, as many as ``depth`` says."""
    most = int(picture.side.levels.max())
    return picture.with_coarse(max(most - depth, 1) if depth else NO_COARSE)


def walk(
    option: Callable[[int], T],
    count: int,
    cost: Callable[[T], Cost],
    at: int,
    known: Mapping[int, Cost] = MappingProxyType({}),
) -> tuple[Cost, T]:
    """Go from option ``at`` to the better neighbour, for as long as there is one.

    ``known`` are the costs of the options that were tried before.
    """
    costs = dict(known)
    while True:
        near = range(max(at - 1, 0), min(at + 2, count))
        costs.update((i, cost(option(i))) for i in near if i not in costs)
        best = min(near, key=lambda i: costs[i])
        if best == at:
            return costs[at], option(at)
        at = best
