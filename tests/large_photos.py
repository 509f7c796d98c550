"""A photo of any size, and one with noise."""

from __future__ import annotations

import functools

import numpy as np
import skimage.data
from PIL import Image as PilImage

from semcom.types import Image


@functools.cache
def photo(height: int, width: int) -> Image:
    picture = PilImage.fromarray(skimage.data.astronaut())
    return np.asarray(picture.resize((width, height), PilImage.Resampling.BICUBIC))


def noisy(image: Image) -> Image:
    noise = np.random.default_rng(1).normal(0, 8, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)
