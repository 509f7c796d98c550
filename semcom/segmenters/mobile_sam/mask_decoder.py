"""SAM's mask decoder for many prompts on one image, from MobileSAM's own weights.

The reference decoder (``mobile_sam.modeling.MaskDecoder``, arXiv:2304.02643, appendix A) projects
4096 image vectors per prompt seven times, and upscales the image of every prompt before it is known
whether the mask is needed. Here the same function is computed in another order:

* with 7 tokens but 4096 image vectors, the projections of queries, keys, values and output are
  applied to the tokens: ``(y Wq)(t Wk)ᵀ = y (Wq Wkᵀ tᵀ)``;
* the first layer's image vectors are the same for all prompts: their projections are computed once
  for an image, by :func:`share`;
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


class Shared(NamedTuple):
    """What all prompts on an image have in common."""

    vectors: Tensor
    """(1, N, C): the image vectors before the first layer."""
    pe: Tensor
    """(1, N, C): their places."""
    keys: Tensor
    """(H, N, d): keys of the first attention that reads the image."""
    values: Tensor
    """(H, N, d): its values."""
    queries: Tensor
    """(H, N, d): queries of the first attention that writes to the image."""


def share(model: Sam, features: Tensor) -> Shared:
    """Compute what all prompts on an image have in common, from its embedding (1, C, 64, 64)."""
    encoder, layer = model.prompt_encoder, model.mask_decoder.transformer.layers[0]
    with torch.autocast(features.device.type, enabled=False):  # bfloat16 is too coarse for places
        pe = encoder.get_dense_pe().flatten(2).mT
    vectors = features.flatten(2).mT + encoder.no_mask_embed.weight
    placed = vectors + pe
    read, write = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
    return Shared(
        vectors,
        pe,
        _heads(read.k_proj(placed), read.num_heads),
        _heads(read.v_proj(vectors), read.num_heads),
        _heads(write.q_proj(placed), write.num_heads),
    )


def attend(model: Sam, features: Tensor, sparse: Tensor, shared: Shared | None = None) -> Decoded:
    """Run the two-way transformer.

    Parameters
    ----------
    model
        MobileSAM in eval mode.
    features
        Image embedding, float32 (1, C, 64, 64).
    sparse
        Prompt embeddings, float32 (B, 2, C).
    shared
        What :func:`share` gives for the same embedding; computed here if it is left out.
    """
    decoder = model.mask_decoder
    vectors, pe, *projected = shared or share(model, features)
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    prompt = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
    tokens = prompt
    for layer in decoder.transformer.layers:
        if layer.skip_first_layer_pe:
            tokens = layer.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            q = tokens + prompt
            tokens = tokens + layer.self_attn(q=q, k=q, v=tokens)
        tokens = layer.norm1(tokens)
        reader, writer = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
        first = layer is decoder.transformer.layers[0]
        if first:
            read = _read_shared(reader, tokens + prompt, *projected[:2])
        else:
            placed = vectors + pe
            read = _read(reader, tokens + prompt, placed, vectors)
        tokens = layer.norm2(tokens + read)
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        if first:
            written = _write_shared(writer, projected[2], tokens + prompt, tokens, vectors)
        else:
            written = _write(writer, placed, tokens + prompt, tokens, vectors)
        vectors = layer.norm4(written)
    last = decoder.transformer.final_attn_token_to_image
    read = _read(last, tokens + prompt, vectors + pe, vectors)
    tokens = decoder.transformer.norm_final_attn(tokens + read)
    return Decoded(tokens[:, 1:5], vectors, decoder.iou_prediction_head(tokens[:, 0]).float())


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
    square: Tensor = logits.reshape(b, -1, 4 * side, 4 * side).float()
    return square


def _double(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """Apply a 2×2 transposed convolution of stride 2, (B, N, C) → (B, N, 4·C'), as a product."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    assert layer.bias is not None
    return nn.functional.linear(x, weight, layer.bias.repeat(4))


def _heads(x: Tensor, heads: int) -> Tensor:
    """Divide vectors of one image, (1, N, H·d), among heads, (H, N, d)."""
    return x[0].view(x.shape[1], heads, -1).transpose(0, 1).contiguous()


def _read_shared(attention: Attention, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return ``attention(q=tokens, …)`` with projected keys and values that all prompts share."""
    b, t, _ = tokens.shape
    h, _, d = keys.shape
    q = attention.q_proj(tokens).view(b * t, h, d).transpose(0, 1) * d**-0.5
    read = (q @ keys.mT).softmax(-1) @ values
    out: Tensor = attention.out_proj(read.transpose(0, 1).reshape(b, t, h * d))
    return out


def _write_shared(
    attention: Attention, queries: Tensor, keys: Tensor, values: Tensor, vectors: Tensor
) -> Tensor:
    """Return ``vectors + attention(…)`` with projected queries that all prompts share."""
    b, t, c = keys.shape
    h, _, d = queries.shape
    k = attention.k_proj(keys).view(b, t, h, d).permute(2, 0, 1, 3) * d**-0.5
    logits = k.reshape(h, b * t, d) @ queries.mT
    weights = logits.view(h, b, t, -1).softmax(2).transpose(0, 1).reshape(b, h * t, -1)
    start = (vectors + attention.out_proj.bias).expand(b, -1, -1)
    return torch.baddbmm(start, weights.mT, _projected_values(attention, values, h, c))


def _projected_values(attention: Attention, values: Tensor, h: int, c: int) -> Tensor:
    """Return what each token adds to an image vector, by head, (B, H·T, C)."""
    b, t, _ = values.shape
    v = attention.v_proj(values).view(b, t, h, -1)
    v = torch.einsum("bthd,chd->bhtc", v, attention.out_proj.weight.view(c, h, -1))
    return v.reshape(b, h * t, c)


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
    bias = torch.einsum("bthd,hd->bht", k, attention.q_proj.bias.view(h, -1))
    k = torch.einsum("bthd,hdc->bhtc", k, attention.q_proj.weight.view(h, -1, c))
    logits = k.reshape(b, h * t, c) @ queries.mT + bias.reshape(b, h * t, 1)
    weights = logits.view(b, h, t, -1).softmax(2).view(b, h * t, -1)
    start = (vectors + attention.out_proj.bias).expand(b, -1, -1)
    return torch.baddbmm(start, weights.mT, _projected_values(attention, values, h, c))
