"""Small SAM networks with seeded random weights, to distil."""

from __future__ import annotations

import torch
from safetensors.torch import save_file

from semcom.segmenters.mobile_sam.encoder import EncoderSize, build_encoder
from semcom.segmenters.mobile_sam.network import import_mobile_sam
from semcom.segmenters.sam_teacher import EMBEDDING_SHAPE

TEACHER = EncoderSize((16, 24, 32, 48), (1, 1, 1, 1), (1, 1, 1))
STUDENT = EncoderSize((8, 12, 16, 24), (1, 1, 1, 1), (1, 1, 1))


def state_of(size, seed=7):
    """Draw all weights of a SAM with an encoder of this size; each of them counts."""
    import_mobile_sam()
    from mobile_sam.build_sam import build_sam_vit_t

    rng = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sam = build_sam_vit_t()
        sam.image_encoder = build_encoder(size)
    state = {
        name: x + 0.03 * torch.randn(x.shape, generator=rng)
        if x.is_floating_point() and not name.endswith("running_var")
        else x
        for name, x in sam.state_dict().items()
    }
    state["mask_decoder.iou_prediction_head.layers.2.bias"] += 0.8
    return state


def save_teacher(file, size=TEACHER, seed=7):
    save_file(state_of(size, seed), file)
    return f"mobile_sam:weights={file}"


class FakeTeacher:
    """Gives each image an embedding that says how bright it is, and counts what it was asked."""

    provenance = "fake"

    def __init__(self, shape=(1, *EMBEDDING_SHAPE), value=None, stop_after=10**9):
        self.shape, self.value, self.stop_after, self.asked = shape, value, stop_after, 0

    def embed_image(self, image):
        if self.asked == self.stop_after:
            raise KeyboardInterrupt
        self.asked += 1
        return torch.full(self.shape, self.value if self.value else float(image.mean()) / 255)

    def decoder_state(self):
        return {}
