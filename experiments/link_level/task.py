"""Tasks of the link level: a simulation at one SNR with one seed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch

from experiments.intervals import Count
from experiments.read_files import hashes_of
from semcom.errors import InputError


class Simulation(Protocol):
    """A system to simulate: a frozen dataclass that can be pickled for worker processes."""

    @property
    def name(self) -> str:
        """Name for display, such as ``"QPSK over awgn"``."""
        ...

    def about(self) -> dict[str, Any]:
        """Return all parameters that the result depends on, except SNR and seed, as JSON values."""
        ...

    def stream(self) -> dict[str, Any]:
        """Return the part of :meth:`about` that random numbers depend on; no receiver settings."""
        ...

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Simulate one batch of bounded size at Es/N0 ``snr_db`` with randomness from ``rng``."""
        ...


def _digest(about: Any) -> str:
    text = json.dumps(about, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """One simulation at one SNR with one seed.

    Raises
    ------
    ValueError
        If the SNR is not finite or the seed is negative.

    Examples
    --------
    >>> from experiments.link_level.ber import BitErrors
    >>> task = Task(BitErrors("awgn", bits_per_symbol=2), snr_db=4.0)
    >>> task.run(batch=0) == task.run(batch=0)  # a batch always has the same random numbers
    True
    """

    simulation: Simulation
    snr_db: float
    """Es/N0 in dB; on fading channels its mean."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not math.isfinite(self.snr_db):
            raise InputError(f"SNR must be a finite number of dB, got {self.snr_db}")
        if abs(self.snr_db) > 300:  # what single precision holds
            raise InputError(f"SNR must be between -300 and 300 dB, got {self.snr_db:g}")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, got {self.seed}")

    def about(self) -> dict[str, Any]:
        """Return the parameters of the point: all but the seed, and the version of semcom.

        A file that the channel reads is one of them, by its content.
        """
        version = importlib.metadata.version("semcom")
        about = {**self.simulation.about(), "snr_db": float(self.snr_db), "semcom": version}
        files = hashes_of(str(about.get("channel", "")))
        return {**about, "files": files} if files else about

    @cached_property
    def point(self) -> str:
        """Hash of :meth:`about`; rows with the same hash are added."""
        return _digest(self.about())

    @cached_property
    def id(self) -> str:
        """Hash of the point and the seed."""
        return _digest([self.point, self.seed])

    def run(self, batch: int) -> Count:
        """Simulate one batch, with the same random generator for all receivers, on the CPU."""
        about = [self.simulation.stream(), float(self.snr_db), self.seed, batch]
        rng = torch.Generator().manual_seed(int(_digest(about)[:15], 16))
        return self.simulation.run(self.snr_db, rng)
