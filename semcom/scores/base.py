"""The contract of scores, and the table of those that semcom ships.

A score says with one number how good a received picture is. Six are always computed; the others
only if they are asked for, because they need a package, weights, or seconds.
``docs/tutorials/adding-a-score.md`` explains how to write one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from channels.registry import COMMAS, Entry, Registry
from semcom.errors import InputError
from semcom.hashes import changes
from semcom.importance.maps import Importance
from semcom.types import Image, Region

Look = Callable[[Image], Region]


@dataclass(frozen=True, eq=False)
class Scored:
    """What a score may use besides the two pictures.

    Examples
    --------
    >>> from semcom.importance.maps import importance
    >>> scored = Scored(importance([], 32, 48))
    >>> scored.region.shape, scored.look
    ((32, 48), None)
    """

    importance: Importance
    """The importance map, and the region that the scores refer to."""
    look: Look | None = None
    """The sender's way to find its region, with the same segmenter and the same prompts, to be used
    on another picture of the same size. None if the region came from a file."""

    @property
    def region(self) -> Region:
        """The important pixels, (H, W) bool; it may be empty or cover everything."""
        return self.importance.region


class Score(Protocol):
    """A function that scores a received picture, built by ``SCORES.create(spec)``.

    Its attributes belong to the class, so that tables and figures can be made without building it.

    Attributes
    ----------
    label
        Short name for the heads of tables, such as ``"FSIM"``.
    unit
        ``"dB"``, or empty for a number without a unit.
    better
        ``"higher"`` or ``"lower"``.
    range
        Lowest and highest value, which may be infinite. A value outside is an error.
    needs_look
        Whether it segments the received picture as the sender did its own, by :attr:`Scored.look`;
        False if the attribute is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from semcom.importance.maps import importance
    >>> original = np.full((32, 48, 3), 100, dtype=np.uint8)
    >>> psnr = SCORES.create("psnr_db")
    >>> round(psnr(original, original + np.uint8(1), Scored(importance([], 32, 48))), 2)
    48.13
    >>> psnr.label, psnr.unit, psnr.better, psnr.range
    ('PSNR', 'dB', 'higher', (0.0, inf))
    """

    label: str
    unit: str
    better: Literal["higher", "lower"]
    range: tuple[float, float]

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Score a received picture.

        Parameters
        ----------
        original, received
            The picture that was sent and the one that the receiver shows, (H, W, 3) uint8. They
            stay as they are.
        scored
            The region that is scored, and how the sender found it.

        Returns
        -------
        float or None
            None if the score has no meaning here, such as one of the region if there is none.
        """
        ...


def _measured(name: str, kind: str, summary: str) -> Entry:
    return Entry(name, f"semcom.scores.measured:{kind}", summary)


def _by_piq(name: str, kind: str, summary: str) -> Entry:
    target = f"semcom.scores.perceptual:{kind}"
    return Entry(name, target, summary, requires=("piq",), extra="scores")


SCORES = Registry(
    "score",
    [
        _measured("psnr_db", "Psnr", "PSNR, dB"),
        _measured("ssim", "Ssim", "SSIM, 11x11 Gaussian window"),
        _measured("ms_ssim", "MsSsim", "MS-SSIM, five scales"),
        _measured("region_psnr_db", "RegionPsnr", "PSNR over the region, dB"),
        _measured("background_psnr_db", "BackgroundPsnr", "PSNR outside of it, dB"),
        _measured("theta_psnr_db", "ThetaPsnr", "θ-PSNR, dB"),
        _by_piq("fsim", "Fsim", "FSIM: similarity of features (phase congruency and gradient)"),
        _by_piq("vif", "Vif", "VIF: information about the original that is left, pixel domain"),
        _by_piq("gmsd", "Gmsd", "GMSD: spread of the similarity of gradients; lower is better"),
        _by_piq("haarpsi", "HaarPsi", "HaarPSI: similarity of Haar wavelets"),
        _by_piq("mdsi", "Mdsi", "MDSI: spread of gradient and colour; lower is better"),
        Entry(
            "psnr_hvs_db",
            "semcom.scores.psnr_hvs:PsnrHvs",
            "PSNR-HVS: PSNR of luminance, weighted by the eye's contrast sensitivity, dB",
        ),
        Entry(
            "ssimulacra2",
            "semcom.scores.perceptual:Ssimulacra2",
            "SSIMULACRA 2: 90 is visually lossless, 50 medium, 100 the most",
            requires=("ssimulacra2",),
            extra="scores",
        ),
        Entry(
            "lpips",
            "semcom.scores.lpips:Lpips",
            "LPIPS: distance of AlexNet's features, fetched on first use; lower is better",
            requires=("lpips",),
            extra="scores",
        ),
        Entry(
            "dists",
            "semcom.scores.dists:Dists",
            "DISTS: structure and texture in VGG16's features, fetched on first use; lower is "
            "better",
        ),
        Entry(
            "mask_iou",
            "semcom.scores.tasks.mask_iou:MaskIou",
            "IoU of the mask that the receiver finds in what arrived with the sender's mask",
        ),
        Entry(
            "text_recall",
            "semcom.scores.tasks.text_recall:TextRecall",
            "share of the characters of the original that OCR still reads",
            requires=("rapidocr_onnxruntime", "rapidfuzz"),
            extra="tasks",
        ),
        Entry(
            "codes",
            "semcom.scores.tasks.codes:Codes",
            "share of the QR and bar codes of the original that still read",
            requires=("zxingcpp",),
            extra="tasks",
        ),
        Entry(
            "class_kept",
            "semcom.scores.tasks.class_kept:ClassKept",
            "whether a classifier of the Hugging Face hub says the same (option model=ID)",
            requires=("transformers",),
            extra="hf",
        ),
        Entry(
            "objects_kept",
            "semcom.scores.tasks.objects_kept:ObjectsKept",
            "F-measure of what a detector of the Hugging Face hub finds again (option model=ID)",
            requires=("transformers",),
            extra="hf",
        ),
    ],
    group="semcom.scores",
)
ALWAYS = (
    *("psnr_db", "ssim", "ms_ssim"),
    *("region_psnr_db", "background_psnr_db", "theta_psnr_db"),
)
"""The scores that are always computed."""
_ROUNDING = 1e-5
"""Distance from the range that counts as rounding."""


def built(spec: str) -> Score:
    """Build a score by its name and options, or return the one built before of the same files."""
    _, options = SCORES.parse(spec)
    return opened(spec, changes(options))


@functools.lru_cache(maxsize=64)
def opened(spec: str, changed: tuple[int, ...]) -> Score:  # noqa: ARG001
    """Build a score once for each state of the files that its options name."""
    score: Score = SCORES.create(spec)
    return score


def optional(specs: Iterable[str]) -> tuple[str, ...]:
    """Return the scores that are computed only on demand, each once and sorted.

    Examples
    --------
    >>> optional(["ssim", "mask_iou", "codes", "mask_iou"])
    ('codes', 'mask_iou')
    """
    return tuple(sorted(set(specs) - set(ALWAYS)))


def check_scores(specs: Sequence[str], *, can_look: bool) -> None:
    """Refuse scores that cannot be computed, before anything is sent.

    Parameters
    ----------
    specs
        Scores by name, with options.
    can_look
        Whether a segmenter finds the region, and not a mask file.

    Raises
    ------
    ValueError
        Unknown name or option, a missing package or missing weights, or a score that repeats the
        sender's segmentation where the sender read a mask file.
    """
    for spec in specs:
        score = built(spec)
        if getattr(score, "needs_look", False) and not can_look:
            raise InputError(
                f"score {spec!r} segments the received picture as the sender did, but the mask is "
                f"from a file: name a segmenter, as in {spec.partition(':')[0]}:segmenter=graph"
            )


def value_of(spec: str, original: Image, received: Image, scored: Scored) -> float | None:
    """Compute one score, and check it.

    Raises
    ------
    ValueError
        The score is not a number or None, is NaN, or lies outside its range.
    """
    score = built(spec)
    value: Any = score(original, received, scored)
    if value is None:
        return None
    low, high = score.range
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"score {spec!r} gave {value!r}, which is not a number") from None
    if math.isnan(number) or not low - _ROUNDING <= number <= high + _ROUNDING:
        raise InputError(f"score {spec!r} gave {number:g}, which is not in {low:g} to {high:g}")
    return min(max(number, low), high)


def split_specs(text: str) -> list[str]:
    """Split scores at commas, except those between the options of one score.

    Examples
    --------
    >>> split_specs("fsim,mask_iou:segmenter=graph,prompt=box,codes")
    ['fsim', 'mask_iou:segmenter=graph,prompt=box', 'codes']
    >>> split_specs('lpips:weights="a,b.pth",fsim')
    ['lpips:weights="a,b.pth"', 'fsim']
    """
    found: list[str] = []
    for part in filter(None, map(str.strip, COMMAS.split(text))):
        name, _, _ = part.partition("=")
        if found and "=" in part and ":" not in name:
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found
