"""WITT's and SwinJSCC's modulator: what a number, such as the SNR, multiplies tokens by.

Seven linear layers h ← W h · g(number), each with a gate g of its own, and an eighth one with a
sigmoid make a factor from 0 to 1 for each value of each token. SwinJSCC's "Channel ModNet" is told
the SNR in dB, its "Rate ModNet" the number of channels that are sent.

References
----------
K. Yang et al., "SwinJSCC: Taming Swin Transformer for Deep Joint Source-Channel Coding",
arXiv:2308.09361.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn

_GATES = 7


class _Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        layers = nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        self.fc = nn.Sequential(*layers, nn.Linear(width, width), nn.Sigmoid())

    def forward(self, snr_db: Tensor) -> Tensor:
        gate: Tensor = self.fc(snr_db)
        return gate


class Modulator(NamedTuple):
    """Layers by which a number, such as the SNR, says what tokens are multiplied by."""

    gates: nn.ModuleList
    linears: nn.ModuleList

    @classmethod
    def of(cls, width: int) -> Modulator:
        """Make the layers for tokens of this width."""
        hidden = int(1.5 * width)
        sizes = (width, *[hidden] * _GATES, width)
        gates = nn.ModuleList(_Gate(hidden) for _ in range(_GATES))
        return cls(gates, nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes)))

    def factors(self, x: Tensor, number: float) -> Tensor:
        """Return the factors, 0 to 1, of tokens (B, H, W, C) for a number."""
        told = torch.full((len(x), 1), float(number), device=x.device)
        inner = x
        for linear, gate in zip(self.linears, self.gates, strict=False):
            inner = linear(inner) * gate(told)[:, None, None]
        return torch.sigmoid(self.linears[-1](inner))
