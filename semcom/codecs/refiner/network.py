"""The network: it refines decoded planes, told what the receiver knows of their error.

A small U-Net on the planes at 1/2, 1/4 and 1/8 of the resolution. It sees their details in units of
the expected error, and its output is multiplied by that error, so that one network serves all SNRs
and bandwidths. At the start of the training the output is zero, and the planes stay as they are.

The best estimate of an error has no more energy than the error. Where the network adds much more,
the picture is like none that it has learned from, and its output is not trusted.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from semcom.codecs.refiner.knowledge import CELL

REACH = 80
"""Pixels that are further from a place than this do not change it."""
_CENTRE, _UNIT = 512.0, 256.0  # of the planes
_LIMIT = 16.0  # of details, in units of the expected error
_TRUSTED = 4.0  # root mean square of what may be added, likewise; photos stay well below it


class Block(nn.Module):
    """Two convolutions, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight *= 0.2

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        added: Tensor = self.second(functional.silu(self.first(x)))
        return x + added


class Refiner(nn.Module):
    """A U-Net that adds what a decoded picture lacks.

    Parameters
    ----------
    maps
        Number of maps of what the receiver knows.
    channels
        Channels at 1/2, 1/4 and 1/8 of the resolution.
    """

    def __init__(self, maps: int, channels: tuple[int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth = channels
        self.enter = nn.Conv2d(24, half, 3, padding=1)
        self.known_half = nn.Conv2d(maps, half, 1)
        self.known_quarter = nn.Conv2d(maps, quarter, 1)
        self.down_half, self.up_half = Block(half), Block(half)
        self.down_quarter, self.up_quarter = Block(quarter), Block(quarter)
        self.deep = nn.Sequential(Block(eighth), Block(eighth))
        self.to_quarter = nn.Conv2d(half, quarter, 2, stride=2)
        self.to_eighth = nn.Conv2d(quarter, eighth, 2, stride=2)
        self.from_eighth = nn.Conv2d(eighth, 4 * quarter, 1)
        self.from_quarter = nn.Conv2d(quarter, 4 * half, 1)
        self.leave = nn.Conv2d(half, 12, 3, padding=1)
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.zero_()

    def forward(self, planes: Tensor, maps: Tensor, rms: Tensor) -> Tensor:
        """Refine planes.

        Parameters
        ----------
        planes
            (B, 3, H, W) with values from 0 to 1023; H and W are multiples of 8.
        maps, rms
            The :class:`~semcom.codecs.refiner.knowledge.Knowledge` of cells, (B, ·, H/4, W/4).
        """
        known = functional.interpolate(self.known_half(maps), scale_factor=2.0)
        scale = functional.interpolate(rms, scale_factor=float(CELL))
        mean = functional.interpolate(functional.avg_pool2d(planes, 8), scale_factor=8.0)
        detail = ((planes - mean) / scale).clamp(-_LIMIT, _LIMIT)
        entered = torch.cat([(planes - _CENTRE) / _UNIT, detail], dim=1)
        half = self.down_half(self.enter(functional.pixel_unshuffle(entered, 2)) + known)
        quarter = self.down_quarter(self.to_quarter(half) + self.known_quarter(maps))
        eighth = self.deep(self.to_eighth(quarter))
        quarter = self.up_quarter(quarter + functional.pixel_shuffle(self.from_eighth(eighth), 2))
        half = self.up_half(half + functional.pixel_shuffle(self.from_quarter(quarter), 2))
        return planes + functional.pixel_shuffle(_trusted(self.leave(half).float()), 2) * scale


def _trusted(added: Tensor) -> Tensor:
    """Scale down what has too much energy in 24x24 pixels; (B, 12, H/2, W/2).

    The factor falls with the energy so fast that little is left where there was much too much.
    """
    energy = functional.avg_pool2d(added.square().mean(dim=1, keepdim=True), 4)
    around = functional.avg_pool2d(energy, 3, stride=1, padding=1, count_include_pad=False)
    if bool((around <= _TRUSTED**2).all()):
        return added
    factor = (_TRUSTED**2 / around.clamp_min(_TRUSTED**2)).square()
    return added * functional.interpolate(factor, scale_factor=4.0)
