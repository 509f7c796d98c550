"""Packets that are lost with probability ``p``, each on its own.

The receiver knows which arrived; what arrives is right. So a run of losses is geometric with mean
``1 / (1 - p)``. No bursts (:mod:`channels.discrete.gilbert_elliott`), no delay, no reordering.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.discrete.events import check_shape, check_share, draw_events


class PacketErasure:
    """Independent losses.

    Parameters
    ----------
    p
        Probability of a loss, 0 to 1.

    Raises
    ------
    ValueError
        ``p`` outside [0, 1].
    """

    def __init__(self, *, p: float = 0.1) -> None:
        check_share("p", p)
        self.p = float(p)

    @property
    def loss_rate(self) -> float:
        """Share of packets that are lost: ``p``."""
        return self.p

    @property
    def mean_burst_length(self) -> float:
        """Mean number of losses in a row, once there is one: ``1 / (1 - p)``."""
        return 1 / (1 - self.p) if self.p < 1 else math.inf

    def __call__(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Return which packets arrive, bool of ``shape`` (..., num_packets), on ``rng``'s device.

        Raises
        ------
        ValueError
            A shape without packets.
        """
        return ~draw_events(check_shape(shape), self.p, rng)
