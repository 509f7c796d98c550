"""TinyViT, MobileSAM's image encoder, in the published size and in smaller ones.

Reference: Wu et al., "TinyViT", arXiv:2207.10666, as ``mobile_sam`` has it: (B, 3, 1024, 1024) to
(B, 256, 64, 64). The size of an encoder follows from the shapes of its tensors, so that a file of
weights needs no description.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

if TYPE_CHECKING:
    from mobile_sam.modeling import TinyViT

PREFIX = "image_encoder."
"""What the names of the encoder's tensors begin with, among those of the whole network."""
_MOST_WIDTH, _MOST_DEPTH = 1024, 64


class EncoderSize(NamedTuple):
    """The size of an encoder: a stage of convolutions, and three of attention."""

    widths: tuple[int, int, int, int]
    """Channels of each stage."""
    depths: tuple[int, int, int, int]
    """Blocks of each stage."""
    heads: tuple[int, int, int]
    """Heads of each stage of attention, which divide its channels."""
    windows: tuple[int, int, int] = (7, 14, 7)
    """Side of the windows within which each stage attends."""
    classes: int = 0
    """Outputs of the classifier, which is not used; the published checkpoint has one."""


SIZES = {
    "mobile_sam": EncoderSize((64, 128, 160, 320), (2, 2, 6, 2), (4, 5, 10), classes=1000),
    "small": EncoderSize((32, 64, 96, 160), (2, 2, 4, 2), (2, 3, 5)),
    "tiny": EncoderSize((16, 32, 64, 96), (1, 1, 2, 1), (1, 2, 3)),
}
"""The published size, with 6.1 million parameters (5.7 without the classifier), and smaller ones,
with 1.9 and 0.9 million."""


def build_encoder(size: EncoderSize) -> TinyViT:
    """Build an encoder with random weights, drawn from torch's generator, in training mode.

    The package must be importable: :func:`semcom.segmenters.mobile_sam.network.build_model`.
    """
    from mobile_sam.modeling import TinyViT

    encoder = TinyViT(
        img_size=1024,
        num_classes=size.classes,
        embed_dims=list(size.widths),
        depths=list(size.depths),
        num_heads=[1, *size.heads],
        window_sizes=[1, *size.windows],
        drop_path_rate=0.0,
    )
    # TinyViT keeps the resolution before its last stage for the widths 320, 448 and 576 only.
    encoder.layers[2].downsample.conv2.c.stride = (1, 1)
    return encoder


def set_training(encoder: nn.Module) -> None:
    """Set the training mode.

    An attention of TinyViT keeps its biases in a buffer ``ab`` in eval mode; ``train`` removes it
    if it is there, and otherwise makes it. Then no running average would fit the network.
    """
    encoder.train()
    for module in encoder.modules():
        if hasattr(module, "ab"):
            del module.ab


def size_of(tensors: Mapping[str, Tensor]) -> EncoderSize | None:
    """Read the size of an encoder off its tensors; None if they are not those of a TinyViT."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    stages = [f"{PREFIX}layers.{i}." for i in range(4)]
    try:
        first = shapes[f"{PREFIX}patch_embed.seq.2.c.weight"][0]
        others = (shapes[f"{stages[i]}downsample.conv1.c.weight"][0] for i in range(3))
        biases = [shapes[f"{stage}blocks.0.attn.attention_biases"] for stage in stages[1:]]
        heads, windows = zip(*((shape[0], isqrt(shape[1])) for shape in biases), strict=True)
        classes = shapes.get(f"{PREFIX}head.weight", (0,))[0]
    except (KeyError, IndexError):
        return None
    depths = tuple(_blocks(shapes, stage) for stage in stages)
    size = EncoderSize((first, *others), depths, heads, windows, classes)  # type: ignore[arg-type]
    return size if _is_sound(size) else None


def _blocks(names: Mapping[str, object], stage: str) -> int:
    matches = (re.match(rf"{re.escape(stage)}blocks\.(\d{{1,3}})\.", name) for name in names)
    return 1 + max((int(match[1]) for match in matches if match), default=-1)


def _is_sound(size: EncoderSize) -> bool:
    """Tell whether a network of this size can be built; tensors of a stranger may say anything."""
    return (
        all(2 <= width <= _MOST_WIDTH for width in size.widths)
        and all(1 <= depth <= _MOST_DEPTH for depth in size.depths)
        and all(
            h >= 1 and width % h == 0 for h, width in zip(size.heads, size.widths[1:], strict=True)
        )
        and all(1 <= window <= 64 for window in size.windows)
        and size.classes <= 1 << 16
    )
