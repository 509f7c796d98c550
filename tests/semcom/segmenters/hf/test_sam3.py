"""SAM 3 with random weights, beside its own processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcom.checkpoints.transformers_models import import_transformers
from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.sam3 import Sam3
from semcom.types import Prompts
from tests.semcom.detectors.tiny import tokenizer, varied

SIDE = 56
TEXTS = ("a red rider", "the dog")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    hf = import_transformers()
    small = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32}
    layers = {"num_layers": 1, "dropout": 0.0}
    backbone = {**small, "num_hidden_layers": 2, "image_size": SIDE, "window_size": 2}
    backbone |= {"global_attn_indexes": [1], "pretrain_image_size": SIDE, "patch_size": 14}
    config = hf.Sam3Config(
        vision_config={
            "model_type": "sam3_vision_model",
            "backbone_config": {"model_type": "sam3_vit_model", **backbone},
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        },
        text_config={
            **small,
            "num_hidden_layers": 1,
            "vocab_size": 20,
            "max_position_embeddings": 32,
            "projection_dim": 32,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        geometry_encoder_config={**small, **layers},
        detr_encoder_config={**small, **layers},
        detr_decoder_config={**small, **layers, "num_queries": 8},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    made = tmp_path_factory.mktemp("sam3")
    varied(lambda: hf.Sam3Model(config)).save_pretrained(made)
    pictures = hf.Sam3ImageProcessor(size={"height": SIDE, "width": SIDE})
    hf.Sam3Processor(pictures, tokenizer(hf, clip=False)).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def segment(folder: Path) -> Sam3:
    return Sam3(model=str(folder), threshold=0.05)


def test_masks_are_those_of_the_own_processor(segment: Sam3, folder: Path, picture: Any) -> None:
    hf = import_transformers()
    model, processor = (kind.from_pretrained(folder) for kind in (hf.Sam3Model, hf.Sam3Processor))
    found = segment(picture, Prompts(text=TEXTS))
    assert [mask.label for mask in found] == sorted((m.label for m in found), key=TEXTS.index)
    for text in TEXTS:
        inputs = processor(images=picture, text=text, return_tensors="pt")
        with torch.inference_mode():
            out = model(
                pixel_values=inputs["pixel_values"],
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
            )
        (wanted,) = processor.post_process_instance_segmentation(
            out, threshold=0.05, target_sizes=[picture.shape[:2]]
        )
        ours = [mask for mask in found if mask.label == text]
        assert len(ours) == len(wanted["scores"]) > 1
        order = wanted["scores"].argsort(descending=True, stable=True)
        for mask, i in zip(ours, order, strict=True):
            assert mask.score == pytest.approx(float(wanted["scores"][i]), abs=1e-6)
            assert (mask.pixels != wanted["masks"][i].bool().numpy()).mean() < 1e-3


def test_the_region_is_what_the_texts_name(folder: Path, picture: Any) -> None:
    spec = f"sam3:model={folder},threshold=0.05"
    found = find_region(picture, RegionOptions(spec, Prompts(text=TEXTS)))
    assert {mask.label for mask in found.masks} == set(TEXTS)
    assert found.record["segmenter"].startswith(f"{spec} (sha256 ")
    assert "detector" not in found.record
    every = np.any([mask.pixels for mask in found.masks], axis=0)
    assert np.array_equal(found.importance.region, every)


def test_nothing_found_is_said(folder: Path, picture: Any) -> None:
    spec = f"sam3:model={folder},threshold=0.999"
    found = find_region(picture, RegionOptions(spec, Prompts(text="unicorn")))  # type: ignore[arg-type]
    assert found.masks == ()
    assert found.notes[0] == "text 'unicorn': nothing found by the segmenter"
