"""MobileSAM's embeddings of an image and of prompts, the inputs of the mask decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from semcom.types import Image, Prompts

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam


class Embedding(NamedTuple):
    """The decoder's input for an image, shared by all prompts."""

    features: Tensor
    """(1, 256, 64, 64) float32, over the image padded to a square at the bottom or the right."""
    image_size: tuple[int, int]
    """Height and width of the image in pixels."""
    input_size: tuple[int, int]
    """Height and width after resizing the long side to 1024."""


@torch.inference_mode()
def embed(model: Sam, image: Image) -> Embedding:
    """Encode ``image``, (H, W, 3) uint8 of any size, resized to a long side of 1024."""
    height, width = image.shape[:2]
    x, input_size = to_input(model, image)
    return Embedding(model.image_encoder(x).float(), (height, width), input_size)


def to_input(model: Sam, image: Image) -> tuple[Tensor, tuple[int, int]]:
    """Return the encoder's input, (1, 3, 1024, 1024), and the size of the image in it."""
    height, width = image.shape[:2]
    scale = model.image_encoder.img_size / max(height, width)
    h, w = (max(1, int(side * scale + 0.5)) for side in (height, width))
    resized = PIL.Image.fromarray(image).resize((w, h), PIL.Image.Resampling.BILINEAR)
    x = torch.from_numpy(np.array(resized)).to(model.device).permute(2, 0, 1)[None]
    return model.preprocess(x).contiguous(memory_format=torch.channels_last), (h, w)


def embed_prompts(model: Sam, embedding: Embedding, prompts: Prompts) -> Tensor:
    """Embed points, then boxes, as (B, 2, 256): point and padding, or two corners."""
    (height, width), (h, w) = embedding.image_size, embedding.input_size
    points = np.reshape(prompts.points, (-1, 1, 2)) * (w / width, h / height)
    boxes = np.reshape(prompts.boxes, (-1, 2, 2)) * (w / width, h / height)
    xy = torch.as_tensor(points, dtype=torch.float32, device=model.device)
    corners = torch.as_tensor(boxes, dtype=torch.float32, device=model.device)
    label = torch.ones(xy.shape[:2], device=model.device)
    with torch.autocast(model.device.type, enabled=False):  # bfloat16 is too coarse for places
        by_point, _ = model.prompt_encoder(points=(xy, label), boxes=None, masks=None)
        by_box, _ = model.prompt_encoder(points=None, boxes=corners, masks=None)
    return torch.cat([by_point, by_box])
