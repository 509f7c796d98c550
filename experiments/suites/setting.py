"""A setting: all about a delivery but the image. With an image it is a task."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from channels.catalogue import CHANNELS
from channels.packets.target import Target
from semcom.codecs.base import CODECS, is_analog
from semcom.importance.maps import DEFAULT_THETA
from semcom.importance.region import RegionOptions
from semcom.link.config import DEFAULT_PILOTS, LinkConfig

BESIDE = "beside"
"""The segmenter that takes ``NAME_mask.png`` beside each image."""
BEST_SCHEMES = {"best for error": "unequal", "best for PSNR": "graceful"}
"""Schemes that are searched for each image by expectation, and in which sense
(:mod:`experiments.running.best_fixed_scheme`)."""
SAFE = Target(outage=0.02)
"""Of the header beside such a scheme, so that it does not decide about the frame."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is done with an image; the fields are the axes of a suite, the last moves fastest.

    See :class:`semcom.importance.region.RegionOptions` and :class:`semcom.link.config.LinkConfig`
    for their meaning.
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
    channel: str = "awgn"
    csi: Literal["perfect", "pilots"] = "perfect"
    pilots: int = DEFAULT_PILOTS
    scheme: str = ""
    """Fixed by name, one of :data:`BEST_SCHEMES`, or empty: chosen by the SNR."""
    protection: Literal["equal", "unequal", "graceful"] = "equal"
    copies: int = 1
    planned_snr_db: float | None = None
    planned_std_db: float = 0.0
    losses: str = ""
    seed: int = 0
    """Draw k of the channel is that of ``semcom send --seed SEED+k``."""
    cbr: str = "1/16"
    snr_db: float = 10.0

    @property
    def id(self) -> str:
        """SHA-256 of what differs from the defaults, so that axes yet to come change no id."""
        return hashlib.sha256(json.dumps(self.about(), sort_keys=True).encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        values = ((name, getattr(self, name)) for name in _DEFAULTS)
        return {name: value for name, value in values if value != _DEFAULTS[name]}

    @property
    def link(self) -> LinkConfig:
        """The channel as both ends know it; ``ValueError`` for what makes no sense."""
        best = self.scheme in BEST_SCHEMES
        return _link(
            self.channel,
            self.snr_db,
            self.csi,
            self.pilots,
            SAFE if best else Target(),
            "" if best else self.scheme,
            self.copies,
            self.protection,
            self.planned_snr_db,
            self.planned_std_db,
            self.losses,
        )

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


_DEFAULTS = {field.name: field.default for field in fields(Setting)}


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
        raise ValueError(f"{protection} protection takes {what}")
    if bound:
        if analog:
            raise ValueError(f"codec {codec} sends no bits, so that there is no bound")
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
