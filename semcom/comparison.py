"""Comparison of deliveries of one image: blind and by importance, over SNRs and bandwidths."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from semcom.api import Order, order_of
from semcom.disturbances.apply import Disturb
from semcom.errors import InputError, check_types
from semcom.importance.region import RegionOptions
from semcom.link.delivery import Delivery
from semcom.scene import Scene, send_scene
from semcom.types import Image

_SEED = {"seed": (Integral, "a whole number")}
_TYPES = {"draws": (Integral, "a whole number"), "systems": (Mapping, "names with options")}
BLIND_AND_NOT: Mapping[str, Mapping[str, Any]] = {"blind": {"blind": True}, "importance": {}}
"""The default systems of :func:`sweep`."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One image sent twice within the same bandwidth, over the same draw of the channel.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> comparison = semcom.compare(
    ...     photo, segmenter="graph", points=[(40, 60)], codec="jpeg2000", cbr="1/8"
    ... )
    >>> comparison.blind.record["system"], comparison.steered.record["system"]
    ('blind', 'importance')
    >>> comparison.steered.scores["region_psnr_db"] > comparison.blind.scores["region_psnr_db"]
    True
    >>> comparison.gains["region_psnr_db"] > 0 > comparison.gains["background_psnr_db"]
    True
    """

    blind: Delivery
    steered: Delivery
    """The delivery by importance."""

    @property
    def gains(self) -> dict[str, float | None]:
        """Each score by importance minus the blind one; None if one of the two has no value."""
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
        Options of :func:`send` except ``blind``. Both deliveries see the same fading and noise.

    Raises
    ------
    ValueError
        If an option is unknown or invalid, as for :func:`send`.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> comparison = semcom.compare(skimage.data.astronaut(), segmenter="graph", cbr="1/16")
    >>> comparison.gains["region_psnr_db"] > 0 > comparison.gains["background_psnr_db"]
    True
    """
    order = order_of(_without(options, "blind"))
    scene = order.scene(image)
    return compare_scene(scene, **order.sending)


def compare_scene(scene: Scene, **sending: Any) -> Comparison:
    """Send an image whose region is known both ways; see :func:`semcom.scene.send_scene`."""
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
    """Send an image with several systems at every bandwidth and SNR.

    This is meant for a quick look at one image. Suites (``semcom run``) take many images, keep
    finished work and run in parallel.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    snr_db, cbr
        SNRs in dB, and channel bandwidth ratios allowed; one value or several.
    systems
        Name of each system, with the options of :func:`send` that define it.
    draws
        Number of draws of the channel, that is of its fading and noise, at least 1. Draw k uses the
        seed plus k. On a fading channel, the result of a single draw says little about the mean.
    options
        Options of :func:`send` that all systems share.

    Returns
    -------
    list of dict
        A row for each system, bandwidth, SNR and draw, ready for ``pandas.DataFrame``. The keys are
        those of a record, and the channel uses of each item are ``uses_header`` and so on.

    Raises
    ------
    ValueError
        As for :func:`send`, before anything is sent if the error can be known by then.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> rows = semcom.sweep(photo, snr_db=[4, 10], cbr=["1/8"], segmenter="graph")
    >>> [(row["system"], row["snr_db"]) for row in rows]
    [('blind', 4.0), ('blind', 10.0), ('importance', 4.0), ('importance', 10.0)]
    """
    check_types({"draws": draws, "systems": systems}, _TYPES)
    check_types(systems, dict.fromkeys(systems, (Mapping, "the options of a system")))
    if draws < 1:
        raise InputError(f"draws must be at least 1, got {draws}")
    axes = list(itertools.product(systems.items(), _several(cbr), _several(snr_db), range(draws)))
    if not axes:
        raise InputError("a sweep needs at least one system, one SNR and one bandwidth")
    shared = {"seed": 0, **options}
    orders = []
    for (name, own), ratio, snr, draw in axes:
        about = _without({**shared, **own}, "cbr", "snr_db")
        check_types(about, _SEED)
        snr = float(snr) if isinstance(snr, Real) else snr  # the order refuses another kind
        about |= {"cbr": ratio, "snr_db": snr, "seed": about["seed"] + draw}
        orders.append((name, draw, order_of(about)))
    return _send_all(image, orders)


def _send_all(
    image: str | Path | Image, orders: Sequence[tuple[str, int, Order]]
) -> list[dict[str, Any]]:
    """Carry out orders of systems and draws; return their rows."""
    scenes: dict[tuple[RegionOptions, int | None, Disturb | None], Scene] = {}
    rows = []
    for name, draw, order in tqdm(orders, unit="delivery", leave=False, disable=None):
        key = order.region, order.max_side, order.disturb
        if key not in scenes:
            scenes[key] = order.scene(image)
        record = send_scene(scenes[key], **order.sending).record
        rows.append({"system": name, "draw": draw, **_flat(record)})
    return rows


def _several(values: Any) -> list[Any]:
    return (
        list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    )


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values of a record and the channel uses of each item, without the system."""
    uses = {f"uses_{item}": count for item, count in record["accounting"].items()}
    plain = {k: v for k, v in record.items() if not isinstance(v, dict | list | tuple)}
    del plain["system"]
    return {**plain, **uses}


def _without(options: Mapping[str, Any], *varied: str) -> dict[str, Any]:
    """Return the options as a dictionary; refuse those that the caller varies itself."""
    for name in varied:
        if name in options:
            raise InputError(f"option {name!r} cannot be given here, because it is varied")
    return dict(options)
