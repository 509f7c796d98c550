"""Networks of the SAM family with random weights and few of them, as folders of the hub's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from semcom.checkpoints.transformers_models import import_transformers

SIDE = 128
FAMILIES = ("sam", "sam_hq", "sam2", "edgetam")
_DECODER = {
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_attention_heads": 2,
    "iou_head_hidden_dim": 32,
}

_TRACKER = {
    "memory_attention_hidden_size": 32,
    "memory_attention_feed_forward_hidden_size": 32,
    "memory_attention_num_layers": 1,
    "memory_encoder_hidden_size": 32,
    "memory_encoder_output_channels": 16,
    "mask_downsampler_embed_dim": 32,
    "memory_fuser_embed_dim": 32,
    "memory_fuser_intermediate_dim": 32,
    "memory_fuser_num_layers": 1,
}
_PERCEIVER = {
    "perceiver_resampler_hidden_size": 16,
    "perceiver_resampler_mlp_intermediate_size": 32,
    "perceiver_resampler_num_layers": 1,
}


def build(family: str, *, seed: int = 0) -> Any:
    """Return a network in eval mode of one of ``FAMILIES``, whose tensors all count."""
    make = {"sam": _sam, "sam_hq": _sam_hq, "sam2": _sam2, "edgetam": _edgetam}[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make(import_transformers()).eval()
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and "running" not in name:
                tensor += 0.1 * torch.randn(tensor.shape)
        # As far apart as the segments that points are to tell.
        model.mask_decoder.iou_prediction_head.proj_out.bias.data += 0.8
    return model


def save_video(family: str, folder: Path) -> Path:
    """Write the weights of ``sam2`` or ``edgetam`` as the hub has them: those of a tracker."""
    hf = import_transformers()
    name = {"sam2": "Sam2Video", "edgetam": "EdgeTamVideo"}[family]
    parts = build(family)
    config = getattr(hf, f"{name}Config")(
        vision_config=parts.config.vision_config,
        prompt_encoder_config=parts.config.prompt_encoder_config.to_dict(),
        mask_decoder_config=parts.config.mask_decoder_config.to_dict(),
        image_size=SIDE,
        **_TRACKER,
        **(_PERCEIVER if family == "edgetam" else {}),
    )
    tracker = getattr(hf, f"{name}Model")(config)
    tracker.load_state_dict(parts.state_dict(), strict=False)
    tracker.save_pretrained(folder)
    return folder


def save(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a network to a folder, without the files of a processor."""
    build(family, seed=seed).save_pretrained(folder)
    return folder


def _sam(hf: Any) -> Any:
    return hf.SamModel(_first_config(hf, "Sam"))


def _sam_hq(hf: Any) -> Any:
    return hf.SamHQModel(_first_config(hf, "SamHQ", vit_dim=32))


def _first_config(hf: Any, name: str, **decoder: Any) -> Any:
    vision = getattr(hf, f"{name}VisionConfig")(
        hidden_size=32,
        output_channels=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        window_size=4,
        global_attn_indexes=[1],
        num_pos_feats=16,
        mlp_dim=64,
    )
    prompts = getattr(hf, f"{name}PromptEncoderConfig")(
        hidden_size=32, image_size=SIDE, image_embedding_size=SIDE // 16
    )
    masks = getattr(hf, f"{name}MaskDecoderConfig")(**_DECODER, **decoder)
    return getattr(hf, f"{name}Config")(
        vision_config=vision.to_dict(),
        prompt_encoder_config=prompts.to_dict(),
        mask_decoder_config=masks.to_dict(),
    )


def _sam2(hf: Any) -> Any:
    backbone = hf.Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[8, 4, 4, 4],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    return hf.Sam2Model(_second_config(hf, "Sam2", backbone, [64, 32, 16, 8]))


def _edgetam(hf: Any) -> Any:
    about = {
        "in_chans": 3,
        "features_only": True,
        "out_indices": [0, 1, 2, 3],
        "embed_dim": [8, 16, 16, 32],
        "depth": [1, 1, 1, 1],
    }
    backbone = hf.TimmWrapperConfig(architecture="repvit_m1", model_args=about)
    return hf.EdgeTamModel(_second_config(hf, "EdgeTam", backbone, [32, 16, 16, 8]))


def _second_config(hf: Any, name: str, backbone: Any, channels: list[int]) -> Any:
    vision = getattr(hf, f"{name}VisionConfig")(
        backbone_config=backbone.to_dict(),
        backbone_channel_list=channels,
        backbone_feature_sizes=[[SIDE // 4] * 2, [SIDE // 8] * 2, [SIDE // 16] * 2],
        fpn_hidden_size=32,
    )
    prompts = getattr(hf, f"{name}PromptEncoderConfig")(hidden_size=32, image_size=SIDE)
    masks = getattr(hf, f"{name}MaskDecoderConfig")(**_DECODER)
    return getattr(hf, f"{name}Config")(
        vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=masks
    )
