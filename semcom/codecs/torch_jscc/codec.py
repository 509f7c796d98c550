"""Users' own networks as a codec: any ``nn.Module`` that maps images to symbols and back.

Whatever the network, the rules are those of every codec: mean power 1 for each picture, two real
values are one channel use, and all that the decoder needs beside the symbols is sent and paid for:

    identity of the network (4 bytes) │ root mean square of its symbols, if not constant (4) │
    number of axes, plus 128 if all symbols are 0 (1) │ axes (4 each) │
    if the encoder makes side bits: their number for each image (4) │ these bits, eight in a byte │
    deflate: importance of cells, if the decoder takes a mask

The picture is padded by its border to a multiple of ``multiple`` pixels, or cut into patches. The
receiver divides by the gain of each symbol, as a network that was trained without fading expects,
but attenuates symbols that are mostly noise.

Leaves out: training (``docs/tutorials/your-own-network.md`` shows one).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.parts.cells import deflate, inflate, levels_of
from semcom.codecs.torch_jscc.habits import as_symbols
from semcom.codecs.torch_jscc.network import NetworkError
from semcom.codecs.torch_jscc.opening import (
    IDENTITY_BYTES,
    Opened,
    Options,
    check,
    latents_of,
    open_network,
    opened_networks,
)
from semcom.codecs.torch_jscc.pictures import equalised, joined, patches_of, pixels_of, to_values
from semcom.errors import InputError
from semcom.types import AnalogSignal, Image, Map, Packet

_ZERO = 0x80  # all symbols are 0, whatever was sent in their place
_SCALE, _COUNT = struct.Struct(">f"), struct.Struct(">I")


class TorchJscc:
    """A network of the user's.

    Parameters
    ----------
    module
        ``package.module:Class`` or ``file.py:Class``: an ``nn.Module`` with ``encode`` and
        ``decode``, or with parts ``encoder`` and ``decoder`` (see
        :mod:`semcom.codecs.torch_jscc.network`); two names with ``+`` between them are encoder and
        decoder. Without it, the network is rebuilt from the names of its weights. A codec with
        neither decodes only: it finds the networks that its process has opened.
    weights
        Its ``state_dict``, of ``torch.save`` or safetensors; read without running code.
    values
        Pixels as the network sees them: ``unit``, 0 to 1, or ``signed``, −1 to 1.
    multiple
        Height and width are padded to a multiple of this; 0: of the network's own attribute
        ``multiple``, or else of 16.
    patch
        Side of the square patches that the network sees; 0: the whole picture.
    power
        Mean power of a complex symbol that the decoder was trained for; 0: that of the encoder. If
        that depends on the picture, it is sent, and paid for.
    adaptive
        Whether a network that is rebuilt from its weights is told the SNR, if it can be.
    device
        Device of the network in this process: ``cpu``, ``cuda``, …

    Raises
    ------
    ValueError
        An option is unknown or out of range, or the network breaks the contract.

    Examples
    --------
    >>> codec = TorchJscc(module="semcom.codecs.torch_jscc.deep_jscc:DeepJscc")
    >>> image = grey(32, 48)
    >>> signal = codec.encode(image, np.ones((32, 48), dtype=np.float32), 4608, 10.0)
    >>> len(signal.symbols)  # 16 real latents for each 4x4 pixels
    768
    """

    analog: Literal[True] = True

    def __init__(
        self,
        *,
        module: str = "",
        weights: str = "",
        values: str = "unit",
        multiple: int = 0,
        patch: int = 0,
        power: float = 0.0,
        adaptive: bool = True,
        device: str = "cpu",
    ) -> None:
        options = Options(module, weights, values, multiple, patch, power, adaptive, device)
        check(options)
        self._network = None
        if module or weights:
            self._network = open_network(options)
        self.steerable = bool(self._network and self._network.network.steerable)

    def remarks(self) -> tuple[str, ...]:
        """Return in words how the network counts power, noise and bandwidth."""
        return self._network.trial.remarks if self._network else ()

    def least_symbols(self, height: int, width: int) -> int:
        """Return the number of symbols that the encoder makes of an image of this size.

        An encoder that takes ``num_symbols`` is asked with one allowed. If it fails, it is 1.
        """
        opened = self._named()
        try:
            latents = latents_of(opened, height, width, 1)
        except NetworkError:
            if opened.network.adapts:
                return 1
            raise
        values = _patches(opened, height, width) * math.prod(latents)
        return values if opened.trial.is_complex else -(-values // 2)

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Send what the encoder makes; see :class:`AnalogCodec`."""
        options, network, trial, identity = self._named()
        height, width = image.shape[:2]
        levels = levels_of(w)
        shown_mask = pixels_of(levels, height, width) if network.sends_mask else w
        images = patches_of(to_values(image, options.values), options.multiple, options.patch)
        masks = patches_of(torch.from_numpy(shown_mask)[None], options.multiple, options.patch)
        latents, bits = network.encode(images, snr_db, masks, max(1, num_symbols // len(images)))
        symbols = as_symbols(latents)
        if len(symbols) > num_symbols:
            raise InputError(
                f"torch_jscc: {network.name} makes {len(symbols):,} symbols of {width}x{height} "
                f"pixels, CBR {len(symbols) / image.size:.4g}, but {num_symbols:,} are allowed"
            )
        shape = latents.shape[1:]
        described = deflate(levels) if network.sends_mask else b""
        if network.sends_bits:
            packed = np.packbits(bits.numpy()).tobytes()
            described = _COUNT.pack(bits.shape[1]) + packed + described
        rms = float(symbols.abs().square().mean().sqrt())
        if not rms:  # a black picture: any symbols will do, since the receiver scales them by 0
            symbols = torch.ones_like(symbols)
        axes = struct.pack(f">B{len(shape)}I", len(shape) | (0 if rms else _ZERO), *shape)
        scale = b"" if options.power or trial.power else _SCALE.pack(rms)
        side = (Packet(identity + scale + axes + described),)
        return AnalogSignal(symbols / (rms or 1.0), side, {"symbols": len(symbols)})

    def _named(self) -> Opened:
        if self._network is None:
            raise InputError("torch_jscc: name a network: torch_jscc:module=package.module:Class")
        return self._network

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Show what the decoder makes; see :class:`AnalogCodec`."""
        packet = only_packet("torch_jscc", side)
        if packet is None:
            return grey(height, width)
        opened = opened_networks.get(packet[:IDENTITY_BYTES])
        if opened is None:
            raise DecodeError("torch_jscc: the network of this packet is not open here")
        options, network, trial, _ = opened
        body, scale = packet[IDENTITY_BYTES:], math.sqrt(options.power or trial.power)
        if not scale:
            if len(body) < _SCALE.size:
                raise DecodeError("torch_jscc: side information is cut off")
            (scale,), body = _SCALE.unpack_from(body), body[_SCALE.size :]
            if not 0 <= scale < math.inf:
                raise DecodeError(f"torch_jscc: no picture has the scale {scale}")
        if body and body[0] & _ZERO:
            scale, body = 0.0, bytes([body[0] & ~_ZERO]) + body[1:]
        shape, bits, mask = _unpack(body, opened, height, width)
        masks = patches_of(mask[None], options.multiple, options.patch)
        count = len(masks) * math.prod(shape)
        latents = equalised(y, h, noise_var)
        latents = scale * latents
        if len(y) == -(-count // 2):
            latents = torch.view_as_real(latents).reshape(-1)[:count]
        elif len(y) != count:
            raise DecodeError(f"torch_jscc: {len(y)} symbols do not fill {len(masks)} x {shape}")
        gains = (h.abs().square() / noise_var.clamp(min=1e-9)).mean()
        snr_db = float(10 * torch.log10(gains.clamp(min=1e-3)))
        side_of = masks.shape[2:]
        try:
            latents = latents.reshape(len(masks), *shape)
            shown = network.decode(latents, snr_db, masks, bits, side_of)
        except NetworkError as error:
            if not network.sends_bits and tuple(shape) == latents_of(opened, height, width):
                raise
            raise DecodeError(str(error)) from error  # its encoder has not made what arrived
        if options.values == "signed":
            shown = (shown + 1) / 2
        whole = joined(shown, options.patch, height, width)
        pixels = (255 * whole).round().clamp(0, 255).to(torch.uint8)
        return pixels[:, :height, :width].permute(1, 2, 0).contiguous().numpy()


def _patches(opened: Opened, height: int, width: int) -> int:
    patch = opened.options.patch
    return math.prod(-(-side // patch) for side in (height, width)) if patch else 1


def _unpack(
    body: bytes, opened: Opened, height: int, width: int
) -> tuple[tuple[int, ...], Tensor, Tensor]:
    """Read the axes of a batch item's latents, side bits (B, n), and the mask (height, width)."""
    network, images = opened.network, _patches(opened, height, width)
    axes = body[0] if body else 0
    end = 1 + 4 * axes
    if not axes or len(body) < end:
        raise DecodeError("torch_jscc: side information is cut off")
    shape = struct.unpack(f">{axes}I", body[1:end])
    bits, body = torch.zeros(images, 0, dtype=torch.bool), body[end:]
    if network.sends_bits:
        bits, body = _unpack_bits(body, images)
    if not network.sends_mask:
        if body:
            raise DecodeError("torch_jscc: side information is too long")
        return shape, bits, torch.ones(height, width)
    levels = inflate("torch_jscc", body, np.int8, height, width)
    return shape, bits, torch.from_numpy(pixels_of(levels, height, width))


def _unpack_bits(body: bytes, images: int) -> tuple[Tensor, bytes]:
    """Read side bits, bool (images, n); return what follows them as well."""
    if len(body) < _COUNT.size:
        raise DecodeError("torch_jscc: side information is cut off")
    (count,), body = _COUNT.unpack_from(body), body[_COUNT.size :]
    size = -(-images * count // 8)
    if len(body) < size:
        raise DecodeError("torch_jscc: side information is cut off")
    bits = np.unpackbits(np.frombuffer(body, np.uint8, size), count=images * count)
    return torch.from_numpy(bits.astype(bool)).reshape(images, count), body[size:]
