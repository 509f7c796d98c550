"""A trial of a network before it is used, and what its habits mean for a fair comparison.

Papers on joint source-channel coding count power, noise and bandwidth differently. The trial sends
one small picture through the network, refuses what would make any comparison wrong, and tells in
words what is only counted differently.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.torch_jscc.network import Network
from semcom.errors import InputError

_SNR_DB = 10.0
_MANY = 1 << 30  # symbols
_SAME = 1e-4  # relative difference of outputs that are the same but for rounding
_STEADY = 0.01  # relative difference of the powers of two pictures


class Trial(NamedTuple):
    """What the trial found."""

    power: float
    """Mean power of a complex symbol as the encoder makes it; 0 if it depends on the picture."""
    remarks: tuple[str, ...]


def try_out(network: Network, side: int) -> Trial:
    """Send a picture of ``side`` x ``side`` pixels twice, and a darker one beside it.

    Raises
    ------
    ValueError
        The network breaks the contract: it fails, makes wrong shapes or NaN, or changes its output
        between calls.
    """
    bright, masks = _picture(side), torch.ones(1, 1, side, side)

    def encode(images: Tensor) -> Tensor:
        them = masks.expand(len(images), -1, -1, -1)
        return network.encode(images, _SNR_DB, them, _MANY, at_once=len(images))

    alone, dark = encode(bright), encode(bright / 4)
    shown, again = (network.decode(alone, _SNR_DB, masks, (side, side)) for _ in range(2))
    for way, first, second in (("encode", alone, encode(bright)), ("decode", shown, again)):
        if not _same(first, second):
            raise InputError(
                f"torch_jscc: {way} of {network.name} changes its output between calls; if it adds "
                "the noise of the channel, leave that to the simulator"
            )
    together = encode(torch.cat([bright, bright / 4]))
    power, other = power_of(alone), power_of(dark)
    steady = abs(power / other - 1) < _STEADY if other else False
    remarks = [_bandwidth(alone, side), _power(power) if steady else _unsteady(power, other)]
    if not _same(together[:1], alone):
        remarks.append(
            "In a batch, its output for one picture depends on the others: if it normalises power "
            "over the batch, a picture borrows power from its neighbours. Here, each picture is "
            "sent alone."
        )
    if network.sends_mask:
        remarks.append(
            "Its decoder takes the mask, which is side information: here it is sent and paid for."
        )
    return Trial(power if steady else 0.0, tuple(remarks))


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


def _picture(side: int) -> Tensor:
    """Return a picture with a gradient and texture, (1, 3, side, side), from 0 to 1."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, side)
    values = ramp[:, None] * ramp[None, :] + 0.1 * rng.standard_normal((3, side, side))
    return torch.from_numpy(np.clip(values, 0, 1).astype(np.float32))[None]


def _same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape:
        return False
    scale = float(first.abs().square().mean().sqrt()) + 1e-12
    return float((first - second).abs().max()) < _SAME * scale


def _bandwidth(latents: Tensor, side: int) -> str:
    samples = 3 * side * side
    values = latents.numel()
    if latents.is_complex():
        return (
            f"It makes {values:,} complex symbols of {side}x{side} pixels: CBR 1/"
            f"{samples / values:.3g}."
        )
    return (
        f"It makes {values:,} real values of {side}x{side} pixels, which are {-(-values // 2):,} "
        f"channel uses: CBR 1/{2 * samples / values:.3g}. Where a paper counts each real value as "
        f"one use, the same network stands at 1/{samples / values:.3g}."
    )


def _power(power: float) -> str:
    return (
        f"Its encoder makes symbols of mean power {power:.3g}. Here, a symbol has power 1 and the "
        "noise has variance 1/SNR in total, half of it per real dimension; the decoder gets its "
        "own scale back. Noise of variance 1/SNR per real value, beside real values of power 1, is "
        "the same SNR; beside complex symbols of power 1, it would be 3 dB less."
    )


def _unsteady(power: float, other: float) -> str:
    return (
        f"Its encoder does not normalise power: {power:.3g} for one picture, {other:.3g} for a "
        "darker one. Here, each picture is sent with mean power 1, and its scale in two bytes, "
        "which are paid for; where a paper gives the scale to the receiver, it is free there. If "
        "the decoder was trained for a constant power of a complex symbol, say power=P."
    )
