"""Packets that are lost in bursts: the two-state Markov chain of Gilbert and Elliott.

A hidden state moves once per packet, from good to bad with probability ``p_bad`` and back with
``p_good``. A packet is lost with probability ``loss_good`` or ``loss_bad``, given the states on its
own. The chain is stationary: it starts bad with probability ``p_bad / (p_bad + p_good)``. With the
default losses (Gilbert's simplest form) bursts are geometric with mean ``1 / p_good``.

No loop over time: let ``u`` be uniform, and move to bad if ``u < p_bad`` (from good) or
``u < 1 - p_good`` (from bad). Below both bounds the new state is bad and above both it is good,
whatever the old one was; between them the state stays, or toggles if ``p_bad + p_good > 1``. So the
state is that of the last step outside the bounds, a running maximum, and the parity of the steps
since then.

Leaves out: more than two states, losses that depend on a packet's length, delay.

References
----------
E. N. Gilbert, "Capacity of a burst-noise channel", Bell Syst. Tech. J. 39(5), 1960,
DOI 10.1002/j.1538-7305.1960.tb03959.x.
E. O. Elliott, "Estimates of error rates for codes on burst-noise channels", Bell Syst. Tech. J.
42(5), 1963, DOI 10.1002/j.1538-7305.1963.tb00955.x.
"""

from __future__ import annotations

import torch
from torch import Tensor

from channels.discrete.events import check_shape
from channels.errors import InputError


class GilbertElliott:
    """Losses of a channel that is at times good and at times bad.

    Parameters
    ----------
    p_bad, p_good
        Probabilities of a move from good to bad and from bad to good, per packet, in (0, 1].
    loss_good, loss_bad
        Probabilities of a loss in either state, ``0 ≤ loss_good < loss_bad ≤ 1``.

    Raises
    ------
    ValueError
        A probability outside these ranges.
    """

    def __init__(
        self,
        *,
        p_bad: float = 0.02,
        p_good: float = 0.2,
        loss_good: float = 0.0,
        loss_bad: float = 1.0,
    ) -> None:
        for name, value in (("p_bad", p_bad), ("p_good", p_good)):
            if not 0 < value <= 1:
                raise InputError(f"{name} must be a probability in (0, 1], got {value}")
        if not 0 <= loss_good < loss_bad <= 1:
            raise InputError(
                "loss_good and loss_bad must be probabilities in [0, 1], the first smaller, "
                f"got {loss_good} and {loss_bad}"
            )
        self.p_bad, self.p_good = float(p_bad), float(p_good)
        self.loss_good, self.loss_bad = float(loss_good), float(loss_bad)

    @property
    def share_bad(self) -> float:
        """Share of the time in the bad state."""
        return self.p_bad / (self.p_bad + self.p_good)

    @property
    def loss_rate(self) -> float:
        """Share of packets that are lost."""
        return (1 - self.share_bad) * self.loss_good + self.share_bad * self.loss_bad

    @property
    def mean_burst_length(self) -> float:
        """Mean number of losses in a row: the share of losses over that of ends of bursts."""
        arrives_after_good = 1 - self.loss_good + self.p_bad * (self.loss_good - self.loss_bad)
        arrives_after_bad = 1 - self.loss_bad + self.p_good * (self.loss_bad - self.loss_good)
        lost_in_good = (1 - self.share_bad) * self.loss_good
        lost_in_bad = self.share_bad * self.loss_bad
        ends = lost_in_good * arrives_after_good + lost_in_bad * arrives_after_bad
        return self.loss_rate / ends

    def states(self, shape: torch.Size, rng: torch.Generator) -> Tensor:
        """Draw which packets meet the bad state: bool of ``shape``, on the device of ``rng``."""
        uniform = torch.rand(shape, dtype=torch.float64, device=rng.device, generator=rng)
        low, high = sorted((self.p_bad, 1 - self.p_good))
        bad = uniform < low
        settled = bad | (uniform >= high)
        bad[..., 0] = uniform[..., 0] < self.share_bad
        settled[..., 0] = True
        time = torch.arange(shape[-1], device=rng.device)
        last = torch.where(settled, time, 0).cummax(dim=-1).values
        state = bad.gather(-1, last)
        if self.p_bad > 1 - self.p_good:
            state ^= (time - last) % 2 == 1
        return state

    def __call__(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Return which packets arrive, bool of ``shape`` (..., num_packets), on ``rng``'s device.

        Raises
        ------
        ValueError
            A shape without packets.
        """
        bad = self.states(check_shape(shape), rng)
        uniform = torch.rand(bad.shape, dtype=torch.float64, device=rng.device, generator=rng)
        return uniform >= torch.where(bad, self.loss_bad, self.loss_good)
