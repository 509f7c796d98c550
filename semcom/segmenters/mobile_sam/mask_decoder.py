"""SAM's mask decoder for many prompts on one image, from MobileSAM's own weights.

The reference decoder (``mobile_sam.modeling.MaskDecoder``, arXiv:2304.02643, appendix A) projects
4096 image vectors per prompt seven times, and upscales the image of every prompt before it is known
whether the mask is needed. Here the same function is computed in another order:

* with 7 tokens but 4096 image vectors, the projections of queries, keys, values and output are
  applied to the tokens: ``(y Wq)(t Wk)ᵀ = y (Wq Wkᵀ tᵀ)``;
* the first layer's image vectors are the same for all prompts and are not repeated;
* the image vectors keep their channels last, so that both upscaling steps are plain matrix
  products, and only the finished masks are put into image order;
* predicted IoUs need only the tokens: :func:`attend` computes them, and :func:`masks` is called
  only for the masks that are needed.

Results equal the reference's up to rounding. Shapes: B prompts, T tokens, N = 64² image vectors,
C = 256 channels, H heads of d channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam
    from mobile_sam.modeling.transformer import Attention


class Decoded(NamedTuple):
    """The decoder's state before any mask is made."""

    mask_tokens: Tensor
    """(B, 4, C): the single-mask token, then the three of the multimask output."""
    vectors: Tensor
    """(B, N, C): the image vectors of each prompt."""
    iou: Tensor
    """(B, 4): predicted IoU of each mask, not clipped."""

    def only(self, i: int) -> Decoded:
        """Return prompt ``i`` alone; upscaling one prompt at a time fits the processor's caches."""
        return Decoded(*(x[i : i + 1] for x in self))


def attend(model: Sam, features: Tensor, sparse: Tensor) -> Decoded:
    """Run the two-way transformer.

    Parameters
    ----------
    model
        MobileSAM in eval mode.
    features
        Image embedding, float32 (1, C, 64, 64).
    sparse
        Prompt embeddings, float32 (B, 2, C).
    """
    decoder, encoder = model.mask_decoder, model.prompt_encoder
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    prompt = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
    pe = encoder.get_dense_pe().flatten(2).mT
    vectors = features.flatten(2).mT + encoder.no_mask_embed.weight  # (1, N, C)
    tokens = prompt
    for layer in decoder.transformer.layers:
        if layer.skip_first_layer_pe:
            tokens = layer.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            q = tokens + prompt
            tokens = tokens + layer.self_attn(q=q, k=q, v=tokens)
        tokens = layer.norm1(tokens)
        placed = vectors + pe
        read = _read(layer.cross_attn_token_to_image, tokens + prompt, placed, vectors)
        tokens = layer.norm2(tokens + read)
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        vectors = layer.norm4(
            _write(layer.cross_attn_image_to_token, placed, tokens + prompt, tokens, vectors)
        )
    last = decoder.transformer.final_attn_token_to_image
    read = _read(last, tokens + prompt, vectors + pe, vectors)
    tokens = decoder.transformer.norm_final_attn(tokens + read)
    return Decoded(tokens[:, 1:5], vectors, decoder.iou_prediction_head(tokens[:, 0]))


def masks(model: Sam, decoded: Decoded) -> Tensor:
    """Compute all four masks of every prompt in ``decoded``.

    Returns
    -------
    Tensor
        Logits, float32 (B, 4, 256, 256), over the padded square.
    """
    decoder = model.mask_decoder
    first, norm, gelu, second, _ = decoder.output_upscaling
    b, n, _ = decoded.vectors.shape
    x = _double(first, decoded.vectors).view(b, 4 * n, -1)
    x = gelu(nn.functional.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps))
    x = gelu(_double(second, x)).view(b, 16 * n, -1)
    hyper = [m(decoded.mask_tokens[:, i]) for i, m in enumerate(decoder.output_hypernetworks_mlps)]
    logits = torch.stack(hyper, dim=1) @ x.mT
    side = round(n**0.5)
    # The order of pixels is (row, column, half row, half column, quarter row, quarter column).
    logits = logits.view(b, -1, side, side, 2, 2, 2, 2).permute(0, 1, 2, 4, 6, 3, 5, 7)
    square: Tensor = logits.reshape(b, -1, 4 * side, 4 * side)
    return square


def _double(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """Apply a 2×2 transposed convolution of stride 2, (B, N, C) → (B, N, 4·C'), as a product."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    assert layer.bias is not None
    return nn.functional.linear(x, weight, layer.bias.repeat(4))


def _read(attention: Attention, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return ``attention(q=tokens, k=keys, v=values)``, with the image as keys and values."""
    b, t, c = tokens.shape
    h = attention.num_heads
    q = attention.q_proj(tokens).view(b, t, h, -1) * (attention.internal_dim // h) ** -0.5
    # The keys' bias shifts all logits of a token equally, which softmax ignores.
    q = torch.einsum("bthd,hdc->bhtc", q, attention.k_proj.weight.view(h, -1, c))
    weights = (q.reshape(b, h * t, c) @ keys.mT).softmax(-1)
    read = (weights @ values).view(b, h, t, c)
    read = torch.einsum("bhtc,hdc->bthd", read, attention.v_proj.weight.view(h, -1, c))
    out: Tensor = attention.out_proj(read.flatten(2) + attention.v_proj.bias)
    return out


def _write(
    attention: Attention, queries: Tensor, keys: Tensor, values: Tensor, vectors: Tensor
) -> Tensor:
    """Return ``vectors + attention(q=queries, k=keys, v=values)``; tokens are keys and values."""
    b, t, c = keys.shape
    h = attention.num_heads
    k = attention.k_proj(keys).view(b, t, h, -1) * (attention.internal_dim // h) ** -0.5
    v = attention.v_proj(values).view(b, t, h, -1)
    bias = torch.einsum("bthd,hd->bht", k, attention.q_proj.bias.view(h, -1))
    k = torch.einsum("bthd,hdc->bhtc", k, attention.q_proj.weight.view(h, -1, c))
    v = torch.einsum("bthd,chd->bhtc", v, attention.out_proj.weight.view(c, h, -1))
    logits = k.reshape(b, h * t, c) @ queries.mT + bias.reshape(b, h * t, 1)
    weights = logits.view(b, h, t, -1).softmax(2).view(b, h * t, -1)
    start = (vectors + attention.out_proj.bias).expand(b, -1, -1)
    return torch.baddbmm(start, weights.mT, v.reshape(b, h * t, c))
