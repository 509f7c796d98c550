"""A setting: all about a delivery but the image. With an image it is a task."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from channels.catalogue import CHANNELS
from channels.packets.target import Target
from semcom.codecs.base import CODECS, is_analog
from semcom.errors import InputError
from semcom.importance.maps import DEFAULT_THETA
from semcom.importance.region import RegionOptions
from semcom.link.config import LinkConfig
from semcom.link.options import LinkOptions

BESIDE = "beside"
"""The segmenter that takes ``NAME_mask.png`` beside each image."""
BEST_SCHEMES = {"best for error": "unequal", "best for PSNR": "graceful"}
"""Schemes that are searched for each image by expectation, and in which sense
(:mod:`experiments.running.best_fixed_scheme`)."""
SAFE = Target(outage=0.02)
"""Of the header beside such a scheme, so that it does not decide about the frame."""


@dataclass(frozen=True, kw_only=True)
class Setting(LinkOptions):
    """All about a delivery but the image: a value for every axis of a suite (:data:`AXES`).

    See :class:`semcom.importance.region.RegionOptions` and :class:`semcom.link.config.LinkConfig`
    for their meaning. ``scheme`` may be one of :data:`BEST_SCHEMES`, too.
    """

    codec: str = "hevc"
    segmenter: str = "auto"
    scored: Literal["own", "beside"] = "own"
    """Whose region is scored: that which the segmenter found, or that of the masks beside."""
    importance: str = "region"
    theta: float = DEFAULT_THETA
    blind: bool = False
    bound: bool = False
    """No link, but the bits of its capacity (:mod:`experiments.running.capacity_bound`)."""
    seed: int = 0
    """Draw k of the channel is that of ``semcom send --seed SEED+k``."""
    cbr: str = "1/16"

    @classmethod
    def of(cls, axes: Mapping[str, Any]) -> Setting:
        """Build a setting from values of axes, by the names that they have in suites."""
        return cls(**{AXES[axis]: value for axis, value in axes.items()})

    @property
    def pilots(self) -> int:
        """The axis ``pilots``."""
        return self.num_pilots

    @property
    def id(self) -> str:
        """SHA-256 of what differs from the defaults, so that axes yet to come change no id."""
        return hashlib.sha256(json.dumps(self.about(), sort_keys=True).encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        values = ((axis, getattr(self, name)) for axis, name in AXES.items())
        return {axis: value for axis, value in values if value != DEFAULTS[axis]}

    @property
    def link(self) -> LinkConfig:
        """The channel as both ends know it; ``ValueError`` for what makes no sense."""
        about = {option.name: getattr(self, option.name) for option in fields(LinkOptions)}
        if self.scheme in BEST_SCHEMES:
            about |= {"scheme": "", "target": SAFE}
        return _link(**about)

    def region_options(self, mask: Path | None) -> RegionOptions:
        """Say what matters; ``mask`` is the file for the segmenter ``beside``."""
        if self.segmenter == BESIDE:
            return RegionOptions(mask=str(mask), theta=self.theta, kind=self.importance)
        return RegionOptions(self.segmenter, theta=self.theta, kind=self.importance)

    @property
    def needs_mask(self) -> bool:
        """Whether the mask beside the image has a part in it."""
        return BESIDE in (self.segmenter, self.scored)

    def scored_region(self, mask: Path | None) -> RegionOptions:
        """Say whose region is scored, as :meth:`region_options`."""
        scored_region = self if self.scored == "own" else replace(self, segmenter=BESIDE)
        return scored_region.region_options(mask)

    @property
    def random(self) -> bool:
        """Whether one draw of the channel says little: it is lost by packets, or fades.

        Noise, and gains that are drawn afresh for every symbol, average out within a frame.
        """
        if self.bound:
            return False
        return bool(self.losses) or _coherence(self.channel) in ("block", "varying")

    @property
    def budget(self) -> Fraction:
        """Channel uses allowed per source sample."""
        return Fraction(self.cbr)

    def check(self) -> None:
        """Raise ``ValueError`` for a combination that cannot be."""
        _check(self.codec, self.bound, self.scheme, self.protection, self.link)


LINK_AXES = {f.metadata.get("axis", f.name): f.name for f in fields(LinkOptions)}
_FIRST = ("codec", "segmenter", "scored", "importance", "theta", "blind", "bound")
_LAST = ("seed", "cbr", "snr_db")
AXES = {
    **dict(zip(_FIRST, _FIRST, strict=True)),
    **{axis: name for axis, name in LINK_AXES.items() if axis not in _LAST},
    **dict(zip(_LAST, _LAST, strict=True)),
}
"""The fields of :class:`Setting` by the axes of a suite; the last axis moves fastest."""
DEFAULTS = {axis: getattr(Setting(), name) for axis, name in AXES.items()}


@functools.lru_cache(maxsize=256)
def _coherence(channel: str) -> str:
    return str(CHANNELS.create(channel).coherence)


_link = functools.lru_cache(maxsize=4096)(LinkConfig)


@functools.lru_cache(maxsize=4096)
def _check(codec: str, bound: bool, scheme: str, protection: str, link: LinkConfig) -> None:
    from channels.theory.capacity import capacity

    analog = is_analog(CODECS.create(codec))
    if protection != "equal" and (analog or scheme):
        what = "a codec of packets" if analog else "no fixed scheme"
        raise InputError(f"{protection} protection takes {what}")
    if bound:
        if analog:
            raise InputError(f"codec {codec} sends no bits, so that there is no bound")
        capacity(link.channel, link.snr_db)


def task_id(setting_id: str, image: str, mask: str) -> str:
    """SHA-256 of a delivery's meaning.

    Parameters
    ----------
    setting_id
        :attr:`Setting.id`.
    image, mask
        SHA-256 of both files; of the mask empty where no mask file is used.
    """
    return hashlib.sha256(f"{setting_id} {image} {mask}".encode()).hexdigest()
