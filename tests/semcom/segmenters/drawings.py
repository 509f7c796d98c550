"""Drawn pictures whose objects are known."""

import numpy as np

GROUND, FIGURE, OTHER = (60, 110, 70), (200, 60, 40), (40, 60, 200)


def disc(height: int, width: int, y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.indices((height, width))
    return np.hypot(rows - y, columns - x) <= radius


def paint(*layers: tuple[np.ndarray, tuple[int, int, int]], noise: float = 6.0) -> np.ndarray:
    picture = np.empty((*layers[0][0].shape, 3))
    picture[:] = GROUND
    for mask, colour in layers:
        picture[mask] = colour
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)
