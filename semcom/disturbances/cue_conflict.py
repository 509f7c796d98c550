"""Texture against shape: two cues that show two different objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from semcom.types import Image, Region

CONTOUR = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weight of the contour by severity; the texture has the rest."""
_CONTRAST = 45.0  # grey levels, standard deviation of a texture and height of the line
_GREY = 128


class CueConflict:
    """A picture with two cues only.

    Inside and outside the true mask lie two textures of equal mean colour, made from the object and
    from its background by giving their spectra random phases. A dark line follows the outline of
    the mirrored mask. The severity moves weight from the textures to the line: 1 is texture alone,
    and 5 is the line alone. Whether a segmenter's mask is closer to the mask or to its mirror image
    tells which cue it follows.
    """

    needs_truth = True

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        assert truth is not None
        rng, line = np.random.default_rng(seed), CONTOUR[severity - 1]
        inside, outside = (_texture(image, part, rng) for part in (truth, ~truth))
        seen = np.where(truth, inside, outside) * (1 - line) * _CONTRAST
        seen -= line * 2 * _CONTRAST * outline(truth[:, ::-1])
        grey = np.clip(np.rint(_GREY + seen), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)


def outline(mask: Region) -> Region:
    """Return the outline of a mask, some pixels wide."""
    width = max(1, mask.shape[0] // 240)
    grown = binary_dilation(mask, iterations=width)
    shrunk = binary_erosion(mask, iterations=width, border_value=1)  # goes on beyond the frame
    return np.asarray(grown & ~shrunk)


def _texture(image: Image, part: Region, rng: np.random.Generator) -> NDArray[np.float64]:
    """Make a grey texture (H, W) with the spectrum of a part, of mean 0 and deviation 1 there."""
    grey = image.mean(axis=2)
    inside = grey[part] if part.any() else grey.ravel()
    filled = np.where(part, grey - inside.mean(), 0.0)
    magnitude = np.abs(np.fft.rfft2(filled))
    # Largest structures are of the mask, not of the texture.
    v, u = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None, :]
    magnitude *= np.hypot(v, u) > 4 / min(grey.shape)
    phase = np.angle(np.fft.rfft2(rng.normal(size=grey.shape)))
    drawn = np.fft.irfft2(magnitude * np.exp(1j * phase), s=grey.shape)
    shown = drawn[part] if part.any() else drawn
    return np.asarray((drawn - shown.mean()) / (shown.std() + 1e-9))
