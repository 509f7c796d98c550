"""Independent packet loss: every packet is lost with probability ``p``.

The receiver knows which packets arrived, and these are correct. The length of a run of losses is
geometric with mean ``1 / (1 - p)``. There are no bursts (see
:mod:`channels.discrete.gilbert_elliott`), no delay and no reordering.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.discrete.events import check_shape, check_share, draw_events


class PacketErasure:
    """Packet channel with independent losses.

    Parameters
    ----------
    p
        Probability of a loss, 0 to 1.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1].

    Examples
    --------
    >>> PacketErasure(p=1.0)((3,), torch.Generator().manual_seed(0))
    tensor([False, False, False])
    >>> PacketErasure(p=0.5).mean_burst_length
    2.0
    """

    def __init__(self, *, p: float = 0.1) -> None:
        check_share("p", p)
        self.p = float(p)

    @property
    def loss_rate(self) -> float:
        """Mean share of packets that are lost: ``p``."""
        return self.p

    @property
    def mean_burst_length(self) -> float:
        """Mean length of a run of losses: ``1 / (1 - p)``."""
        return 1 / (1 - self.p) if self.p < 1 else math.inf

    def __call__(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Return which packets arrive, bool of ``shape`` (..., num_packets), on ``rng``'s device.

        Raises
        ------
        ValueError
            If the shape has no packets.
        """
        return ~draw_events(check_shape(shape), self.p, rng)
