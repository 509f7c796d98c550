"""QR and bar codes, read by the package ``zxing-cpp``."""

from __future__ import annotations

from typing import Any

import numpy as np

from semcom.types import Image


def find_codes(image: Image) -> list[Any]:
    """Find and read the codes in a picture (H, W, 3) uint8, as the package's results."""
    import zxingcpp

    # The package takes arrays for OpenCV's, whose first channel is blue.
    found: list[Any] = zxingcpp.read_barcodes(np.ascontiguousarray(image[..., ::-1]))
    return found
