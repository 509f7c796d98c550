"""``semcom send`` as a function: segments, encodes, sends and scores one image."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from channels.units import parse_cbr
from semcom.codecs.base import CODECS
from semcom.detectors.base import DEFAULT as DEFAULT_DETECTOR
from semcom.disturbances.apply import DEFAULT_SEVERITY, Disturb
from semcom.errors import InputError, check_types
from semcom.images import MIN_SIDE
from semcom.importance.maps import DEFAULT_THETA, Theta
from semcom.importance.region import RegionOptions
from semcom.link.config import LinkConfig
from semcom.link.delivery import Delivery
from semcom.scene import Scene, find_scene, send_scene
from semcom.scores.base import check_scores, optional
from semcom.types import PROMPT_TYPES, Image, Prompts, phrases


def send(
    image: str | Path | Image,
    *,
    codec: str = "hevc",
    cbr: str | float | Fraction = Fraction(1, 16),
    blind: bool = False,
    max_side: int | None = None,
    seed: int = 0,
    scores: Sequence[str] = (),
    **options: Any,
) -> Delivery:
    """Send an image across a noisy channel by importance, and score the received picture.

    The image is segmented, the important region gets more of the bandwidth, and real packets or
    symbols pass the channel.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    codec, cbr
        Codec by name, and the channel bandwidth ratio allowed (complex channel uses per source
        sample), a number or text such as ``"1/16"``.
    blind
        Encode with ``w = 1``, that is without regard to importance; the same region is scored.
    max_side
        Shrink the image first so that its longer side has at most this many pixels.
    seed
        Seed for fading and noise; it is combined with the content of the image.
    scores
        Scores to compute besides those that always are, by name, with options, such as
        ``["fsim", "mask_iou"]``; ``semcom list scores`` shows all.
    segmenter, points, boxes, text, detector, mask, theta, importance
        Options of the region: see :class:`semcom.importance.region.RegionOptions`.
    channel, snr_db, csi, num_pilots, scheme, schemes, protection, copies, planned_snr_db, \
planned_std_db, side_margin_db, losses, target
        Options of the link: see :class:`semcom.link.config.LinkConfig`.
    disturb, severity
        Disturbance by name, with options, and its severity, 1 to 5 (default 3): the sender's camera
        sees the disturbed picture. Scores compare with that picture; the record also has those
        against the clean one.

    Returns
    -------
    Delivery
        ``.received`` is the received picture, ``.scores`` are its scores, and ``.record`` holds
        everything that is needed to repeat the delivery.

    Raises
    ------
    ValueError
        If an option is unknown or invalid. The message is one line; it is raised before any work
        starts if the error can be known by then.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> delivery = semcom.send(skimage.data.astronaut(), segmenter="graph", cbr="1/16")
    >>> delivery.scores["region_psnr_db"] > delivery.scores["background_psnr_db"]
    True
    """
    own = {"codec": codec, "cbr": cbr, "blind": blind, "max_side": max_side, "seed": seed}
    order = order_of({**options, **own, "scores": scores})
    return send_scene(order.scene(image), **order.sending)


@dataclass(frozen=True)
class Order:
    """The checked options of :func:`send`."""

    region: RegionOptions
    max_side: int | None
    sending: dict[str, Any]
    """Options of :func:`semcom.scene.send_scene`."""
    disturb: Disturb | None = None

    def scene(self, image: str | Path | Image, *, source: str | None = None) -> Scene:
        """Read an image, disturb it if that is asked for, and find the region that matters."""
        return find_scene(
            image, self.region, max_side=self.max_side, source=source, disturb=self.disturb
        )


def order_of(options: Mapping[str, Any]) -> Order:
    """Check options of :func:`send` before any work starts.

    Raises
    ------
    ValueError
        If :func:`send` has no such option, or a value is invalid.

    Examples
    --------
    >>> order_of({"cbr": "1/24", "theta": 0.8}).sending["cbr"]
    Fraction(1, 24)
    >>> order_of({"thetha": 0.8})
    Traceback (most recent call last):
    ...
    channels.errors.InputError: unknown option 'thetha'; did you mean 'theta'?
    """
    for name in options:
        if name not in OPTIONS:
            close = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; choices: {', '.join(OPTIONS)}"
            raise InputError(f"unknown option {name!r}{hint}")
    all_of = {**OPTIONS, **options}
    _check_types(all_of)
    if (most := all_of["max_side"]) is not None and most < MIN_SIDE:
        raise InputError(f"max_side must be at least {MIN_SIDE}, got {most}")
    region = _region(**{name: all_of[name] for name in _REGION})
    link = LinkConfig(**{name: value for name, value in options.items() if name in _LINK})
    CODECS.parse(all_of["codec"])
    sending = {"codec": all_of["codec"], "cbr": parse_cbr(str(all_of["cbr"])), "link": link}
    sending |= {"blind": all_of["blind"], "seed": all_of["seed"]}
    sending["scores"] = scores_of(all_of["scores"], region)
    how = disturb_of(**{name: all_of[name] for name in _DISTURB})
    return Order(region, all_of["max_side"], sending, how)


def _check_types(options: Mapping[str, Any]) -> None:
    """Refuse values of another type than that of their option."""
    check_types(options, _TYPES)
    for one in [] if isinstance(options["scores"], str) else options["scores"]:
        if not isinstance(one, str):
            raise InputError(f"a score must be a name, got {one!r}")


_NAMED: tuple[Any, str] = (str, "a name")
_TYPES: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("codec", "segmenter", "detector", "disturb", "importance"), _NAMED),
    **PROMPT_TYPES,
    "scores": (Iterable, "a list of names"),
    "theta": ((Real, str), "a number or 'auto'"),
    "max_side": ((Integral, type(None)), "a whole number"),
    "seed": (Integral, "a whole number"),
    "blind": (bool, "True or False"),
}


def disturb_of(*, disturb: str = "", severity: int | None = None) -> Disturb | None:
    """Return the disturbance of that name and severity; None for no name.

    Raises
    ------
    ValueError
        The disturbance or its severity is invalid, or a severity has no disturbance.

    Examples
    --------
    >>> disturb_of()
    >>> disturb_of(disturb="rain").severity
    3
    """
    if disturb not in ("", "none"):
        return Disturb(disturb, DEFAULT_SEVERITY if severity is None else severity)
    if severity is not None:
        raise InputError(f"severity {severity} needs a disturbance")
    return None


def scores_of(specs: Sequence[str], region: RegionOptions) -> tuple[str, ...]:
    """Return the scores that are computed only on demand, checked; one text counts as one score.

    Raises
    ------
    ValueError
        See :func:`semcom.scores.base.check_scores`.
    """
    found = optional([specs] if isinstance(specs, str) else specs)
    check_scores(found, can_look=not region.reads_masks)
    return found


def _region(
    *,
    segmenter: str = "auto",
    points: Sequence[tuple[float, float]] = (),
    boxes: Sequence[tuple[float, float, float, float]] = (),
    text: str | Sequence[str] = (),
    detector: str = DEFAULT_DETECTOR,
    mask: str | Path | None = None,
    theta: Theta = DEFAULT_THETA,
    importance: str = "region",
) -> RegionOptions:
    prompts = Prompts(tuple(points), tuple(boxes), phrases(text))
    file = None if mask is None else str(mask)
    return RegionOptions(segmenter, prompts, file, theta, importance, detector=detector)


_REGION: dict[str, Any] = dict(_region.__kwdefaults__ or {})
_DISTURB: dict[str, Any] = dict(disturb_of.__kwdefaults__ or {})
_LINK = {
    name: parameter.default for name, parameter in inspect.signature(LinkConfig).parameters.items()
}
OPTIONS: dict[str, Any] = {**_REGION, **_LINK, **_DISTURB, **(send.__kwdefaults__ or {})}
"""The options of :func:`send`, with their default values."""


def _signature() -> inspect.Signature:
    """Return the signature of :func:`send` with all options, for ``help`` and editors."""
    own = inspect.signature(send)
    *first, _ = own.parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    found = [*inspect.signature(_region).parameters.values()]
    found += inspect.signature(LinkConfig).parameters.values()
    found += inspect.signature(disturb_of).parameters.values()
    return own.replace(parameters=[*first, *(p.replace(kind=keyword) for p in found)])


send.__signature__ = _signature()  # type: ignore[attr-defined]
