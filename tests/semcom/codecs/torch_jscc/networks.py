"""Networks that need no training, good ones and bad ones."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional


class Phases(nn.Module):
    """A phase for the mean of each 4x4 pixels and colour: complex symbols of power 1."""

    def encode(self, image):
        return torch.exp(1j * math.pi * (functional.avg_pool2d(image, 4) - 0.5))

    def decode(self, received):
        values = received.angle() / math.pi + 0.5
        return functional.interpolate(values, scale_factor=4.0, mode="nearest")


class RealPhases(Phases):
    """The same as two real values of power 1/2 each."""

    def encode(self, image):
        return torch.view_as_real(super().encode(image))

    def decode(self, received):
        return super().decode(torch.view_as_complex(received.contiguous()))


class Weighted(Phases):
    """Sends what is important only, and shows grey elsewhere."""

    def encode(self, image, mask):
        kept = functional.avg_pool2d(mask, 4) >= 1
        return super().encode(
            torch.where(kept.repeat_interleave(4, 2).repeat_interleave(4, 3), image, 0.5)
        )

    def decode(self, received, mask):
        kept = functional.avg_pool2d(mask, 4) >= 1
        return super().decode(torch.where(kept, received, 1))


class Told(Phases):
    """Keeps what it is told."""

    told = None

    def encode(self, image, snr_db, num_symbols):
        type(self).told = (snr_db, num_symbols)
        return super().encode(image)

    def decode(self, received, snr=0.0):
        type(self).told = (*self.told, snr)
        return super().decode(received)


class Encoder(nn.Module):
    def forward(self, image):
        return Phases().encode(image)


class Decoder(nn.Module):
    def forward(self, received):
        return Phases().decode(received)


class Quiet(Phases):
    """Leaves power to the picture."""

    def encode(self, image):
        return functional.avg_pool2d(image, 4)

    def decode(self, received):
        return functional.interpolate(received, scale_factor=4.0)


class Batched(Quiet):
    """Normalises power over the batch."""

    def encode(self, image):
        values = super().encode(image)
        return values / values.square().mean().sqrt()


class Noisy(Phases):
    """Adds noise of its own."""

    def encode(self, image):
        sent = super().encode(image)
        return sent + 0.1 * torch.randn_like(sent)


class Two(Phases):
    """Returns something beside the symbols."""

    def encode(self, image):
        return super().encode(image), image.mean()


class NotANumber(Phases):
    """Makes NaN."""

    def decode(self, received):
        return super().decode(received) * float("nan")


class Small(Phases):
    """Shows a smaller picture."""

    def decode(self, received):
        return super().decode(received)[..., :-1, :-1]


class OneSize(Phases):
    """Takes 32x32 pixels only."""

    def encode(self, image):
        return super().encode(image.reshape(-1, 3, 32, 32))


class Keeper(Phases):
    """Its decoder has the picture already."""

    def encode(self, image):
        self.kept = image
        return super().encode(image)

    def decode(self, _):
        return self.kept


class Instance(Quiet):
    """Normalises its input, not its output."""

    def encode(self, image):
        return super().encode(functional.instance_norm(image))


class Overfull(nn.Module):
    """Ignores how much it may send."""

    def encode(self, image, num_symbols):
        return torch.ones(len(image), num_symbols + 1, dtype=torch.complex64)

    def decode(self, received):
        return torch.zeros(len(received), 3, 64, 80)


class Scalar(Phases):
    """Makes one number for all."""

    def encode(self, image):
        return image.mean()


class Greedy(Phases):
    """Needs what nobody has."""

    def encode(self, image, label):
        return super().encode(image) + label


class Fails(nn.Module):
    """Cannot be built."""

    def __init__(self):
        raise RuntimeError("no weights on this planet")


class OneWay(nn.Module):
    """Has no decoder."""

    def encode(self, image):
        return image


def not_a_network():
    return 7
