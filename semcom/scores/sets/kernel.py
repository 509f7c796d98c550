"""The kernel distance of two sets of features, which is KID if the features are Inception's.

It is the squared maximum mean discrepancy with the kernel k(x, y) = (x·y / D + 1)³ of samples in D
dimensions. For subsets of m samples, it is estimated by::

    KID = Σ_{i≠j} (k(xᵢ, xⱼ) + k(yᵢ, yⱼ)) / (m (m − 1)) − 2 Σ_{i,j} k(xᵢ, yⱼ) / m²

and averaged over 100 pairs of subsets that are drawn at random with a fixed seed, as the package
torch-fidelity does, whose code this is.

Reference: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401.

The estimate has no bias if the sets are independent. A received picture depends on its original,
and the last sum contains such pairs: of N samples, KID is too low by 2/N times the difference of k
between the two of a pair and any other two. The KID of an exact copy is therefore below 0.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from semcom.checkpoints.torchvision_import import import_torchvision

SUBSETS = 100
_LARGEST_SUBSET = 1000


def subset_size(num_samples: int) -> int:
    """Return how many samples a subset has: 1000, or else half of the set.

    Examples
    --------
    >>> subset_size(28_650), subset_size(192)
    (1000, 96)
    """
    return min(_LARGEST_SUBSET, num_samples // 2)


def kernel_distance(one: NDArray[Any], other: NDArray[Any]) -> tuple[float, float]:
    """Return mean and standard deviation of the kernel distance over pairs of subsets.

    Parameters
    ----------
    one, other
        (N, D) float, a sample in each row; the sets may have different numbers N of at least four.

    Returns
    -------
    float, float
        The mean may be slightly below 0 for sets that are alike. The standard deviation is that of
        single subsets of :func:`subset_size` samples, and that of the mean is smaller.
    """
    import torch

    import_torchvision()
    from torch_fidelity.metric_kid import (
        KEY_METRIC_KID_MEAN,
        KEY_METRIC_KID_STD,
        kid_features_to_metric,
    )

    found = kid_features_to_metric(
        torch.as_tensor(one),
        torch.as_tensor(other),
        kid_subsets=SUBSETS,
        kid_subset_size=subset_size(min(len(one), len(other))),
        verbose=False,
    )
    return found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]
