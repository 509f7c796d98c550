"""Superpixels and their adjacency.

Superpixels are SLIC's in CIELAB (R. Achanta et al., IEEE TPAMI 34(11), 2012,
doi:10.1109/TPAMI.2012.120).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.segmentation import slic

from semcom.types import Image

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TEXTURE_WEIGHT = 1.5
"""Weight of a unit of local contrast relative to a unit of CIELAB."""
CHROMA_WEIGHT = 1.3
"""Weight of a* and b* relative to L*: shading changes lightness more than hue."""
FLAT = 2.0
"""Difference in CIELAB units below which a picture's superpixels contain no figure."""
COMPACTNESS = 8.0
"""Weight of distance in the picture relative to distance in CIELAB."""


@dataclass(frozen=True, eq=False)
class Superpixels:
    """An image as n superpixels and the m borders between them."""

    labels: Ints
    """Shape (h, w), values 0 to n-1."""
    area: Floats
    """Number of pixels, shape (n,)."""
    look: Floats
    """Mean appearance: weighted L*, a*, b* and local contrast, shape (n, 4)."""
    centre: Floats
    """Mean y and x as fractions of the long side, shape (n, 2)."""
    frame: Floats
    """Number of pixels on the image's frame, shape (n,)."""
    pairs: Ints
    """Neighbours i < j, shape (m, 2)."""
    length: Floats
    """Length in pixels of the border between them, shape (m,)."""
    edge: Floats
    """Mean strength of the edge along the border in CIELAB units, shape (m,)."""

    def __len__(self) -> int:
        return len(self.area)

    @property
    def flat(self) -> bool:
        """Whether the superpixels differ so little that there is no figure."""
        return len(self) < 2 or bool(np.ptp(self.look, axis=0).max() < FLAT)


def superpixels(image: Image, number: int) -> Superpixels:
    """Divide ``image`` (h, w, 3) uint8 into about ``number`` superpixels."""
    height, width = image.shape[:2]
    lab = np.asarray(rgb2lab(image), dtype=np.float64)
    number = int(np.clip(height * width // 16, 4, number))
    # slic scales its input to the range 0 to 1, but the compactness is in CIELAB units.
    compactness = COMPACTNESS / max(float(np.ptp(lab)), 1.0)
    labels = np.asarray(
        slic(lab, number, compactness, convert2lab=False, start_label=0), dtype=np.int64
    )
    area = np.bincount(labels.ravel()).astype(np.float64)
    channels = np.moveaxis(appearance(lab), -1, 0)
    rows, columns = np.indices(labels.shape)
    long_side = max(height, width)
    frame = np.zeros(labels.shape)
    frame[[0, -1]] = 1
    frame[:, [0, -1]] = 1
    pairs, length, edge = borders(labels, ndimage.gaussian_filter(lab, (1, 1, 0)))
    return Superpixels(
        labels=labels,
        area=area,
        look=np.stack([mean(labels, channel, area) for channel in channels], axis=1),
        centre=np.stack([mean(labels, c / long_side, area) for c in (rows, columns)], axis=1),
        frame=np.bincount(labels.ravel(), frame.ravel()).astype(np.float64),
        pairs=pairs,
        length=length,
        edge=edge,
    )


def appearance(lab: Floats) -> Floats:
    """Describe every pixel by L*, a*, b* (h, w, 3) and local contrast, weighted: (h, w, 4)."""
    colour = ndimage.gaussian_filter(lab, (0.5, 0.5, 0))
    lightness = lab[..., 0]
    contrast = ndimage.gaussian_filter(np.abs(lightness - ndimage.gaussian_filter(lightness, 2)), 2)
    weights = (1.0, CHROMA_WEIGHT, CHROMA_WEIGHT, TEXTURE_WEIGHT)
    return np.asarray(np.concatenate([colour, contrast[..., None]], axis=-1) * weights)


def mean(labels: Ints, values: Floats, area: Floats) -> Floats:
    """Average ``values`` (h, w) over every superpixel; (n,)."""
    return np.asarray(np.bincount(labels.ravel(), values.ravel()) / area)


def borders(labels: Ints, smooth: Floats) -> tuple[Ints, Floats, Floats]:
    """List the borders between superpixels: the pair, the length and the strength."""
    gradient = np.zeros(labels.shape)
    for axis in (0, 1):
        slope = ndimage.correlate1d(smooth, [-0.5, 0, 0.5], axis=axis)
        gradient += np.square(slope).sum(axis=-1)
    gradient = np.sqrt(gradient)
    n = int(labels.max()) + 1
    codes, strengths = [], []
    for one, two in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        differ = labels[one] != labels[two]
        a, b = labels[one][differ], labels[two][differ]
        codes.append(np.minimum(a, b) * n + np.maximum(a, b))
        strengths.append(np.maximum(gradient[one][differ], gradient[two][differ]))
    code, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    length = np.bincount(inverse, minlength=len(code)).astype(np.float64)
    total = np.bincount(inverse, np.concatenate(strengths), minlength=len(code))
    pairs = np.stack([code // n, code % n], axis=1)
    return pairs, length, total / np.maximum(length, 1)
