"""What a segmenter with SAM's interface gives, so that another encoder can learn from it.

SAM (arXiv:2304.02643) is an image encoder, whose embedding serves any number of prompts, and a
prompt encoder with a mask decoder. In MobileSAM's decoupled distillation (arXiv:2306.14289), a
small encoder learns the embeddings of a large one, and takes over the rest as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from semcom.types import Image

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDING_SHAPE = (256, 64, 64)
DECODER_PARTS = ("prompt_encoder.", "mask_decoder.")


class SamTeacher(Protocol):
    """A segmenter whose encoder can be distilled by ``semcom distill``."""

    provenance: str
    """The network and its weights, with digits of their hash."""

    def embed_image(self, image: Image) -> Tensor:
        """Return the embedding of ``image`` (H, W, 3) uint8.

        Float, (1, 256, 64, 64): the image is resized to a long side of 1024, normalised, and padded
        with zeros at the bottom or the right.
        """
        ...

    def decoder_state(self) -> Mapping[str, Tensor]:
        """Return the weights of prompt encoder and mask decoder.

        Their names are those of the official checkpoints: ``prompt_encoder.…``, ``mask_decoder.…``.
        """
        ...


def decoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Choose the prompt encoder's and the mask decoder's weights among those of a whole SAM."""
    return {name: tensor for name, tensor in state.items() if name.startswith(DECODER_PARTS)}
