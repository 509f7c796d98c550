"""What the training loop asks of a model: a small protocol for one's own codecs, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]


class Trainee(Protocol):
    """Something that can be trained."""

    name: str
    """Its name in messages and in the model card."""
    network: nn.Module
    """The network, as it is before the first step."""

    def batch(self, index: int, size: int) -> Batch:
        """Return the batch of a step, on the CPU: the same one whenever it is asked for."""
        ...

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar above 0; the batch is on the network's device."""
        ...

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return scores on images that are not trained on, by name; larger is better."""
        ...

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write the weights as the codec reads them."""
        ...
