"""Importance in CompressAI's hyperprior models: latents are scaled before they are rounded.

A latent that is multiplied by a gain above 1 is rounded more finely in its own units. The decoder
knows the gains, expects means and scales that are as much larger, and divides. The networks stay
as they were trained. The same is done with learned gains for each rate by Cui et al., "Asymmetric
Gained Deep Image Compression With Continuous Rate Adaptation", CVPR 2021, arXiv:2003.02012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from compressai.models import CompressionModel

MODELS = ("bmshj2018-hyperprior", "mbt2018-mean")
"""Models whose latents can be scaled: all that is known of them comes from the hyperprior."""


def compress(network: CompressionModel, x: Tensor, gains: Tensor) -> list[bytes]:
    """Return the strings of an image: of the latents, and of the hyperprior.

    Parameters
    ----------
    network
        One of ``MODELS``.
    x
        The image, (1, 3, H, W) with values from 0 to 1; H and W are multiples of 64.
    gains
        Gains of the latents, (H/16, W/16), above 0.
    """
    y = network.g_a(x)
    z = network.h_a(y if _has_means(network) else y.abs())
    side = network.entropy_bottleneck.compress(z)
    z_hat = network.entropy_bottleneck.decompress(side, z.shape[-2:])
    scales, means = _expected(network, z_hat, gains)
    conditional = network.gaussian_conditional
    indexes = conditional.build_indexes(scales)
    (string,), (about,) = conditional.compress(y * gains, indexes, means), side
    return [string, about]


def decompress(
    network: CompressionModel, strings: list[list[bytes]], shape: tuple[int, int], gains: Tensor
) -> Tensor:
    """Return the image (1, 3, H, W), from 0 to 1; ``shape`` is that of the hyperprior's latents."""
    z_hat = network.entropy_bottleneck.decompress(strings[1], shape)
    scales, means = _expected(network, z_hat, gains)
    conditional = network.gaussian_conditional
    indexes = conditional.build_indexes(scales)
    y_hat = conditional.decompress(strings[0], indexes, z_hat.dtype, means)
    shown: Tensor = network.g_s(y_hat / gains).clamp_(0, 1)
    return shown


def _has_means(network: CompressionModel) -> bool:
    from compressai.models import MeanScaleHyperprior

    return isinstance(network, MeanScaleHyperprior)


def _expected(network: Any, z_hat: Tensor, gains: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return scales and means of scaled latents."""
    parameters = network.h_s(z_hat)
    if not _has_means(network):
        return parameters * gains, None
    scales, means = parameters.chunk(2, 1)
    return scales * gains, means * gains
