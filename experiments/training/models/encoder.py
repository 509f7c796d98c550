"""What is distilled: a small encoder for MobileSAM's decoder, after the embeddings of a teacher."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from experiments.saving import save
from experiments.training.embeddings import keep_embeddings
from experiments.training.protocol import Batch
from experiments.training.refining import Material
from semcom.errors import InputError
from semcom.images import load_image
from semcom.segmenters.mobile_sam import mask_decoder
from semcom.segmenters.mobile_sam.embedding import (
    Embedding,
    embed_prompts,
    to_input,
)
from semcom.segmenters.mobile_sam.encoder import PREFIX, EncoderSize, build_encoder, set_training
from semcom.segmenters.mobile_sam.network import (
    build_model,
    import_mobile_sam,
    prepare_encoder,
)
from semcom.segmenters.overlap import iou
from semcom.segmenters.sam_teacher import SamTeacher, decoder_state
from semcom.types import Prompts

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam

VALIDATION_IMAGES = 12
POINTS_PER_SIDE = 4


def decoder_of(teacher: SamTeacher) -> dict[str, Tensor]:
    """Return the weights of a teacher's prompt encoder and mask decoder, on the CPU.

    Whatever else it gives is left out, and numbers of reduced precision become float32.
    """
    state = {name: x.detach().cpu() for name, x in decoder_state(teacher.decoder_state()).items()}
    reduced = torch.bfloat16, torch.float16
    return {name: x.float() if x.dtype in reduced else x.clone() for name, x in state.items()}


class EncoderTrainee:
    """An encoder that learns the embeddings of a teacher, whose decoder it will have.

    The loss is the mean squared error of the embedding (arXiv:2306.14289, section 3.2), padding
    included. Each image is seen once before any is seen again.

    Parameters
    ----------
    material
        What it is trained on; the embeddings are kept in its folder.
    teacher
        Gives the embeddings, and the decoder, which is not trained.
    size
        The size of the encoder.
    start
        Weights of the encoder to start from; without them it is random.

    Raises
    ------
    ValueError
        What the teacher gives is no embedding, or no decoder, of SAM.
    """

    name = "the student"

    def __init__(
        self,
        material: Material,
        teacher: SamTeacher,
        size: EncoderSize,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        import_mobile_sam()
        torch.manual_seed(material.seed)
        network = build_encoder(size)
        if start:
            network.load_state_dict(start)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)
        self._decoder = decoder_of(teacher)
        try:
            self._sam = build_model(self._state(self.network))
        except InputError as error:
            raise InputError(
                f"the decoder of {teacher.provenance} is not SAM's: {error}"
            ) from error
        folder, images, _, self._seed, tell = material
        self._paths = images.training
        shown = min(VALIDATION_IMAGES, len(images.validation))
        self._shown = images.validation[:: len(images.validation) // shown][:shown]
        self._targets, self._shown_targets = (
            keep_embeddings(
                folder / name, paths, teacher, functools.partial(tell, f"{name}: embeddings")
            )
            for name, paths in (("training", self._paths), ("validation", self._shown))
        )

    def _state(self, network: nn.Module) -> dict[str, Tensor]:
        """Return all weights of the segmenter: this encoder, and the teacher's decoder."""
        encoder = {PREFIX + name: x.detach().cpu() for name, x in network.state_dict().items()}
        return encoder | self._decoder

    def batch(self, index: int, size: int) -> Batch:
        """Return images as the encoder takes them, and the teacher's embeddings of them."""
        inputs, targets = [], []
        for i in draw(index, size, len(self._paths), self._seed):
            image, _ = load_image(self._paths[i])
            inputs.append(to_input(self._sam, image)[0])
            targets.append(torch.from_numpy(self._targets[i].astype(np.float32)))
        x = torch.cat(inputs).contiguous(memory_format=torch.channels_last)
        return x, torch.stack(targets)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean squared error of the embeddings."""
        x, target = batch
        return nn.functional.mse_loss(network(x).float(), target)

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return how near the embeddings and the masks are to the teacher's.

        ``embedding dB``: the ratio of the variance of the teacher's channels to the error, so that
        constants, however good, have 0 dB at most. ``mask IoU``: between the masks that points of a
        grid mark with either embedding. A point has three masks; the one that is best with the
        teacher's embedding is compared.
        """
        # The original stays on the CPU, where other processes make batches with it.
        encoder, student = copy.deepcopy(network), copy.deepcopy(self._sam)
        prepare_encoder(encoder)
        student.image_encoder = encoder
        student.to(device)
        set_training(network)  # the loop has put it in eval mode, and goes on with it
        power = error = 0.0
        overlaps: list[float] = []
        for path, kept in zip(self._shown, self._shown_targets, strict=True):
            target = torch.from_numpy(kept.astype(np.float32))[None].to(device)
            image, _ = load_image(path)
            with torch.inference_mode():
                x, input_size = to_input(student, image)
                height, width = image.shape[:2]
                found = Embedding(student.image_encoder(x), (height, width), input_size)
                power += float(target.var(dim=(2, 3), correction=0).mean())
                error += float((found.features - target).square().mean())
                overlaps += _overlaps(student, found, found._replace(features=target))
        decibels = 10 * np.log10(max(power, 1e-12) / max(error, 1e-12))
        return {"embedding dB": float(decibels), "mask IoU": float(np.mean(overlaps))}

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write encoder and decoder as ``mobile_sam:weights=FILE`` reads them."""
        state = {name: tensor.contiguous() for name, tensor in self._state(network).items()}
        save(file, to_safetensors(state, dict(metadata)))


def draw(index: int, size: int, count: int, seed: int) -> list[int]:
    """Return the images of a step: each of ``count`` comes once in each round, in random order.

    Examples
    --------
    >>> rounds = [i for step in range(6) for i in draw(step, 2, 4, seed=0)]
    >>> [sorted(rounds[start : start + 4]) for start in (0, 4, 8)]
    [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    """
    found = []
    for place in range(index * size, (index + 1) * size):
        order = np.random.default_rng((seed, 1 << 20, place // count)).permutation(count)
        found.append(int(order[place % count]))
    return found


def _overlaps(sam: Sam, student: Embedding, teacher: Embedding) -> list[float]:
    """Return the IoU of the masks of each point, at the size of the logits."""
    height, width = student.image_size
    centres = (np.arange(POINTS_PER_SIDE) + 0.5) / POINTS_PER_SIDE
    points = tuple((float(x * width), float(y * height)) for y in centres for x in centres)
    rows, columns = (math.ceil(side / 4) for side in student.input_size)  # the rest is padding
    found = []
    for point in points:
        sparse = embed_prompts(sam, student, Prompts(points=(point,)))
        ours, theirs = (
            mask_decoder.attend(sam, one.features, sparse) for one in (student, teacher)
        )
        best = 1 + int(theirs.iou[0, 1:].argmax())
        a, b = (
            (mask_decoder.masks(sam, one)[0, best, :rows, :columns] > 0).cpu().numpy()
            for one in (ours, theirs)
        )
        found.append(iou(a, b) if a.any() or b.any() else 1.0)
    return found
