"""Random weights with the names and shapes of KeYang8/WITT and semcomm/SwinJSCC."""

from __future__ import annotations

import itertools

import torch


def public_swin(widths, depths, heads, window, latents, *, modulators=("",)):
    """Random weights, buffers included; without latents, those of SwinJSCC with rate adaptation.

    ``modulators`` are the endings of the encoder's lists: ``("", "1")`` with both adaptations.
    """
    torch.manual_seed(0)
    shapes = {"encoder.patch_embed.proj.weight": (widths[0], 3, 2, 2)}
    shapes["encoder.patch_embed.proj.bias"] = (widths[0],)

    def linear(name, after, before, bias=True):
        shapes[f"{name}.weight"] = (after, before)
        shapes.update({f"{name}.bias": (after,)} if bias else {})

    def norm(name, width):
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    def stage(place, width, depth, head):
        for j in range(depth):
            block = f"{place}.blocks.{j}"
            norm(f"{block}.norm1", width)
            norm(f"{block}.norm2", width)
            shapes[f"{block}.attn.relative_position_bias_table"] = ((2 * window - 1) ** 2, head)
            shapes[f"{block}.attn.relative_position_index"] = (window**2, window**2)
            if j % 2:
                shapes[f"{block}.attn_mask"] = (4, window**2, window**2)
            linear(f"{block}.attn.qkv", 3 * width, width)
            linear(f"{block}.attn.proj", width, width)
            linear(f"{block}.mlp.fc1", 4 * width, width)
            linear(f"{block}.mlp.fc2", width, 4 * width)

    def gates(end, width, ending=""):
        hidden = int(1.5 * width)
        for k in range(7):
            linear(f"{end}.bm_list{ending}.{k}.fc.0", hidden, 1)
            linear(f"{end}.bm_list{ending}.{k}.fc.2", hidden, hidden)
            linear(f"{end}.bm_list{ending}.{k}.fc.4", hidden, hidden)
        sizes = [width, *[hidden] * 7, width]
        for k, (before, after) in enumerate(itertools.pairwise(sizes)):
            linear(f"{end}.sm_list{ending}.{k}", after, before)

    for i, about in enumerate(zip(widths, depths, heads, strict=True)):
        stage(f"encoder.layers.{i}", *about)
        if i:
            norm(f"encoder.layers.{i}.downsample.norm", 4 * widths[i - 1])
            linear(f"encoder.layers.{i}.downsample.reduction", widths[i], 4 * widths[i - 1], False)
    for i, (width, depth, head) in enumerate(
        zip(widths[::-1], depths[::-1], heads[::-1], strict=True)
    ):
        stage(f"decoder.layers.{i}", width, depth, head)
        norm(f"decoder.layers.{i}.upsample.norm", width)
        after = [*widths[::-1], 3][i + 1]
        linear(f"decoder.layers.{i}.upsample.increment", 4 * after, width, False)
    norm("encoder.norm", widths[-1])
    if latents:
        linear("encoder.head_list", latents, widths[-1])
        linear("decoder.head_list", widths[-1], latents)
    for ending in modulators:
        gates("encoder", widths[-1], ending)
    gates("decoder", widths[-1])
    shapes["distortion_loss.dist.window"] = (1, 1, 11, 11)  # of a training for MS-SSIM
    return {name: 0.1 * torch.randn(shape) for name, shape in shapes.items()}
