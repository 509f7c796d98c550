"""Full-reference scores of perceived quality, computed by well-kept packages.

FSIM, VIF, GMSD, HaarPSI and MDSI are those of ``piq`` with its default settings on RGB in 0 to 1;
SSIMULACRA 2 is that of the package ``ssimulacra2``. None of them needs weights.

Each takes ``over=region``. The score then compares the received region alone: outside of it, the
received picture is replaced by the original, and both are cut to the region's bounding box. Such a
score is comparable between systems for one region, but not between regions of different shapes,
because the pixels around the region within the box count as perfect.
"""

from __future__ import annotations

import io
import math
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from semcom.errors import InputError
from semcom.scores.base import Scored
from semcom.types import Image, Region

if TYPE_CHECKING:
    from torch import Tensor

OVER = ("picture", "region")


class FullReference(ABC):
    """A score of two pictures alone, over the whole picture or over the region.

    Parameters
    ----------
    over
        ``"picture"`` or ``"region"``.

    Raises
    ------
    ValueError
        ``over`` is something else.
    """

    label: ClassVar[str]
    unit: ClassVar[str] = ""
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    least_side: ClassVar[int] = 16
    """Smallest side of a picture in pixels; a smaller one has no score."""

    def __init__(self, *, over: str = "picture") -> None:
        if over not in OVER:
            raise InputError(f"over must be one of {', '.join(OVER)}, got {over!r}")
        self.over = over

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the score; None for a picture that is too small, or without a region."""
        if self.over == "region":
            if not scored.region.any():
                return None
            original, received = region_only(original, received, scored.region, self.least_side)
        if min(original.shape[:2]) < self.least_side:
            return None
        return self.compare(original, received)

    @abstractmethod
    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures (H, W, 3) uint8."""


def region_only(
    original: Image, received: Image, region: Region, least_side: int
) -> tuple[Image, Image]:
    """Cut both pictures to the region, with no error outside of it.

    Parameters
    ----------
    original, received
        (H, W, 3) uint8.
    region
        (H, W) bool, not empty.
    least_side
        Smallest side of the cut in pixels, as far as the picture allows.

    Examples
    --------
    >>> original, received = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 9, np.uint8)
    >>> region = np.zeros((40, 40), dtype=bool)
    >>> region[10:30, 38:] = True
    >>> one, other = region_only(original, received, region, least_side=16)
    >>> one.shape, int((one != other).any(axis=2).sum()) == int(region.sum())
    ((20, 16, 3), True)
    """
    mixed = np.where(region[..., None], received, original)
    box = []
    for axis, size in enumerate(region.shape):
        used = np.flatnonzero(region.any(axis=1 - axis))
        first, last = int(used[0]), int(used[-1]) + 1
        first = max(0, min(first, size - least_side))
        box.append(slice(first, min(size, max(last, first + least_side))))
    rows, columns = box
    return np.ascontiguousarray(original[rows, columns]), np.ascontiguousarray(mixed[rows, columns])


def as_tensor(image: Image) -> Tensor:
    """Convert a picture (H, W, 3) uint8 to a tensor (1, 3, H, W) float32, 0 to 1."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float() / 255


class _ByPiq(FullReference):
    """A function of ``piq``."""

    function: ClassVar[str]

    def compare(self, original: Image, received: Image) -> float:
        """Call the function of piq of that name."""
        import torch

        from semcom.checkpoints.torchvision_import import import_torchvision

        import_torchvision()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of piq's own use of torch and of its downloads
            import piq

            with torch.inference_mode():
                pair = as_tensor(original), as_tensor(received)
                return float(getattr(piq, self.function)(*pair, data_range=1.0))


class Fsim(_ByPiq):
    """FSIM with colour (Zhang et al., IEEE TIP 2011, DOI 10.1109/TIP.2011.2109730)."""

    label, function = "FSIM", "fsim"


class Vif(_ByPiq):
    """VIF in the pixel domain (Sheikh and Bovik, IEEE TIP 2006, DOI 10.1109/TIP.2005.859378).

    More contrast than in the original gives more than 1.
    """

    label, function = "VIF", "vif_p"
    range, least_side = (0.0, math.inf), 41


class Gmsd(_ByPiq):
    """GMSD (Xue et al., IEEE TIP 2014, DOI 10.1109/TIP.2013.2293423); 0 for equal pictures."""

    label, function, better = "GMSD", "gmsd", "lower"


class HaarPsi(_ByPiq):
    """HaarPSI (Reisenhofer et al., Signal Processing: Image Communication 2018).

    It weights places by their edges, of which a black picture has none; equal pictures have 1.
    """

    label, function = "HaarPSI", "haarpsi"

    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures."""
        return 1.0 if np.array_equal(original, received) else super().compare(original, received)


class Mdsi(_ByPiq):
    """MDSI (Ziaei Nafchi et al., IEEE Access 2016); 0 for equal pictures."""

    label, function, better = "MDSI", "mdsi", "lower"


class Ssimulacra2(FullReference):
    """SSIMULACRA 2.1 (Sneyers, Cloudinary 2023), by the package ``ssimulacra2``."""

    label, range = "SSIMULACRA 2", (-math.inf, 100.0)

    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures; the package reads files."""
        from PIL import Image as PilImage
        from ssimulacra2 import compute_ssimulacra2

        files = io.BytesIO(), io.BytesIO()
        for file, image in zip(files, (original, received), strict=True):
            PilImage.fromarray(image).save(file, "PNG", compress_level=0)
        return float(compute_ssimulacra2(*files))
