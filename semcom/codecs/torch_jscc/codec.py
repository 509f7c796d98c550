"""Users' own networks as a codec: any ``nn.Module`` that maps images to symbols and back.

Whatever the network, the rules are those of every codec: mean power 1 for each picture, two real
values are one channel use, and all that the decoder needs beside the symbols is sent and paid for:

    identity of the network (4 bytes) │ root mean square of its symbols, if not constant (4) │
    number of axes (1) │ axes (4 each) │
    deflate: importance of cells, if the decoder takes a mask

The picture is padded by its border to a multiple of ``multiple`` pixels, or cut into patches. The
receiver divides by the gain of each symbol, as a network that was trained without fading expects,
but attenuates symbols that are mostly noise.

Leaves out: training (``docs/tutorials/your-own-network.md`` shows one), and networks whose decoder
needs more than symbols, SNR and a mask.
"""

from __future__ import annotations

import functools
import hashlib
import math
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.parts.cells import deflate, inflate, levels_of
from semcom.codecs.torch_jscc.habits import Trial, as_symbols, try_out
from semcom.codecs.torch_jscc.network import Network, NetworkError, find_module
from semcom.codecs.torch_jscc.pictures import equalised, joined, patches_of, pixels_of, to_values
from semcom.codecs.torch_jscc.state_dicts import load_into, read_state_dict, recognise
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.torch_device import check_device
from semcom.types import AnalogSignal, Image, Map, Packet

VALUES = ("unit", "signed")
_IDENTITY_BYTES = 4
_SCALE = struct.Struct(">f")
_TRIAL_SIDE, _MULTIPLE = 64, 16
_MOST_PIXELS = 4096  # of a patch's side, or of the multiple


class _Options(NamedTuple):
    """What both ends must agree on."""

    module: str
    weights: str
    values: str
    multiple: int
    patch: int
    power: float
    adaptive: bool
    device: str


class _Opened(NamedTuple):
    options: _Options
    network: Network
    trial: Trial
    identity: bytes


_opened: dict[bytes, _Opened] = {}
"""Networks that this process has opened, by their identity."""
_built: dict[tuple[object, ...], _Opened] = {}
"""The same, by what was asked for."""
_lock = threading.Lock()


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
        options = _Options(module, weights, values, multiple, patch, power, adaptive, device)
        _check(options)
        self._network = None
        if module or weights:
            self._network = _open(options)
        self.steerable = bool(self._network and self._network.network.steerable)

    def remarks(self) -> tuple[str, ...]:
        """Return in words how the network counts power, noise and bandwidth."""
        return self._network.trial.remarks if self._network else ()

    def least_symbols(self, height: int, width: int) -> int:
        """Return the number of symbols that the encoder makes of an image of this size.

        It is 1 for an encoder that takes ``num_symbols``.
        """
        opened = self._named()
        if opened.network.adapts:
            return 1
        patch = opened.options.patch
        count = math.prod(-(-side // patch) for side in (height, width)) if patch else 1
        values = count * math.prod(_latents_of(opened, height, width))
        return values if opened.trial.is_complex else -(-values // 2)

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Send what the encoder makes; see :class:`AnalogCodec`."""
        options, network, trial, identity = self._named()
        height, width = image.shape[:2]
        levels = levels_of(w)
        shown_mask = pixels_of(levels, height, width) if network.sends_mask else w
        images = patches_of(to_values(image, options.values), options.multiple, options.patch)
        masks = patches_of(torch.from_numpy(shown_mask)[None], options.multiple, options.patch)
        latents = network.encode(images, snr_db, masks, max(1, num_symbols // len(images)))
        symbols = as_symbols(latents)
        if len(symbols) > num_symbols:
            raise InputError(
                f"torch_jscc: {network.name} makes {len(symbols):,} symbols of {width}x{height} "
                f"pixels, CBR {len(symbols) / image.size:.4g}, but {num_symbols:,} are allowed"
            )
        shape = latents.shape[1:]
        axes = struct.pack(f">B{len(shape)}I", len(shape), *shape)
        described = deflate(levels) if network.sends_mask else b""
        rms = float(symbols.abs().square().mean().sqrt())
        if not rms:  # a black picture: any symbols will do, since the receiver scales them by 0
            symbols = torch.ones_like(symbols)
        scale = b"" if options.power or trial.power else _SCALE.pack(rms)
        side = (Packet(identity + scale + axes + described),)
        return AnalogSignal(symbols / (rms or 1.0), side, {"symbols": len(symbols)})

    def _named(self) -> _Opened:
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
        opened = _opened.get(packet[:_IDENTITY_BYTES])
        if opened is None:
            raise DecodeError("torch_jscc: the network of this packet is not open here")
        options, network, trial, _ = opened
        body, scale = packet[_IDENTITY_BYTES:], math.sqrt(options.power or trial.power)
        if not scale:
            if len(body) < _SCALE.size:
                raise DecodeError("torch_jscc: side information is cut off")
            (scale,), body = _SCALE.unpack_from(body), body[_SCALE.size :]
            if not 0 <= scale < math.inf:
                raise DecodeError(f"torch_jscc: no picture has the scale {scale}")
        shape, mask = _unpack(body, network, height, width)
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
            shown = network.decode(latents.reshape(len(masks), *shape), snr_db, masks, side_of)
        except NetworkError as error:
            if tuple(shape) == _latents_of(opened, height, width):
                raise
            raise DecodeError(str(error)) from error  # its encoder has not made these latents
        if options.values == "signed":
            shown = (shown + 1) / 2
        whole = joined(shown, options.patch, height, width)
        pixels = (255 * whole).round().clamp(0, 255).to(torch.uint8)
        return pixels[:, :height, :width].permute(1, 2, 0).contiguous().numpy()


@functools.lru_cache(64)
def _latents_of(opened: _Opened, height: int, width: int) -> tuple[int, ...]:
    """Return the shape of the latents of each patch, when as many as in the trial are allowed."""
    images = patches_of(
        torch.full((3, height, width), 0.5), opened.options.multiple, opened.options.patch
    )
    ones = patches_of(torch.ones(1, height, width), opened.options.multiple, opened.options.patch)
    latents = opened.network.encode(images, 10.0, ones, images[0].numel() // 6)
    return tuple(latents.shape[1:])


def _check(options: _Options) -> None:
    """Raise ``ValueError`` for options that do not exist or are out of range."""
    if options.values not in VALUES:
        raise InputError(
            f"torch_jscc: unknown values {options.values!r}; choices: {', '.join(VALUES)}"
        )
    for name, pixels in (("multiple", options.multiple), ("patch", options.patch)):
        if not 0 <= pixels <= _MOST_PIXELS:
            raise InputError(f"torch_jscc: {name} must be 0 to {_MOST_PIXELS} pixels, got {pixels}")
    if not 0 <= options.power < math.inf:
        raise InputError(f"torch_jscc: power must be at least 0, got {options.power}")
    check_device(options.device)


def _open(options: _Options) -> _Opened:
    """Build and try a network, or find it as it was opened before."""
    file = Path(options.weights).expanduser()
    places = [Path(name.rpartition(":")[0]).expanduser() for name in options.module.split("+")]
    stamps = tuple(sha256_of(f) for f in (file, *places) if f.is_file())
    with _lock:
        key = options, stamps, str(Path.cwd())
        if key not in _built:
            _built[key] = _build(options)
            _opened[_built[key].identity] = _built[key]
        return _built[key]


def _build(options: _Options) -> _Opened:
    file = Path(options.weights).expanduser()
    if options.module:
        module = find_module(options.module)
        if options.weights:
            load_into(module, read_state_dict(file), file)
    else:
        module = recognise(read_state_dict(file), file, adaptive=options.adaptive)
    network = Network(module, options.module or file.name, options.device)
    multiple = options.multiple or int(getattr(module, "multiple", 0)) or _MULTIPLE
    options = options._replace(multiple=multiple)
    side = options.patch or -(-_TRIAL_SIDE // multiple) * multiple
    trial = try_out(network, (side, side if options.patch else side + multiple), options.values)
    digest = hashlib.sha256(repr(options._replace(device="", weights="")).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return _Opened(options, network, trial, digest.digest()[:_IDENTITY_BYTES])


def _unpack(
    body: bytes, network: Network, height: int, width: int
) -> tuple[tuple[int, ...], Tensor]:
    """Read the axes of a batch item's latents, and the mask, (height, width)."""
    axes = body[0] if body else 0
    end = 1 + 4 * axes
    if not axes or len(body) < end:
        raise DecodeError("torch_jscc: side information is cut off")
    shape = struct.unpack(f">{axes}I", body[1:end])
    if not network.sends_mask:
        if len(body) > end:
            raise DecodeError("torch_jscc: side information is too long")
        return shape, torch.ones(height, width)
    levels = inflate("torch_jscc", body[end:], np.int8, height, width)
    return shape, torch.from_numpy(pixels_of(levels, height, width))
