"""Bursty packet loss: the two-state Markov chain of Gilbert and Elliott.

A hidden state changes once per packet, from good to bad with probability ``p_bad`` and back with
probability ``p_good``. Depending on the state, a packet is lost with probability ``loss_good`` or
``loss_bad``; given the states, losses are independent. The chain is stationary: it starts in the
bad state with probability ``p_bad / (p_bad + p_good)``. With the default loss probabilities
(Gilbert's simplest form), the length of bursts is geometric with mean ``1 / p_good``.

The states are computed without a loop over time. Let ``u`` be uniform; the new state is bad if
``u < p_bad`` (from good) or ``u < 1 - p_good`` (from bad). Below both bounds the new state is bad,
and above both it is good, regardless of the old state. Between the bounds the state stays, or
toggles if ``p_bad + p_good > 1``. The state therefore follows from the last step outside the
bounds, found by a running maximum, and the parity of the number of steps since then.

The model leaves out more than two states, losses that depend on the length of a packet, and delay.

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
    """Packet channel with a good and a bad state.

    Parameters
    ----------
    p_bad, p_good
        Probabilities per packet of a change from good to bad and from bad to good, in (0, 1].
    loss_good, loss_bad
        Probabilities of loss in the good and the bad state, ``0 ≤ loss_good < loss_bad ≤ 1``.

    Raises
    ------
    ValueError
        If a probability is outside these ranges.

    Examples
    --------
    >>> network = GilbertElliott(p_bad=0.02, p_good=0.2)
    >>> round(network.loss_rate, 3), round(network.mean_burst_length, 3)
    (0.091, 5.0)
    >>> arrived = network((1000,), torch.Generator().manual_seed(0))
    >>> arrived.shape, arrived.dtype
    (torch.Size([1000]), torch.bool)
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
        """Mean share of packets that are lost."""
        return (1 - self.share_bad) * self.loss_good + self.share_bad * self.loss_bad

    @property
    def mean_burst_length(self) -> float:
        """Mean number of consecutive losses: the rate of losses over the rate of ends of bursts."""
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
            If the shape has no packets.
        """
        bad = self.states(check_shape(shape), rng)
        uniform = torch.rand(bad.shape, dtype=torch.float64, device=rng.device, generator=rng)
        return uniform >= torch.where(bad, self.loss_bad, self.loss_good)
