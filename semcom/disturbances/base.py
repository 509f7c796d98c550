"""The contract of disturbances, and the table of those that semcom ships.

A disturbance turns a clean picture into the one that the sender's camera sees: noise, blur,
weather, something in the way. The sender segments and sends what it sees.
``docs/tutorials/adding-a-disturbance.md`` explains how to write one.
"""

from __future__ import annotations

from typing import Protocol

from channels.registry import Entry, Registry
from semcom.types import Image, Region

SEVERITIES = range(1, 6)
"""The levels of every disturbance, from weak to strong."""
LEAST_SIDE = 32
"""Least side in pixels of a picture that is disturbed."""


class Disturbance(Protocol):
    """A function that disturbs a picture, built by ``DISTURBANCES.create(spec)``.

    Attributes
    ----------
    needs_truth
        Whether it needs the true mask of the object; False if the attribute is missing.
    identity
        Hash of the files that the result depends on, if there are any. Suites then add the option
        ``sha256``, which the disturbance must have: the beginning of that hash.
    of
        Optional method that gets the file of the picture, or None, and returns the disturbance of
        that picture.
    check_source
        Optional method that gets the file of a picture and a severity, and refuses what it has
        nothing for. Suites call it before anything runs.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((48, 64, 3), 90, dtype=np.uint8)
    >>> seen = DISTURBANCES.create("jitter")(image, severity=1, seed=0, truth=None)
    >>> seen.shape, int(np.abs(seen.astype(int) - image).max())
    ((48, 64, 3), 1)
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture.

        Parameters
        ----------
        image
            The clean picture, (H, W, 3) uint8, at least 32 pixels high and wide; it stays as it is.
        severity
            1 to 5.
        seed
            Seed of everything random. The same arguments give the same picture, bit for bit.
        truth
            The true mask of the object, (H, W) bool, if there is one.

        Returns
        -------
        Image
            The picture that the camera sees, of the same shape and type.
        """
        ...


def _corruption(name: str, summary: str, registered: str = "") -> Entry:
    return Entry(
        registered or name,
        f"semcom.disturbances.corruptions:{name}",
        f"ImageNet-C: {summary}",
        requires=("imagecorruptions",),
        extra="robustness",
    )


DISTURBANCES = Registry(
    "disturbance",
    [
        Entry("fog", "semcom.disturbances.weather.fog:Fog", "fog that thickens with distance"),
        Entry("rain", "semcom.disturbances.weather.rain:Rain", "streaks of rain and their veil"),
        Entry("snow", "semcom.disturbances.weather.snow:Snow", "falling flakes and their veil"),
        Entry("night", "semcom.disturbances.weather.night:Night", "little light, and its noise"),
        Entry("drops", "semcom.disturbances.weather.drops:Drops", "drops of water on the lens"),
        Entry(
            "occlusion", "semcom.disturbances.occlusion:Occlusion", "grey blocks in front of parts"
        ),
        Entry(
            "style",
            "semcom.disturbances.style:Style",
            "colours or low frequencies of another picture (option picture=FILE)",
        ),
        Entry(
            "cue_conflict",
            "semcom.disturbances.cue_conflict:CueConflict",
            "texture that shows the object, and a contour that shows its mirror image",
        ),
        Entry(
            "from_folder",
            "semcom.disturbances.from_folder:FromFolder",
            "pictures that were disturbed elsewhere (option path=DIR)",
        ),
        Entry(
            "jitter", "semcom.disturbances.jitter:Jitter", "one grey level of noise, as a control"
        ),
        Entry(
            "fgsm",
            "semcom.disturbances.attacks.gradient:Fgsm",
            "attack on a segmenter: one step by the sign of the gradient",
        ),
        Entry(
            "pgd",
            "semcom.disturbances.attacks.gradient:Pgd",
            "attack on a segmenter: ten steps by the sign of the gradient",
        ),
        Entry(
            "patch",
            "semcom.disturbances.attacks.patch:Patch",
            "attack on a segmenter: a square of any content",
        ),
        _corruption("gaussian_noise", "Gaussian noise"),
        _corruption("shot_noise", "Poisson noise"),
        _corruption("impulse_noise", "salt and pepper"),
        _corruption("defocus_blur", "defocus"),
        _corruption("glass_blur", "frosted glass, which moves pixels"),
        _corruption("motion_blur", "motion"),
        _corruption("zoom_blur", "zooming, which moves pixels"),
        _corruption("snow", "snow", "snow_c"),
        _corruption("frost", "frost on the lens"),
        _corruption("fog", "fog", "fog_c"),
        _corruption("brightness", "more brightness"),
        _corruption("contrast", "less contrast"),
        _corruption("elastic_transform", "elastic deformation, which moves pixels"),
        _corruption("pixelate", "large pixels"),
        _corruption("jpeg_compression", "JPEG"),
    ],
    group="semcom.disturbances",
)
