"""Scores of the received picture, each with one definition."""

from __future__ import annotations

from collections.abc import Sequence

from semcom.importance.maps import Importance
from semcom.scores.base import ALWAYS, Look, Scored, value_of
from semcom.types import Image


def score(
    original: Image,
    received: Image,
    importance: Importance,
    *,
    also: Sequence[str] = (),
    look: Look | None = None,
) -> dict[str, float | None]:
    """Score ``received`` against ``original``; a score that is undefined is None.

    Parameters
    ----------
    original, received
        (H, W, 3) uint8.
    importance
        The importance map, and the region that the scores refer to.
    also
        Scores to compute besides those that always are, by name, with options.
    look
        The sender's way to find its region in a picture, for scores that repeat it.

    Raises
    ------
    ValueError
        A score is unknown or cannot be computed here, or its value is NaN or outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semcom.importance.maps import importance
    >>> original = np.full((64, 64, 3), 100, dtype=np.uint8)
    >>> found = score(original, original + np.uint8(1), importance([], 64, 64))
    >>> round(found["psnr_db"], 2), found["region_psnr_db"]  # there is no region
    (48.13, None)
    """
    scored = Scored(importance, look)
    return {spec: value_of(spec, original, received, scored) for spec in (*ALWAYS, *also)}
