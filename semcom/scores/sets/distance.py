"""FID and KID between the originals and the received pictures, on patches of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from semcom.errors import InputError
from semcom.scores.sets.frechet import frechet_distance
from semcom.scores.sets.kernel import kernel_distance
from semcom.scores.sets.patches import SIDE
from semcom.types import Image

LEAST_PATCHES = 4
"""Patches of a set, so that two subsets of KID can differ."""


@dataclass(frozen=True)
class SetDistance:
    """How far a set of received pictures is from the originals; lower is better.

    Examples
    --------
    >>> few = SetDistance(fid=12.3, kid=0.004, kid_std=0.001, num_patches=500, num_features=2048)
    >>> few.caveat[:45]
    '500 patches are fewer than the 2048 features '
    """

    fid: float
    """Fréchet Inception Distance, at least 0 (:mod:`semcom.scores.sets.frechet`)."""
    kid: float
    """Kernel Inception Distance (:mod:`semcom.scores.sets.kernel`); sets that are alike may have
    slightly less than 0."""
    kid_std: float
    """Standard deviation of KID over its subsets."""
    num_patches: int
    """Number of patches of the smaller set."""
    num_features: int
    """Number of features of a patch."""

    @property
    def caveat(self) -> str:
        """What to bear in mind about the values, in words; empty if there is nothing."""
        if self.num_patches >= self.num_features:
            return ""
        return (
            f"{self.num_patches} patches are fewer than the {self.num_features} features of each, "
            "so that FID is too high, and KID too low, unless the sets are equal: compare them "
            "only with those of as many patches"
        )


def set_distance(
    originals: Iterable[Image], received: Iterable[Image], *, patch: int = SIDE, weights: str = ""
) -> SetDistance:
    """Compute FID and KID between two sets of pictures.

    Parameters
    ----------
    originals, received
        Pictures, (H, W, 3) uint8 each. Their sizes and the order do not matter.
    patch
        Side in pixels of the patches that the pictures are cut into, on two grids
        (:mod:`semcom.scores.sets.patches`); 0 takes whole pictures. The network sees each patch
        resized to 299x299 pixels.
    weights
        File with the weights of the network (:mod:`semcom.scores.sets.inception`); empty for the
        official one, a file of 96 MB that is fetched on first use.

    Raises
    ------
    ValueError
        A set has fewer than four patches, a picture is smaller than a patch, the package
        torch-fidelity is missing (extra ``scores``), or the weights are damaged, of another
        network, or cannot be fetched.
    """
    from semcom.scores.sets.inception import features_of, inception

    network = inception(weights)
    pair = (features_of(pictures, network, patch=patch) for pictures in (originals, received))
    return distance_of(*pair)


def distance_of(originals: NDArray[Any], received: NDArray[Any]) -> SetDistance:
    """Compute FID and KID from features, (N, D) float, with a patch in each row.

    Raises
    ------
    ValueError
        A set has fewer than four patches.
    """
    number = min(len(originals), len(received))
    if number < LEAST_PATCHES:
        raise InputError(
            f"FID and KID compare sets of {LEAST_PATCHES} patches or more, and there are {number}"
        )
    fid = frechet_distance(originals, received)
    kid, kid_std = kernel_distance(originals, received)
    return SetDistance(fid, kid, kid_std, number, originals.shape[1])
