"""The Swin transformer of WITT and SwinJSCC, against attention written out token by token."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from semcom.codecs.torch_jscc.swin_jscc import Shape, SwinJscc


def random_network(window=4, widths=(8, 12), seed=0):
    torch.manual_seed(seed)
    network = SwinJscc(Shape(widths, (2, 2), (2, 4), window, 24)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def part(at, side, window, shift):
    """The window of a place, and on which side of the border of the torus it is."""
    moved = (at - shift) % side
    return moved // window, moved % window, (moved >= side - shift) if shift else False


@pytest.mark.parametrize("which", [0, 1], ids=["in place", "shifted"])
def test_tokens_see_their_own_window_only(which):
    """Scores q·k/√d plus the bias of the relative position, over the window's own tokens."""
    block = random_network().encoder.layers[0].blocks[which]
    height, width, heads, window, shift = 8, 12, 2, 4, 2 * which
    x = torch.randn(1, height, width, 8)
    with torch.inference_mode():
        tokens = block.norm1(x)[0].reshape(-1, 8)
        parts = block.attn.qkv(tokens).reshape(-1, 3, heads, 4).numpy().astype(float)
        q, k, v = parts.transpose(1, 2, 0, 3)
        table = block.attn.relative_position_bias_table.numpy()
        places = list(itertools.product(range(height), range(width)))
        seen = np.zeros((len(places), 8))
        for i, here in enumerate(places):
            mine = [part(a, s, window, shift) for a, s in zip(here, (height, width), strict=True)]
            near = []
            for j, there in enumerate(places):
                other = [
                    part(a, s, window, shift) for a, s in zip(there, (height, width), strict=True)
                ]
                if all(m[0] == o[0] and m[2] == o[2] for m, o in zip(mine, other, strict=True)):
                    apart = [m[1] - o[1] + window - 1 for m, o in zip(mine, other, strict=True)]
                    near.append((j, apart[0] * (2 * window - 1) + apart[1]))
            for h in range(heads):
                scores = np.array([q[h, i] @ k[h, j] / 2 + table[at, h] for j, at in near])
                shares = np.exp(scores - scores.max())
                value = shares @ np.array([v[h, j] for j, _ in near]) / shares.sum()
                seen[i, 4 * h : 4 * h + 4] = value
        proj = block.attn.proj(torch.from_numpy(seen).float()).reshape(x.shape)
        middle = x + proj
        expected = middle + block.mlp(block.norm2(middle))
        assert torch.allclose(block(x), expected, atol=1e-4)


def test_down_and_up_keep_the_places_of_pixels():
    """Merging reads, and its mirror writes, the pixel of row r and column c of each 2x2."""
    network = random_network()
    down, up = network.encoder.layers[1].downsample, network.decoder.layers[1].upsample
    x = torch.randn(1, 4, 6, 8)
    with torch.inference_mode():
        four = torch.cat([x[:, r::2, c::2] for c in (0, 1) for r in (0, 1)], dim=-1)
        assert torch.allclose(down(x), down.reduction(down.norm(four)), atol=1e-6)
        tokens = torch.randn(1, 2, 3, 8)
        made = up.increment(up.norm(tokens)).reshape(1, 2, 3, 3, 2, 2)
        shown = up(tokens)
        for r, c in itertools.product((0, 1), (0, 1)):
            assert torch.allclose(shown[:, r::2, c::2], made[..., r, c], atol=1e-6)


def test_pictures_of_any_multiple_go_both_ways():
    network = random_network()
    assert network.multiple == 16
    for height, width in ((16, 16), (32, 48)):
        with torch.inference_mode():
            latents = network.encode(torch.rand(2, 3, height, width), 10.0)
            assert latents.shape == (2, height // 4, width // 4, 24)
            assert network.decode(latents, 10.0).shape == (2, 3, height, width)
