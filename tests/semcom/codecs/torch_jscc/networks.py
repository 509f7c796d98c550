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


class Louder(Phases):
    """Is the louder, the more it may send."""

    def encode(self, image, num_symbols):
        return num_symbols * super().encode(image)


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


class Chosen(nn.Module):
    """Sends the means of 4x4 pixels and the strongest planes of 2x2 within them, and says which.

    There are 15 with the three of the means, and as many are sent as fit.
    """

    def encode(self, image, num_symbols):
        mean = functional.avg_pool2d(image, 4)
        fine = functional.avg_pool2d(image, 2) - functional.interpolate(mean, scale_factor=2.0)
        planes = torch.cat([mean - 0.5, functional.pixel_unshuffle(fine, 2)], dim=1)
        batch, _, rows, columns = planes.shape
        count = min(max(3, 2 * num_symbols // (rows * columns)), 15)
        strengths = planes.square().mean(dim=(2, 3))
        strengths[:, :3] = torch.inf
        order = strengths.argsort(dim=1, descending=True, stable=True)
        side_bits = torch.zeros_like(order, dtype=torch.bool).scatter(1, order[:, :count], True)
        return planes[side_bits].reshape(batch, count, rows, columns), side_bits

    def decode(self, received, side_bits):
        batch, _, *sides = received.shape
        planes = torch.zeros(batch, 15, *sides)
        planes[side_bits] = received.reshape(-1, *sides)
        mean = functional.interpolate(planes[:, :3], scale_factor=2.0)
        fine = mean + functional.pixel_shuffle(planes[:, 3:], 2)
        return functional.interpolate(fine, scale_factor=2.0) + 0.5


class ChosenAndWeighted(Chosen):
    """Its decoder takes the mask as well, and shows grey outside."""

    def decode(self, received, side_bits, mask):
        return torch.where(mask >= 1, super().decode(received, side_bits), 0.5)


class Silent(Chosen):
    """Says nothing to a decoder that waits for it."""

    def encode(self, image):
        return super().encode(image, 10**6)[0]


class Whole(Chosen):
    """Says it in bytes."""

    def encode(self, image):
        latents, side_bits = super().encode(image, 10**6)
        return latents, side_bits.byte()


class Foreseeing(Chosen):
    """Its encoder wants to be told what it says."""

    def encode(self, image, side_bits):
        return super().encode(image, 10**6)[0], side_bits


class Fickle(Chosen):
    """Says something else each time."""

    def encode(self, image):
        latents, side_bits = super().encode(image, 10**6)
        return latents, torch.cat([side_bits, torch.rand(len(image), 64) < 0.5], dim=1)

    def decode(self, received, side_bits):
        return super().decode(received, side_bits[:, :15])


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


class Huge(Phases):
    """Makes symbols whose power overflows."""

    def encode(self, image):
        return super().encode(image) * 1e30


class Quits(Phases):
    """Ends the process."""

    def encode(self, image):  # noqa: ARG002
        raise SystemExit(3)


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


class Memo(Phases):
    """Its decoder looks up what its encoder has seen."""

    def __init__(self):
        super().__init__()
        self.known = {}

    def encode(self, image):
        made = super().encode(image)
        self.known[str(made.flatten()[:99].tolist())] = image
        return made

    def decode(self, received):
        return self.known[str(received.flatten()[:99].tolist())]


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
