"""A sender's way to find its region, to be used on another picture of the same size."""

from __future__ import annotations

from collections.abc import Callable

from semcom.importance.ranking import choose
from semcom.importance.region import RegionOptions, Select, find_region
from semcom.sizes import Size
from semcom.types import Image, Region


def looking(
    options: RegionOptions, *, select: Select = choose, shrunk_from: Size | None = None
) -> Callable[[Image], Region]:
    """Return a function that finds the region of a picture as :func:`find_region` does.

    Examples
    --------
    >>> import numpy as np
    >>> from semcom.types import Prompts
    >>> image = np.full((96, 96, 3), 40, dtype=np.uint8)
    >>> image[32:64, 24:56] = (220, 40, 40)  # a red square on a dark ground
    >>> look = looking(RegionOptions("graph", Prompts(points=((40, 48),))))
    >>> int(look(image).sum())
    1024
    """

    def look(image: Image) -> Region:
        found = find_region(image, options, select=select, shrunk_from=shrunk_from)
        return found.importance.region

    return look
