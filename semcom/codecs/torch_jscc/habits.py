"""A trial of a network before it is used, and what its habits mean for a fair comparison.

Papers on joint source-channel coding count power, noise and bandwidth differently. The trial sends
a few small pictures through the network, refuses what would make any comparison wrong, and tells in
words what is only counted differently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.torch_jscc.network import Network
from semcom.errors import InputError

_SNR_DB = 10.0
_SAME = 1e-4  # relative difference of outputs that are the same but for rounding
_STEADY = 0.01  # relative difference of the powers of two pictures
_NOISE = (
    "The noise has variance 1/SNR in total, half of it per real dimension. Noise of variance 1/SNR "
    "per real value, beside real values of power 1, is the same SNR; beside complex symbols of "
    "power 1, it would be 3 dB less."
)


class Trial(NamedTuple):
    """What the trial found."""

    power: float
    """Mean power of a complex symbol as the encoder makes it; 0 if it is not constant."""
    is_complex: bool
    """Whether the encoder makes complex symbols."""
    remarks: tuple[str, ...]


def try_out(network: Network, sides: tuple[int, int], values: str = "unit") -> Trial:
    """Send a picture of these sides, darker and smoother ones, and two together.

    Raises
    ------
    ValueError
        The network breaks the contract: it fails, makes wrong shapes or NaN, changes its output
        between calls, or its decoder uses what its encoder kept.
    """
    height, width = sides
    limit = height * width // 2  # CBR 1/6
    bright, smooth = (seen(picture, values) for picture in _pictures(height, width))
    dark = seen(_pictures(height, width)[0] / 4, values)

    def send(
        images: Tensor, snr_db: float = _SNR_DB, num_symbols: int = limit
    ) -> tuple[Tensor, Tensor]:
        masks = torch.ones(len(images), 1, height, width)
        return network.encode(images, snr_db, masks, num_symbols, at_once=len(images))

    def encode(*about: Any) -> Tensor:
        return send(*about)[0]

    def decode(by: Network) -> Tensor:
        received = alone.to(torch.complex64 if alone.is_complex() else torch.float32)
        return by.decode(received, _SNR_DB, torch.ones(1, 1, height, width), bits, sides)

    receiver = network.copied()  # before anything is encoded
    alone, bits = send(bright)
    shown = decode(network)
    others: list[Any] = [(smooth,), (bright, 0.0), (bright, 20.0), (dark,)]
    if network.adapts:
        others.append((bright, _SNR_DB, limit // 2))
    powers = [power_of(alone), *(power_of(encode(*other)) for other in others)]
    _check_decoder(network, receiver, decode, shown)
    again, bits_again = send(bright)
    if not (_same(alone, again) and torch.equal(bits, bits_again)):
        raise InputError(
            f"torch_jscc: encode of {network.name} changes its output between calls; if it adds "
            "the noise of the channel, leave that to the simulator"
        )
    if network.adapts and len(as_symbols(alone)) > limit:
        raise InputError(
            f"torch_jscc: encode of {network.name} may use {limit:,} symbols and makes "
            f"{len(as_symbols(alone)):,}"
        )
    steady = min(powers) > 0 and max(powers) / min(powers) - 1 < _STEADY
    power = _power(powers[0]) if steady else _unsteady(min(powers), max(powers))
    remarks = [_bandwidth(alone, sides, adapts=network.adapts), power, _NOISE]
    if not _same(encode(torch.cat([bright, dark]))[:1], alone):
        remarks.append(
            "In a batch, its output for one picture depends on the others: if it normalises power "
            "over the batch, a picture borrows power from its neighbours. Here, each picture is "
            "sent alone."
        )
    if network.sends_mask:
        remarks.append(
            "Its decoder takes the mask, which is side information: here it is sent and paid for."
        )
    if network.sends_bits:
        remarks.append(
            f"Its encoder makes {bits.numel():,} bits of side information beside these symbols: "
            "here they are sent and paid for."
        )
    return Trial(powers[0] if steady else 0.0, alone.is_complex(), tuple(remarks))


def _check_decoder(
    network: Network, receiver: Network, decode: Callable[[Network], Tensor], shown: Tensor
) -> None:
    """Decode again, after other pictures were encoded, and by a copy that encoded none."""
    if not _same(shown, decode(network)):
        raise InputError(
            f"torch_jscc: decode of {network.name} changes its output between calls: if it uses "
            "what encode kept, have that sent; if it draws random numbers, leave them out"
        )
    try:
        by_receiver = decode(receiver)
    except InputError as error:
        by_receiver, why = torch.empty(0), f" ({error})"
    else:
        why = ""
    if not _same(shown, by_receiver):
        raise InputError(
            f"torch_jscc: decode of {network.name} needs what encode kept in the same network; "
            f"have that sent{why}"
        )


def seen(pictures: Tensor, values: str) -> Tensor:
    """Return pixels from 0 to 1 as a network sees them."""
    return 2 * pictures - 1 if values == "signed" else pictures


def as_symbols(latents: Tensor) -> Tensor:
    """Return symbols, complex64 (n,): complex latents as they are, real ones in pairs.

    An odd number of real latents is filled up by 0.
    """
    flat = latents.reshape(-1)
    if not flat.is_complex():
        padded = torch.nn.functional.pad(flat.float(), (0, flat.numel() % 2))
        flat = torch.view_as_complex(padded.reshape(-1, 2))
    return flat.to(torch.complex64)


def power_of(latents: Tensor) -> float:
    """Return the mean power of the symbols of latents."""
    return float(as_symbols(latents).abs().square().mean())


def _pictures(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return a picture with texture and one without, (1, 3, height, width), from 0 to 1."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, height)[:, None] * np.linspace(0.2, 0.8, width)[None, :]
    texture = ramp + 0.1 * rng.standard_normal((3, height, width))
    smooth = np.broadcast_to(ramp, texture.shape)
    made = (np.clip(picture, 0, 1).astype(np.float32) for picture in (texture, smooth))
    first, second = (torch.from_numpy(picture)[None] for picture in made)
    return first, second


def _same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape:
        return False
    scale = float(first.abs().square().mean().sqrt()) + 1e-12
    return float((first - second).abs().max()) < _SAME * scale


def _bandwidth(latents: Tensor, sides: tuple[int, int], *, adapts: bool) -> str:
    height, width = sides
    samples, values = 3 * height * width, latents.numel()
    told = f", of {height * width // 2:,} that it may use" if adapts else ""
    if latents.is_complex():
        return (
            f"It makes {values:,} complex symbols of {width}x{height} pixels{told}: CBR 1/"
            f"{samples / values:.3g}."
        )
    return (
        f"It makes {values:,} real values of {width}x{height} pixels, which are "
        f"{-(-values // 2):,} channel uses{told}: CBR 1/{2 * samples / values:.3g}. Where a paper "
        f"counts each real value as one use, the same network stands at 1/{samples / values:.3g}."
    )


def _power(power: float) -> str:
    return (
        f"Its encoder makes symbols of mean power {power:.3g}. Here, a symbol has power 1, and the "
        "decoder gets its own scale back."
    )


def _unsteady(least: float, most: float) -> str:
    return (
        f"Its encoder does not normalise power, which was {least:.3g} to {most:.3g} for different "
        "pictures, SNRs or bandwidths. Here, each picture is sent with mean power 1, and its scale "
        "in four bytes, which are paid for; a paper that gives the scale to the receiver does not "
        "count it. If the decoder was trained for a constant power of a complex symbol, say "
        "power=P."
    )
