"""One image sent several times: blind beside by importance, and at many SNRs and bandwidths."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from semcom.api import Order, order_of
from semcom.errors import InputError
from semcom.importance.region import RegionOptions
from semcom.link.delivery import Delivery
from semcom.scene import Scene, find_scene, send_scene
from semcom.types import Image

BLIND_AND_NOT: Mapping[str, Mapping[str, Any]] = {"blind": {"blind": True}, "importance": {}}
"""The systems of :func:`sweep` unless others are given."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One image sent twice within the same bandwidth, over the same draw of the channel."""

    blind: Delivery
    steered: Delivery
    """By importance."""

    @property
    def gains(self) -> dict[str, float | None]:
        """Each score by importance minus the blind one; None where one of them has none."""
        pairs = {
            name: (self.steered.record[name], self.blind.record[name]) for name in self.blind.scores
        }
        return {
            name: None if one is None or other is None else one - other
            for name, (one, other) in pairs.items()
        }


def compare(image: str | Path | Image, **options: Any) -> Comparison:
    """Send an image blind and by importance within the same bandwidth.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    options
        Those of :func:`send` but ``blind``. The channel draws the same for both.

    Raises
    ------
    ValueError
        As for :func:`send`; an unknown option.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> comparison = semcom.compare(skimage.data.astronaut(), segmenter="graph", cbr="1/16")
    >>> comparison.gains["region_psnr_db"] > 0 > comparison.gains["background_psnr_db"]
    True
    """
    order = order_of(_without(options, "blind"))
    scene = find_scene(image, order.region, max_side=order.max_side)
    return compare_scene(scene, **order.sending)


def compare_scene(scene: Scene, **sending: Any) -> Comparison:
    """Send an image whose region has been found both ways; see :func:`semcom.scene.send_scene`."""
    del sending["blind"]
    blind, steered = (send_scene(scene, blind=blind, **sending) for blind in (True, False))
    return Comparison(blind, steered)


def sweep(
    image: str | Path | Image,
    *,
    snr_db: float | Iterable[float] = 10.0,
    cbr: str | float | Fraction | Iterable[str | float | Fraction] = Fraction(1, 16),
    systems: Mapping[str, Mapping[str, Any]] = BLIND_AND_NOT,
    draws: int = 1,
    **options: Any,
) -> list[dict[str, Any]]:
    """Send an image by several systems at every bandwidth and SNR.

    For one image and a quick look; suites (``semcom run``) take many, keep what is done, and run
    in parallel.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    snr_db, cbr
        The SNRs in dB, and the channel bandwidth ratios allowed: one, or several.
    systems
        What to call each system, and the options of :func:`send` that make it.
    draws
        Draws of the channel, at least 1; draw k is that of the seed plus k. On a channel that
        fades, a single one says little.
    options
        Options of :func:`send` that all systems share.

    Returns
    -------
    list of dict
        A row for each system, bandwidth, SNR and draw, as ``pandas.DataFrame`` takes them: the
        keys of a record, with the channel uses of each item as ``uses_header`` and so on.

    Raises
    ------
    ValueError
        As for :func:`send`, before anything is sent where that can be known.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> rows = semcom.sweep(photo, snr_db=[4, 10], cbr=["1/8"], segmenter="graph")
    >>> [(row["system"], row["snr_db"]) for row in rows]
    [('blind', 4.0), ('blind', 10.0), ('importance', 4.0), ('importance', 10.0)]
    """
    if draws < 1:
        raise InputError(f"draws must be at least 1, got {draws}")
    axes = list(itertools.product(systems.items(), _several(cbr), _several(snr_db), range(draws)))
    if not axes:
        raise InputError("a sweep needs at least one system, one SNR and one bandwidth")
    shared = {"seed": 0, **options}
    orders = []
    for (name, own), ratio, snr, draw in axes:
        about = _without({**shared, **own}, "cbr", "snr_db")
        about |= {"cbr": ratio, "snr_db": float(snr), "seed": int(about["seed"]) + draw}
        orders.append((name, draw, order_of(about)))
    return _send_all(image, orders)


def _send_all(
    image: str | Path | Image, orders: Sequence[tuple[str, int, Order]]
) -> list[dict[str, Any]]:
    """Carry out orders of systems and draws; return their rows."""
    scenes: dict[tuple[RegionOptions, int | None], Scene] = {}
    rows = []
    for name, draw, order in tqdm(orders, unit="delivery", leave=False, disable=None):
        key = order.region, order.max_side
        if key not in scenes:
            scenes[key] = find_scene(image, order.region, max_side=order.max_side)
        record = send_scene(scenes[key], **order.sending).record
        rows.append({"system": name, "draw": draw, **_flat(record)})
    return rows


def _several(values: Any) -> list[Any]:
    return [values] if isinstance(values, str | Real) else list(values)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what has parts, and without whose system it is."""
    uses = {f"uses_{item}": count for item, count in record["accounting"].items()}
    plain = {k: v for k, v in record.items() if not isinstance(v, dict | list | tuple)}
    del plain["system"]
    return {**plain, **uses}


def _without(options: Mapping[str, Any], *varied: str) -> dict[str, Any]:
    """Return the options; refuse those that are varied here."""
    for name in varied:
        if name in options:
            raise InputError(f"option {name!r} cannot be given here: it is varied")
    return dict(options)
