"""MobileSAM's logits as a differentiable function of the image's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from semcom.segmenters.mobile_sam import mask_decoder as decoder
from semcom.segmenters.mobile_sam.embedding import Embedding, embed_prompts
from semcom.types import Prompts

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam


def logits(model: Sam, image: Tensor, prompts: Prompts) -> Tensor:
    """Return the logits of one mask for each prompt, points first.

    The image is resized by torch and not by PIL, so that gradients reach its pixels; the two agree
    to less than a grey level.

    Parameters
    ----------
    model
        MobileSAM in eval mode.
    image
        (3, H, W) float32, 0 to 255.
    prompts
        Points and boxes, at least one.

    Returns
    -------
    Tensor
        (B, H, W) float32; the mask is where they are positive. Of a point's three masks, it is the
        one of highest predicted IoU.
    """
    height, width = image.shape[1:]
    scale = model.image_encoder.img_size / max(height, width)
    size = tuple(max(1, int(side * scale + 0.5)) for side in (height, width))
    resized = functional.interpolate(
        image[None].to(model.device), size=size, mode="bilinear", antialias=True
    )
    x = model.preprocess(resized).contiguous(memory_format=torch.channels_last)
    embedding = Embedding(model.image_encoder(x), (height, width), (size[0], size[1]))
    decoded = decoder.attend(model, embedding.features, embed_prompts(model, embedding, prompts))
    found = []
    for i in range(len(decoded.iou)):
        is_point = i < len(prompts.points)
        best = 1 + int(decoded.iou[i, 1:].argmax()) if is_point else 0
        low = decoder.masks(model, decoded.only(i))[:, best : best + 1]
        full = model.postprocess_masks(low, embedding.input_size, embedding.image_size)
        found.append(full[0, 0])
    return torch.stack(found)
