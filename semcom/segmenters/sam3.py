"""SAM 3: all objects in the picture that a text names.

Reference: "SAM 3: Segment Anything with Concepts", arXiv:2511.16719. The weights are gated: the
user accepts the licence on their page and has a token. Points, boxes and everything without a
prompt are not what this network is for; the segmenter ``hf`` does that.
"""

from __future__ import annotations

import numpy as np
import torch

from semcom.checkpoints.hub_model import HubModel
from semcom.errors import InputError
from semcom.types import Image, Mask, Prompts


class Sam3(HubModel):
    """The segmenter ``sam3``.

    Parameters
    ----------
    model, revision, threshold, device
        See :class:`semcom.checkpoints.hub_model.HubModel`.
    """

    name = "sam3"
    architectures = {"sam3": "Sam3Model", "sam3_video": "Sam3Model"}  # noqa: RUF012 - never written to
    processor_class = "Sam3Processor"
    takes_text = True

    def __init__(
        self,
        *,
        model: str = "facebook/sam3",
        revision: str = "",
        threshold: float = 0.5,
        device: str = "cpu",
    ) -> None:
        super().__init__(model, revision, threshold, device)

    @torch.inference_mode()
    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Find the objects in ``image`` (H, W, 3) uint8 that the texts of ``prompts`` name.

        They come in the order of the texts, those of one text by descending score.
        """
        if prompts.points or prompts.boxes:
            raise InputError("segmenter 'sam3' takes texts, not points or boxes")
        if not prompts.text:
            raise InputError("segmenter 'sam3' needs a text that names what to look for")
        network, processor = self.network, self.processor
        pictures = processor(images=np.array(image), return_tensors="pt")
        seen = network.get_vision_features(pixel_values=pictures["pixel_values"].to(self.device))
        masks: list[Mask] = []
        for text in prompts.text:
            words = processor(text=text, return_tensors="pt").to(self.device)
            out = network(vision_embeds=seen, **words)
            (found,) = processor.post_process_instance_segmentation(
                out, threshold=self.threshold, target_sizes=[image.shape[:2]]
            )
            scores = found["scores"].cpu()
            for i in scores.argsort(descending=True, stable=True).tolist():
                pixels = found["masks"][i].bool().cpu().numpy()
                masks.append(Mask(pixels, float(scores[i]), text))
        return masks
