"""Settings: everything that defines a delivery except the image; both together are a task."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from channels.catalogue import CHANNELS
from channels.packets.target import Target
from semcom.codecs.base import CODECS, is_analog
from semcom.detectors.base import DEFAULT as DEFAULT_DETECTOR
from semcom.disturbances.apply import DEFAULT_SEVERITY, Disturb
from semcom.errors import InputError
from semcom.importance.by_text import check_prompts
from semcom.importance.maps import AUTO, DEFAULT_THETA, Theta
from semcom.importance.region import RegionOptions
from semcom.link.config import LinkConfig
from semcom.link.options import LinkOptions
from semcom.scores.base import check_scores, split_specs
from semcom.segmenters.inner import asked
from semcom.types import Prompts, phrases

BESIDE = "beside"
"""Name of the segmenter that reads ``NAME_mask.png`` beside each image."""
Choice = Literal["chosen", "best"]
BEST_SCHEMES = {"best for error": "unequal", "best for PSNR": "graceful"}
"""Schemes that are searched for each image, with the kind of protection that has the same aim
(:mod:`experiments.running.best_fixed_scheme`)."""
SAFE = Target(outage=0.02)
"""Target for the header beside such a scheme, so that losses of the header do not dominate."""


@dataclass(frozen=True, kw_only=True)
class Setting(LinkOptions):
    """Everything that defines a delivery except the image: a value for every axis (:data:`AXES`).

    :class:`semcom.importance.region.RegionOptions` and :class:`semcom.link.config.LinkConfig`
    explain the axes. In addition, ``scheme`` may be one of :data:`BEST_SCHEMES`.

    Examples
    --------
    >>> Setting(codec="jpeg", snr_db=4.0).about()
    {'codec': 'jpeg', 'snr_db': 4.0}
    >>> Setting().id[:12]  # the SHA-256 of "{}"
    '44136fa355b3'
    """

    codec: str = "hevc"
    segmenter: str = "auto"
    scored: Literal["own", "beside", "clean"] = "own"
    """Region to score: the one that the segmenter found, that of the mask file beside, or the one
    that the segmenter finds in the clean picture."""
    disturbance: str = ""
    """Disturbance of what the camera sees; empty: none."""
    severity: int = DEFAULT_SEVERITY
    """Severity of the disturbance, 1 to 5."""
    prompt: Literal["none", "point", "box"] = "none"
    """Prompt of the segmenter, made from the mask file beside: a point within it, or its box."""
    text: str = ""
    """Text prompt of the segmenter, such as ``"the dog; the rider"``; empty: none."""
    detector: str = DEFAULT_DETECTOR
    """Detector that finds what the text names."""
    masks: Choice = "chosen"
    """Masks that matter: those that were chosen; or the single one closest to the mask file beside,
    which no sender could know, for questions about segmenters."""
    sent: Literal["seen", "clean", "nothing"] = "seen"
    """Picture to send: the one that was seen; the clean one, with the masks of the one that was
    seen; or nothing, to score the masks alone."""
    importance: str = "region"
    theta: Theta = DEFAULT_THETA
    blind: bool = False
    further_scores: str = ""
    """Scores to compute besides those that always are, joined by commas: those of the suite."""
    bound: bool = False
    """Compute the capacity bound instead of sending (:mod:`experiments.running.capacity_bound`)."""
    seed: int = 0
    """Seed of the channel; draw k equals ``semcom send --seed SEED+k``."""
    cbr: str = "1/16"

    @classmethod
    def of(cls, axes: Mapping[str, Any]) -> Setting:
        """Build a setting from values of axes, by their names in suites."""
        return cls(**{AXES[axis]: value for axis, value in axes.items()})

    @property
    def pilots(self) -> int:
        """Value of the axis ``pilots``."""
        return self.num_pilots

    @property
    def also(self) -> tuple[str, ...]:
        """Scores to compute besides those that always are."""
        return tuple(split_specs(self.further_scores))

    @property
    def scored_theta(self) -> float:
        """The θ of θ-PSNR."""
        return DEFAULT_THETA if self.theta == AUTO else float(self.theta)

    @property
    def id(self) -> str:
        """SHA-256 of the values that differ from the defaults, so that new axes change no id."""
        return hashlib.sha256(json.dumps(self.about(), sort_keys=True).encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return the values that differ from the defaults, by axis."""
        values = ((axis, getattr(self, name)) for axis, name in AXES.items())
        return {axis: value for axis, value in values if value != DEFAULTS[axis]}

    @property
    def link(self) -> LinkConfig:
        """Configuration of the link; ``ValueError`` if its options contradict each other."""
        about = {option.name: getattr(self, option.name) for option in fields(LinkOptions)}
        if self.scheme in BEST_SCHEMES:
            about |= {"scheme": "", "target": SAFE}
        return _link(**about)

    def region_options(self, mask: Path | None) -> RegionOptions:
        """Return the options that define the region; ``mask`` is the file for ``beside``."""
        if self.segmenter == BESIDE:
            return self.options_of_mask(mask)
        return RegionOptions(
            self.segmenter,
            Prompts(text=phrases(self.text)),
            theta=self.theta,
            kind=self.importance,
            detector=self.detector,
        )

    def options_of_mask(self, mask: Path | None) -> RegionOptions:
        """Return the options for the region of a mask file."""
        return RegionOptions(mask=str(mask), theta=self.theta, kind=self.importance)

    @property
    def looked(self) -> tuple[object, ...]:
        """What the masks depend on beside the image, if a segmenter finds them."""
        return (
            *(self.segmenter, self.disturbance, self.severity, self.prompt),
            *(self.text, self.detector),
        )

    @property
    def mask_axis(self) -> str:
        """The axis whose value uses the mask file beside the image, one of them; empty if none."""
        if BESIDE in (self.segmenter, self.scored):
            return "segmenter" if self.segmenter == BESIDE else "scored"
        if self.prompt != "none" or self.masks == "best":
            return "prompt" if self.prompt != "none" else "masks"
        return "disturbance" if _needs_truth(self.disturbance) else ""

    @property
    def needs_mask(self) -> bool:
        """Whether the setting uses the mask file beside the image."""
        return bool(self.mask_axis)

    @property
    def disturb(self) -> Disturb | None:
        """The disturbance with its severity; None if there is none."""
        return Disturb(self.disturbance, self.severity) if self.disturbance else None

    @property
    def looks_at_masks(self) -> bool:
        """Whether the masks themselves are scored."""
        return bool(self.disturbance) or self.needs_mask or self.sent == "nothing"

    @property
    def random(self) -> bool:
        """Whether one draw of the channel says little about the mean: it fades or loses packets.

        Noise, and gains that are independent for every symbol, average out within a frame.
        """
        if self.bound or self.sent == "nothing":
            return False
        return bool(self.losses) or _coherence(self.channel) in ("block", "varying")

    @property
    def condition(self) -> tuple[object, ...]:
        """What must be the same for systems to be compared."""
        return self.channel, self.cbr, self.snr_db, self.disturbance, self.severity, self.sent

    @property
    def budget(self) -> Fraction:
        """Channel uses allowed per source sample."""
        return Fraction(self.cbr)

    def check(self) -> None:
        """Raise ``ValueError`` for a combination of values that is impossible."""
        if self.bound and (self.disturbance or self.sent != "seen"):
            raise InputError("the capacity bound takes no disturbance, and sends what is seen")
        if self.sent == "clean" and not self.disturbance:
            raise InputError("sent: clean needs a disturbance, without which it is what is seen")
        if self.text and self.prompt != "none":
            raise InputError(f"text and prompt exclude each other: {self.text!r}, {self.prompt}")
        if self.text and self.segmenter == BESIDE:
            raise InputError(f"segmenter beside reads masks and looks for no text ({self.text!r})")
        _check_text(self.text, self.segmenter, self.detector)
        if self.masks == "best" and (
            self.segmenter == BESIDE or self.prompt != "none" or self.text
        ):
            raise InputError("masks: best needs a segmenter that finds several masks, unprompted")
        check_scores(self.also, can_look=asked(self.segmenter) not in (BESIDE, "from_file"))
        _check(self.codec, self.bound, self.scheme, self.protection, self.link)


LINK_AXES = {f.metadata.get("axis", f.name): f.name for f in fields(LinkOptions)}
_FIRST = (
    *("codec", "segmenter", "scored", "disturbance", "severity", "prompt", "text", "detector"),
    *("masks", "sent", "importance", "theta", "blind", "further_scores", "bound"),
)
_LAST = ("seed", "cbr", "snr_db")
AXES = {
    **dict(zip(_FIRST, _FIRST, strict=True)),
    **{axis: name for axis, name in LINK_AXES.items() if axis not in _LAST},
    **dict(zip(_LAST, _LAST, strict=True)),
}
"""The fields of :class:`Setting` by the axes of a suite; the last axis moves fastest."""
DEFAULTS = {axis: getattr(Setting(), name) for axis, name in AXES.items()}


@functools.lru_cache(maxsize=256)
def _needs_truth(disturbance: str) -> bool:
    """Whether a disturbance needs the true mask.

    Results are read where its package or its files may be gone; no disturbance that reads files
    needs the true mask.
    """
    try:
        return bool(disturbance) and Disturb(disturbance).needs_truth
    except InputError:
        return False


@functools.lru_cache(maxsize=256)
def _coherence(channel: str) -> str:
    return str(CHANNELS.create(channel).coherence)


@functools.lru_cache(maxsize=256)
def _check_text(text: str, segmenter: str, detector: str) -> None:
    asked = "auto" if segmenter == BESIDE else segmenter
    check_prompts(Prompts(text=phrases(text)), asked, detector)


_link = functools.lru_cache(maxsize=4096)(LinkConfig)


@functools.lru_cache(maxsize=4096)
def _check(codec: str, bound: bool, scheme: str, protection: str, link: LinkConfig) -> None:
    from channels.theory.capacity import capacity

    analog = is_analog(CODECS.create(codec))
    if protection != "equal" and (analog or scheme):
        why = "needs a codec that sends packets" if analog else "cannot use a fixed scheme"
        raise InputError(f"{protection} protection {why}")
    if bound:
        if analog:
            raise InputError(f"codec {codec} is analog and sends no bits, so it has no bound")
        capacity(link.channel, link.snr_db)


def task_id(setting_id: str, image: str, mask: str) -> str:
    """Return the id of a task: the SHA-256 of its setting, image and mask.

    Parameters
    ----------
    setting_id
        :attr:`Setting.id`.
    image, mask
        SHA-256 of both files; that of the mask is empty if no mask file is used.
    """
    return hashlib.sha256(f"{setting_id} {image} {mask}".encode()).hexdigest()
