"""Phases that rotate at a constant rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def phase_turns(cycles: Tensor) -> Tensor:
    """Return ``exp(j 2π cycles)``, complex128."""
    turns = 2 * math.pi * cycles.double()
    return torch.polar(torch.ones_like(turns), turns)
