"""Grey blocks in front of the scene."""

from __future__ import annotations

import numpy as np

from semcom.errors import InputError
from semcom.sizes import block_means
from semcom.types import Image, Region

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Share of the blocks that are hidden, by severity."""
_BLOCK = 16
_GREY = 128
_PLACES = ("anywhere", "object", "background")


class Occlusion:
    """Blocks of 16x16 pixels that show mid-grey.

    Parameters
    ----------
    where
        ``anywhere``; ``object``: of the blocks that lie mostly on the object; ``background``: of
        the others. The share is that of the blocks in question.
    """

    def __init__(self, *, where: str = "anywhere") -> None:
        if where not in _PLACES:
            choices = ", ".join(_PLACES)
            raise InputError(f"occlusion: unknown place {where!r}; choices: {choices}")
        self._where = where
        self.needs_truth = where != "anywhere"

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        height, width = image.shape[:2]
        rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
        order = np.random.default_rng(seed).random((rows, columns))
        if truth is not None and self._where != "anywhere":
            share = block_means(truth if self._where == "object" else ~truth, _BLOCK)
            # An object that is smaller than half a block gets the block that shows most of it.
            order[share < min(0.5, share.max())] = np.inf
            order[share == 0] = np.inf
        some = np.isfinite(order)
        hidden = np.zeros_like(some)
        if some.any():
            count = max(1, round(SHARES[severity - 1] * some.sum()))
            hidden[np.unravel_index(np.argsort(order, axis=None)[:count], order.shape)] = True
        seen = image.copy()
        seen[np.kron(hidden, np.ones((_BLOCK, _BLOCK), bool))[:height, :width]] = _GREY
        return seen
