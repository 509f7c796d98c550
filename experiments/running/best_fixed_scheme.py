"""The fixed scheme with the best expectation for an image: the rival of unequal protection."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from channels.packets.scheme_sets import scheme_set
from semcom.errors import InputError
from semcom.link.config import LinkConfig
from semcom.link.transmitter import Transmission
from semcom.link.unequal_protection import expected_worth, worth


def best_fixed(
    send: Callable[..., Transmission], link: LinkConfig, best_for: Any, error: float
) -> Transmission:
    """Send with the fixed scheme that has the best expectation.

    The search goes along the schemes in the order of their efficiency, in steps that are halved,
    from the two best of the step before, since two modulations may each have a best rate.
    If none of the first steps fits, all schemes are tried.

    Parameters
    ----------
    send
        Function that transmits the image over the link given as ``link``.
    link
        Configuration of the link without the scheme.
    best_for
        ``"unequal"``: smallest expected error; ``"graceful"``: highest expected PSNR.
    error
        Weighted squared error of mid-grey, which the receiver shows if everything is lost.

    Raises
    ------
    ValueError
        If the image does not fit with any scheme.
    """
    order = sorted(scheme_set(link.schemes), key=lambda scheme: scheme.efficiency)
    tried: dict[int, tuple[float, Transmission]] = {}
    errors = []

    def value(i: int) -> float:
        if not 0 <= i < len(order):
            return -math.inf
        if i not in tried:
            try:
                sent = send(link=replace(link, scheme=order[i].name))
            except InputError as complaint:
                errors.append(complaint)
                return -math.inf
            worths = worth(sent.stream, replace(link, protection=best_for), error)
            tried[i] = expected_worth(worths, sent.stream, sent.plan), sent
        return tried[i][0]

    best = _best(value, (*range(0, len(order), 16), len(order) - 1))
    if not tried:
        best = _best(value, range(len(order)))
    if not tried:
        raise errors[-1]
    for step in (8, 4, 2, 1):
        best = _best(value, (i + move for i in best for move in (0, -step, step)))
    return tried[best[0]][1]


def _best(value: Callable[[int], float], places: Iterable[int]) -> list[int]:
    """Return the two places of highest value, the best one first."""
    return heapq.nlargest(2, dict.fromkeys(places), key=value)
