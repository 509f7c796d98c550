"""MobileSAM's network against its reference, with random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semcom.segmenters.mobile_sam import mask_decoder, segmenter
from semcom.segmenters.mobile_sam.encoder import (
    PREFIX,
    SIZES,
    EncoderSize,
    build_encoder,
    size_of,
)
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.mobile_sam.segmenter import Embedding
from semcom.types import Mask, Prompts
from tests.semcom.segmenters.mobile_sam.pictures import BOX, POINT, SEED, smooth_image


@pytest.fixture(scope="module")
def reference(state: dict[str, torch.Tensor]) -> Any:
    """Build the reference's predictor of the same weights."""
    from mobile_sam import SamPredictor
    from mobile_sam.build_sam import build_sam_vit_t

    sam = build_sam_vit_t()
    sam.load_state_dict(state)
    return SamPredictor(sam.eval())


@pytest.mark.parametrize(("height", "width"), [(1100, 1500), (301, 97)])
def test_masks_equal_the_references(model: Any, reference: Any, height: int, width: int) -> None:
    image = smooth_image(height, width)
    embedding = segmenter.embed(model, image)
    reference.set_image(image)
    torch.testing.assert_close(embedding.features, reference.features, rtol=1e-3, atol=1e-3)

    point, box = (0.7 * width, 0.4 * height), (0.1 * width, 0.2 * height, 0.6 * width, 0.9 * height)
    ours = segmenter.segment_prompts(model, embedding, Prompts((point,), (box,)))
    masks, iou, _ = reference.predict(np.array([point]), np.array([1]))
    _assert_same(ours[0], masks[iou.argmax()], iou.max())
    masks, iou, _ = reference.predict(box=np.array(box), multimask_output=False)
    _assert_same(ours[1], masks[0], iou[0])


def _assert_same(ours: Mask, mask: NDArray[np.bool_], iou: float) -> None:
    assert ours.pixels.shape == mask.shape
    assert ours.pixels.dtype == np.bool_
    assert 0.02 < mask.mean() < 0.98, "a mask that is trivial proves nothing"
    assert (ours.pixels != mask).mean() < 1e-3
    assert ours.score == pytest.approx(min(1, max(0, iou)), abs=1e-4)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (3, 4000)])
def test_any_size_is_segmented(model: Any, height: int, width: int) -> None:
    embedding = segmenter.embed(model, smooth_image(height, width))
    found = segmenter.segment_prompts(model, embedding, Prompts(((width - 1.0, height - 1.0),)))
    assert [mask.pixels.shape for mask in found] == [(height, width)]
    assert embedding.features.isfinite().all()


def test_decoder_equals_the_references(model: Any, embedding: Embedding) -> None:
    prompts = Prompts(points=(POINT, (3.0, 160.0)), boxes=(BOX,))
    with torch.inference_mode():
        sparse = segmenter.embed_prompts(model, embedding, prompts)
        decoded = mask_decoder.attend(model, embedding.features, sparse)
        logits = mask_decoder.masks(model, decoded)
        dense = model.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(3, -1, 64, 64)
        pe = model.prompt_encoder.get_dense_pe()
        expected = model.mask_decoder.predict_masks(embedding.features, pe, sparse, dense)
        for i in range(3):
            alone = mask_decoder.attend(model, embedding.features, sparse[i : i + 1])
            torch.testing.assert_close(alone.iou, decoded.iou[i : i + 1], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(alone.vectors[0], decoded.vectors[i], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits, expected[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(decoded.iou, expected[1], rtol=1e-4, atol=1e-5)
    assert (logits[0] - logits[1]).abs().max() > 100 * (logits - expected[0]).abs().max()


def test_one_mask_per_prompt_in_order_and_repeatable(model: Any, embedding: Embedding) -> None:
    points = tuple((float(x), 40.0 + x / 9) for x in range(10, 240, 40))
    prompts = Prompts(points=points, boxes=(BOX, (0.0, 0.0, 251.0, 167.0)))
    found = segmenter.segment_prompts(model, embedding, prompts)
    again = segmenter.segment_prompts(model, embedding, prompts)
    assert len(found) == len(points) + 2
    for mask, twin in zip(found, again, strict=True):
        np.testing.assert_array_equal(mask.pixels, twin.pixels)
        assert mask.score == twin.score
    singles = [Prompts(points=(p,)) for p in points] + [Prompts(boxes=(b,)) for b in prompts.boxes]
    for mask, single in zip(found, singles, strict=True):
        (alone,) = segmenter.segment_prompts(model, embedding, single)
        assert (mask.pixels != alone.pixels).mean() < 1e-3
        assert mask.score == pytest.approx(alone.score, abs=1e-4)


def test_random_weights_follow_the_seed_and_leave_torch_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (build_model(seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_an_encoder_of_another_size_is_built_from_its_tensors(
    state: dict[str, torch.Tensor],
) -> None:
    size = EncoderSize((8, 12, 32, 24), (1, 2, 1, 1), (2, 4, 3), (3, 6, 5), classes=7)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        encoder = build_encoder(size).eval()
    rest = {name: x for name, x in state.items() if not name.startswith(PREFIX)}
    small = {PREFIX + name: x for name, x in encoder.state_dict().items()} | rest
    assert size_of(small) == size
    assert size_of(state) == SIZES["mobile_sam"]
    x = torch.rand(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(SEED))
    with torch.inference_mode():
        found, expected = build_model(small).image_encoder(x), encoder(x)
    assert found.shape == (1, 256, 64, 64)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("layers.1.blocks.0.attn.attention_biases", (3, 49)),  # heads that do not divide the width
        ("layers.1.blocks.0.attn.attention_biases", ()),
        ("patch_embed.seq.2.c.weight", (1 << 20, 0)),
        ("head.weight", (1 << 40, 0)),
    ],
)
def test_tensors_of_a_stranger_tell_no_size(
    state: dict[str, torch.Tensor], name: str, shape: tuple[int, ...]
) -> None:
    strange = torch.empty(shape)
    assert size_of(state | {PREFIX + name: strange}) is None
    with pytest.raises(ValueError, match="the checkpoint is not MobileSAM's"):
        build_model(state | {PREFIX + name: strange})


def test_weights_that_are_not_finite_are_refused(state: dict[str, torch.Tensor]) -> None:
    name = "mask_decoder.iou_token.weight"
    with pytest.raises(ValueError, match=f"{name} holds NaN"):
        build_model(state | {name: torch.full_like(state[name], torch.nan)})
