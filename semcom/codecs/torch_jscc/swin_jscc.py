"""WITT's and SwinJSCC's architecture, from its description, for weights that people hold.

A Swin transformer leads from pixels to tokens at 1/2, 1/4, 1/8 and 1/16 of the resolution, and a
mirrored one leads back. Each token of the last stage becomes ``latents`` real numbers, so that the
CBR is ``latents / 1536`` with four stages. With ``adaptive``, seven gates multiply the tokens of
both ends by what the SNR asks for. Names of parts are those of the public files of weights.

References
----------
K. Yang et al., "WITT: A Wireless Image Transmission Transformer for Semantic Communications",
arXiv:2211.00937; K. Yang et al., "SwinJSCC: Taming Swin Transformer for Deep Joint Source-Channel
Coding", arXiv:2308.09361; Z. Liu et al., "Swin Transformer", arXiv:2103.14030, for the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from semcom.codecs.torch_jscc.swin_modulator import Modulator

_MLP = 4  # hidden units of a block, in units of its width
_BLOCKED = -100.0  # what keeps tokens of other windows from attention


class Shape(NamedTuple):
    """The size of a network; ``widths``, ``depths`` and ``heads`` are of the encoder's stages."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    """Side of the windows, in tokens."""
    latents: int
    """Of each token; 0: those of the last stage themselves, without a layer after it."""


class _Attention(nn.Module):
    """Attention within windows, with a bias for each relative position."""

    def __init__(self, width: int, window: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        at = torch.cartesian_prod(torch.arange(window), torch.arange(window))
        apart = at[:, None] - at[None] + window - 1
        index = apart[..., 0] * (2 * window - 1) + apart[..., 1]
        self.register_buffer("index", index, persistent=False)
        self.index: Tensor

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map the tokens of windows, (N, T, C); ``mask`` is added for each window, (W, T, T)."""
        count, size, width = tokens.shape
        parts = self.qkv(tokens).reshape(count, size, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.index].permute(2, 0, 1)[None]
        if mask is not None:
            bias = bias + mask.repeat(count // len(mask), 1, 1)[:, None]
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        shown: Tensor = self.proj(seen.transpose(1, 2).reshape(count, size, width))
        return shown


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, _MLP * width), nn.Linear(_MLP * width, width)

    def forward(self, x: Tensor) -> Tensor:
        shown: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return shown


class _Block(nn.Module):
    """Attention and an MLP; every second block shifts its windows by half of their side."""

    def __init__(self, width: int, window: int, heads: int, *, shifted: bool) -> None:
        super().__init__()
        self.window, self.shift = window, window // 2 if shifted else 0
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = _Attention(width, window, heads), _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, H, W, C), whose sides are multiples of the window's."""
        sides = x.shape[1:3]
        tokens, mask = self.norm1(x), None
        if self.shift:
            tokens = tokens.roll((-self.shift, -self.shift), (1, 2))
            mask = _border(sides, self.window, self.shift).to(x.device)
        seen = self.attn(_windows(tokens, self.window), mask)
        seen = _joined(seen, sides, self.window)
        if self.shift:
            seen = seen.roll((self.shift, self.shift), (1, 2))
        x = x + seen
        shown: Tensor = x + self.mlp(self.norm2(x))
        return shown


def _windows(x: Tensor, window: int) -> Tensor:
    """Cut tokens (B, H, W, C) into windows, (N, window², C)."""
    batch, height, width, channels = x.shape
    cut = x.reshape(batch, height // window, window, width // window, window, channels)
    return cut.transpose(2, 3).reshape(-1, window * window, channels)


def _joined(windows: Tensor, sides: Sequence[int], window: int) -> Tensor:
    """Put windows together again, (B, H, W, C)."""
    rows, columns = (side // window for side in sides)
    grid = windows.reshape(-1, rows, columns, window, window, windows.shape[-1])
    return grid.transpose(2, 3).reshape(-1, *sides, windows.shape[-1])


def _border(sides: Sequence[int], window: int, shift: int) -> Tensor:
    """Return what keeps tokens apart that a shift by a torus has brought together, (W, T, T)."""
    rows, columns = (
        torch.bucketize(torch.arange(side), torch.tensor([side - window, side - shift]), right=True)
        for side in sides
    )
    area = 3 * rows[:, None] + columns[None]
    kind = _windows(area[None, :, :, None], window)[..., 0]
    return _BLOCKED * (kind[:, :, None] != kind[:, None, :]).float()


class _Down(nn.Module):
    """Four neighbours become one token."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * before), nn.Linear(4 * before, after, False)

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        cut = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
        four = cut.permute(0, 1, 3, 4, 2, 5).reshape(batch, height // 2, width // 2, 4 * channels)
        shown: Tensor = self.reduction(self.norm(four))
        return shown


class _Up(nn.Module):
    """One token becomes four."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm, self.increment = nn.LayerNorm(before), nn.Linear(before, 4 * after, False)

    def forward(self, x: Tensor) -> Tensor:
        made = self.increment(self.norm(x)).permute(0, 3, 1, 2)
        return functional.pixel_shuffle(made, 2).permute(0, 2, 3, 1)


class _Stage(nn.Module):
    """Some blocks, with a change of resolution before or after them."""

    def __init__(
        self,
        block: tuple[int, int, int],
        depth: int,
        *,
        down: nn.Module | None = None,
        up: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.downsample, self.upsample = down, up
        self.blocks = nn.ModuleList(_Block(*block, shifted=bool(i % 2)) for i in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        if self.downsample is not None:
            x = self.downsample(x)
        for block in self.blocks:
            x = block(x)
        return x if self.upsample is None else self.upsample(x)


class _End(nn.Module):
    """What both ends have: stages, a head, and a modulator, by the SNR unless said otherwise."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bm_list, self.sm_list = Modulator.of(width)
        self.layers = nn.ModuleList()

    def gated(self, x: Tensor, snr_db: float) -> Tensor:
        """Multiply tokens (B, H, W, C) by what the SNR asks for."""
        return x * Modulator(self.bm_list, self.sm_list).factors(x, snr_db)


class _Embed(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, 2, 2)


class Encoder(_End):
    """From pixels to tokens, and the layer after them."""

    def __init__(self, shape: Shape) -> None:
        widths, window = shape.widths, shape.window
        super().__init__(widths[-1])
        self.patch_embed = _Embed(widths[0])
        befores = (None, *widths[:-1])
        for before, width, depth, heads in zip(
            befores, widths, shape.depths, shape.heads, strict=True
        ):
            down = _Down(before, width) if before else None
            self.layers.append(_Stage((width, window, heads), depth, down=down))
        self.norm = nn.LayerNorm(widths[-1])
        self.head_list = nn.Linear(widths[-1], shape.latents) if shape.latents else nn.Identity()

    def tokens(self, image: Tensor) -> Tensor:
        """Return the tokens (B, H/2ⁿ, W/2ⁿ, C) of an image (B, 3, H, W)."""
        x = self.patch_embed.proj(image).permute(0, 2, 3, 1)
        for stage in self.layers:
            x = stage(x)
        shown: Tensor = self.norm(x)
        return shown


class Decoder(_End):
    """The layer before tokens, and from them to pixels."""

    def __init__(self, shape: Shape) -> None:
        widths, window = shape.widths[::-1], shape.window
        super().__init__(widths[0])
        self.head_list = nn.Linear(shape.latents, widths[0]) if shape.latents else nn.Identity()
        afters = (*widths[1:], 3)
        for width, after, depth, heads in zip(
            widths, afters, shape.depths[::-1], shape.heads[::-1], strict=True
        ):
            self.layers.append(_Stage((width, window, heads), depth, up=_Up(width, after)))

    def picture(self, x: Tensor) -> Tensor:
        """Return the picture (B, 3, H, W) of tokens."""
        for stage in self.layers:
            x = stage(x)
        return x.permute(0, 3, 1, 2)


class SwinJscc(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    shape
        Its size.
    adaptive
        Whether both ends are told the SNR: WITT, and SwinJSCC with channel adaptation.

    Examples
    --------
    >>> network = SwinJscc(Shape((8, 16), (2, 2), (2, 2), window=2, latents=12)).eval()
    >>> with torch.inference_mode():
    ...     latents = network.encode(torch.zeros(1, 3, 32, 48), snr_db=10.0)
    ...     shown = network.decode(latents, snr_db=10.0)
    >>> latents.shape, shown.shape
    (torch.Size([1, 8, 12, 12]), torch.Size([1, 3, 32, 48]))
    """

    def __init__(self, shape: Shape, *, adaptive: bool = True) -> None:
        super().__init__()
        self.adaptive = adaptive
        self.multiple = shape.window * 2 ** len(shape.widths)
        """Sides of pictures are multiples of this."""
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)

    def encode(self, image: Tensor, snr_db: float) -> Tensor:
        """Return latents (B, H/2ⁿ, W/2ⁿ, latents) of an image (B, 3, H, W)."""
        end = self.encoder
        x = end.tokens(image)
        latents: Tensor = end.head_list(end.gated(x, snr_db) if self.adaptive else x)
        return latents

    def decode(self, latents: Tensor, snr_db: float) -> Tensor:
        """Return the picture (B, 3, H, W) of received latents."""
        end = self.decoder
        x = end.head_list(latents)
        return end.picture(end.gated(x, snr_db) if self.adaptive else x)
