"""Channels that break one promise each, but for the first two; and what they are made of."""

from __future__ import annotations

import faulthandler
import itertools
import math
import time

import torch

from channels.base import ChannelOutput, check_input, check_probability
from channels.conformance.base import Candidate
from channels.models.awgn import Awgn
from channels.models.fading import BlockFading, FastFading
from channels.models.rayleigh import RayleighBlock, RayleighFast


class Broken(Candidate):
    """Finds a channel by the name of its class, here and in other processes."""

    def build(self, spec):
        return globals()[spec]()


class BlockageLaw:
    """Two states: a wall takes 20 dB a third of the time. Breaks nothing."""

    BLOCKED, SHARE = 0.01, 1 / 3

    @property
    def free(self):
        return (1 - self.SHARE * self.BLOCKED) / (1 - self.SHARE)

    def draw(self, shape, like, rng):
        blocked = torch.rand(shape, generator=rng, device=rng.device) < self.SHARE
        power = torch.where(blocked, self.BLOCKED, self.free)
        return power.sqrt().to(like.device, like.dtype)

    def gain_quantile(self, p):
        check_probability(p)
        return self.BLOCKED if p <= self.SHARE else self.free


class Blockage(BlockageLaw, BlockFading):
    def __init__(self):
        super().__init__(block_length=20)


class FastBlockage(BlockageLaw, FastFading):
    pass


class Cuts(RayleighBlock):
    """Gives one symbol less."""

    def __call__(self, x, noise_var, rng):
        y, h, noise = super().__call__(x, noise_var, rng)
        return ChannelOutput(y[..., :-1], h[..., :-1], noise)


class Singles(Awgn):
    """Knows single precision only."""

    def __call__(self, x, noise_var, rng):
        x = x.to(torch.complex64) if x.is_complex() else x
        return super().__call__(x, noise_var, rng)


class Detaches(RayleighBlock):
    """Passes no gradient back."""

    def __call__(self, x, noise_var, rng):
        return super().__call__(x.detach(), noise_var, rng)


class Halves(Awgn):
    """Passes half the gradient back."""

    def __call__(self, x, noise_var, rng):
        y, h, noise = super().__call__(x, noise_var, rng)
        return ChannelOutput(y - (x - x.detach()) / 2, h, noise)


class Shares(RayleighBlock):
    """Gives neighbouring transmissions of a batch one gain."""

    def gains(self, x, rng):
        h = super().gains(x, rng)
        return h.roll(1, 0).lerp(h, 0.5) * math.sqrt(2) if h.ndim > 1 and len(h) > 9 else h


class Amplifies(RayleighBlock):
    """Has a mean power of 1.2."""

    def draw(self, shape, like, rng):
        return math.sqrt(1.2) * super().draw(shape, like, rng)

    gain_quantile = None  # no closed form


class Hushes(Awgn):
    """Adds half the noise that it reports."""

    def __call__(self, x, noise_var, rng):
        y, h, noise = super().__call__(x, noise_var, rng)
        return ChannelOutput(x + (y - x) * math.sqrt(0.5), h, noise)


class Averages(Awgn):
    """Gives all transmissions their mean noise."""

    def __call__(self, x, noise_var, rng):
        noise = check_input(x, noise_var)
        super().__call__(x, noise, rng)
        return super().__call__(x, noise.mean(), rng)


class Mirrors(RayleighBlock):
    """Tells the conjugate of the gain in double precision."""

    def __call__(self, x, noise_var, rng):
        y, h, noise = super().__call__(x, noise_var, rng)
        return ChannelOutput(y, h.conj() if h.dtype == torch.complex128 else h, noise)


class Sticks(RayleighFast):
    """Holds its gain for two symbols."""

    def gains(self, x, rng):
        pairs = super().gains(x[..., ::2], rng)
        return pairs.repeat_interleave(2, dim=-1)[..., : x.shape[-1]]


class Repeats(RayleighBlock):
    """Gives every block of a transmission the same gain."""

    block_length = 10

    def __init__(self):
        pass

    def gains(self, x, rng):
        return self.draw((*x.shape[:-1], 1), x, rng).expand(x.shape)


class Drifts(RayleighBlock):
    """Lets the gain move within its block."""

    def gains(self, x, rng):
        time = torch.arange(x.shape[-1], dtype=x.real.dtype)
        return super().gains(x, rng) * torch.polar(torch.ones_like(time), 1e-3 * time)


class Guesses(RayleighBlock):
    """Tells the quantiles of another law."""

    def gain_quantile(self, p):
        check_probability(p)
        return p


class Answers(RayleighBlock):
    """Tells a quantile whatever it is asked."""

    def gain_quantile(self, p):
        return -math.log1p(-min(max(p, 1e-9), 1 - 1e-9))


class Discounts(Awgn):
    """Takes fewer uses than symbols."""

    def num_uses(self, num_symbols):
        return num_symbols - num_symbols // 1_000


class Globals(Awgn):
    """Draws from torch's own generator as well."""

    def __call__(self, x, noise_var, rng):
        torch.rand(1)
        return super().__call__(x, noise_var, rng)


class Counts(Awgn):
    """Gives other numbers every time."""

    def __init__(self):
        self.calls = itertools.count()

    def __call__(self, x, noise_var, rng):
        if x.shape == (2, 60) and x.dtype == torch.complex64 and not torch.is_tensor(noise_var):
            torch.rand(next(self.calls) % 7, generator=rng)
        return super().__call__(x, noise_var, rng)


class Overwrites(Awgn):
    """Changes some symbols that it is given."""

    def __call__(self, x, noise_var, rng):
        output = super().__call__(x, noise_var, rng)
        if x.shape == (2, 60) and x.dtype == torch.complex64:
            x.mul_(1.5)
        return output


class Accepts(RayleighBlock):
    """Sends what is no number."""

    def __call__(self, x, noise_var, rng):
        return super().__call__(torch.where(x.isfinite(), x, 0), noise_var, rng)


class Mutters(RayleighBlock):
    """Does not say what is wrong."""

    def __call__(self, x, noise_var, rng):
        try:
            return super().__call__(x, noise_var, rng)
        except ValueError:
            raise ValueError("bad input") from None


class Trips(RayleighBlock):
    """Trips over what has no axis of time."""

    def __call__(self, x, noise_var, rng):
        return super().__call__(x, noise_var, rng) if x.ndim else x[0]


class Hangs(Awgn):
    """Never ends where there is much to send."""

    def __call__(self, x, noise_var, rng):
        if len(x) > 1_000:
            time.sleep(3600)
        return super().__call__(x, noise_var, rng)


class Crashes(Awgn):
    """Takes its process along."""

    def __call__(self, x, noise_var, rng):
        if len(x) > 1_000:
            faulthandler._sigsegv()
        return super().__call__(x, noise_var, rng)


class Lacks:
    """Does not say how its gain moves."""

    def __call__(self, x, noise_var, rng):
        raise NotImplementedError


class Dies(Awgn):
    """Takes its process along before anything is asked."""

    def __init__(self):
        faulthandler._sigsegv()
