"""Detectors with random weights and few of them, as folders of the hub's form, with a tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from semcom.checkpoints.transformers_models import import_transformers

WORDS = ("the", "a", "dog", "rider", "red", "horse", ".", "of", "photo", "unicorn")


def tokenizer(hf: Any, *, clip: bool) -> Any:
    """Return a tokenizer of some words, framed by two special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=8 if clip else 64,
    )


def save_owlv2(folder: Path) -> Path:
    """Write an OWLv2 that sees 64×64 pixels in patches of 16."""
    hf = import_transformers()
    shared = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config = hf.Owlv2Config(
        text_config={
            **shared,
            "num_attention_heads": 2,
            "vocab_size": 20,
            "max_position_embeddings": 8,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={**shared, "num_attention_heads": 2, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    model = varied(lambda: hf.Owlv2ForObjectDetection(config))
    for head in (model.box_head, model.class_head.logit_scale):  # else all boxes have no width
        for tensor in head.state_dict().values():
            tensor *= 0.1
    pictures = hf.Owlv2ImageProcessor(size={"height": 64, "width": 64})
    _save(folder, model, hf.Owlv2Processor(pictures, tokenizer(hf, clip=True)))
    return folder


def save_grounding_dino(folder: Path) -> Path:
    """Write a Grounding DINO of ten queries."""
    hf = import_transformers()
    backbone = hf.SwinConfig(
        window_size=4,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        image_size=64,
        out_features=["stage2", "stage3", "stage4"],
    )
    text = hf.BertConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        vocab_size=20,
        max_position_embeddings=64,
    )
    config = hf.GroundingDinoConfig(
        backbone_config=backbone,
        text_config=text,
        d_model=32,
        encoder_layers=2,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        num_queries=10,
        max_text_len=16,
        encoder_n_points=2,
        decoder_n_points=2,
        position_embedding_type="sine",
    )
    model = varied(lambda: hf.GroundingDinoForObjectDetection(config))
    pictures = hf.GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    _save(folder, model, hf.GroundingDinoProcessor(pictures, tokenizer(hf, clip=False)))
    return folder


def varied(build: Any) -> Any:
    """Build a network in which every tensor counts, the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build().eval()
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor += 0.1 * torch.randn(tensor.shape)
    return model


def _save(folder: Path, model: Any, processor: Any) -> None:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
