"""The trained weights of ``learned`` before they are loaded, and who opened them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from channels.owner import expanded
from semcom.checkpoints import compressai as zoo
from semcom.errors import InputError
from semcom.hashes import sha256_of

if TYPE_CHECKING:
    from compressai.models import CompressionModel

MODELS = (
    "bmshj2018-factorized",
    "bmshj2018-hyperprior",
    "mbt2018-mean",
    "mbt2018",
    "cheng2020-anchor",
    "cheng2020-attn",
)
METRICS = ("mse", "ms-ssim")
MAX_QUALITIES = 8
_OWN = 127  # the weights are in a user's file


@dataclass(frozen=True)
class Weights:
    """Weights of one quality of one model."""

    code: int
    model: str
    source: str
    """Address or path."""
    identity: str
    """Text that is the same at both ends."""


_opened: dict[str, Weights] = {}
"""User's files with which a codec was made in this process; both ends have to agree on them."""


def pretrained(model: str, metric: str) -> list[Weights]:
    """Return the zoo's weights of a model, one for each quality, coarsest first."""
    first = (MODELS.index(model) * len(METRICS) + METRICS.index(metric)) * MAX_QUALITIES
    return [
        Weights(first + quality - 1, model, url, url.rpartition("/")[2])
        for quality, url in sorted(zoo.urls(model, metric).items())
    ]


def own(checkpoint: Path, model: str) -> list[Weights]:
    """Return the weights of a user's file or folder of files; raise ``ValueError`` if none."""
    path = expanded(checkpoint)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise InputError(f"learned: checkpoint must be a file or a folder of files, got {path}")
    found = [Weights(_OWN, model, str(f), f"{model} {sha256_of(f)}") for f in files]
    _opened.update((weights.identity, weights) for weights in found)
    return found


@functools.lru_cache(maxsize=MAX_QUALITIES)
def load(weights: Weights) -> CompressionModel:
    """Open weights as a network, on the CPU."""
    is_own = weights.code == _OWN
    return zoo.load(Path(weights.source) if is_own else zoo.fetch(weights.source), weights.model)


def candidates(code: int) -> list[Weights]:
    """Return the weights that a packet with this first byte may need."""
    if code == _OWN:
        return list(_opened.values())
    kind, quality = divmod(code, MAX_QUALITIES)
    model, metric = divmod(kind, len(METRICS))
    if model >= len(MODELS):
        return []
    return pretrained(MODELS[model], METRICS[metric])[quality : quality + 1]
