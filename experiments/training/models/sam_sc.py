"""What is trained of ``sam_sc``: both halves of its network, through a random channel."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.saving import save
from experiments.training import refining
from experiments.training.conditions import draw_importance
from experiments.training.images import window
from experiments.training.kept import fill_kept, open_kept
from experiments.training.protocol import Batch
from experiments.training.refining import Material
from semcom.codecs.parts.cells import CELL
from semcom.codecs.sam_sc.allocation import COUNTS, SNRS_DB, SYMBOLS
from semcom.codecs.sam_sc.network import CHANNELS, SamSc
from semcom.codecs.sam_sc.weights import Weights, to_bytes
from semcom.types import Image

_CROP, _SHALLOW_CROP = 96, 64  # sides of what is cut out of a square, in pixels
_DEPTH = 4  # halvings of the whole network
_SHALLOW_STEPS = 1500  # for each smaller depth
_SHALLOW_NOISE = 0.1  # for latents of mean power 1
_ALL = 0.4  # share of pictures that send all latents
_CONDITIONS = (
    (SYMBOLS, 4),
    (SYMBOLS, 12),
    (SYMBOLS, 20),
    (SYMBOLS // 2, 12),
    (SYMBOLS // 4, 12),
)
"""Symbols of each cell, and SNR in dB."""
_VALIDATION_SQUARES, _MEASURED_SQUARES = 24, 24


class SamScTrainee:
    """The network of ``sam_sc``, with squares of images to train and to validate it on.

    The network grows: its outermost layers are trained first, alone, then the two outermost ones of
    each half, then three. All four learn little but the mean of each cell if they begin together.
    A network that starts from weights has all its depth at once.

    Each picture of a batch is one transmission, whose mean power is 1. Its SNR is uniform in −5 to
    25 dB, which includes the SNRs that fading leaves. In four cases of ten all latents are sent,
    otherwise the first of them, and in half of the pictures an ellipse gets another number than the
    rest. The loss is the mean root of the mean squared error.

    Parameters
    ----------
    material
        What it is trained on.
    start
        Weights to start from; without them the network is random.
    """

    name = "sam_sc"

    def __init__(self, material: Material, start: Weights | None = None) -> None:
        torch.manual_seed(material.seed)
        network = SamSc()
        if start:
            network.load_state_dict(start.network.state_dict())
        network.requires_grad_(True)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._seed = material.seed
        self._shallow_steps = 0 if start else _SHALLOW_STEPS
        images = material.images
        self._training = _squares(material, "pairs", material.pairs, images.training)
        self._validation = _squares(material, "validation", _VALIDATION_SQUARES, images.validation)

    @staticmethod
    def bytes_each() -> int:
        """Return the size of a square on the disk."""
        return 3 * refining.SIDE**2

    def batch(self, index: int, size: int) -> Batch:
        """Return crops, the latents that are sent, noise with its variance, and the depth."""
        rng = np.random.default_rng((self._seed, 1 << 20, index))
        depth = depth_of(index, self._shallow_steps)
        side = _CROP if depth == _DEPTH else _SHALLOW_CROP
        images, sent = np.empty((size, side, side, 3), np.uint8), []
        for i in range(size):
            square = self._training[int(rng.integers(len(self._training)))]
            top, left = rng.integers(0, refining.SIDE - side + 1, 2)
            crop = np.rot90(square[top : top + side, left : left + side], int(rng.integers(4)))
            images[i] = crop[:, ::-1] if rng.random() < 0.5 else crop
            sent.append(_draw_sent(side // CELL, rng))
        variance = 10 ** (-rng.uniform(-5, 25, (size, 1, 1, 1)) / 10)
        noise = rng.standard_normal((size, CHANNELS, side // CELL, side // CELL))
        return (
            _to_values(images),
            torch.stack(sent),
            torch.from_numpy(noise.astype(np.float32)),
            torch.from_numpy(variance.astype(np.float32)),
            torch.tensor(depth),
        )

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean over pictures of the root of the mean squared error.

        That of a smaller depth is raised, since a new depth begins with a larger error, which is no
        sign of divergence.
        """
        *parts, depth = batch
        missing = _DEPTH - int(depth)
        if missing:
            return missing + _shallow_errors(network, parts[0], int(depth)).sqrt().mean()
        return transmission_errors(network, *parts).sqrt().mean()

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return the mean PSNR in dB under each condition."""
        found = {}
        for count, snr_db in _CONDITIONS:
            errors = _errors_of(network, self._validation, count, snr_db, device)
            cbr = Fraction(count, 3 * CELL**2)
            found[f"{cbr} {snr_db} dB"] = float(np.mean(-10 * np.log10(errors)))
        return found

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Measure what each number of symbols leaves of the error, and write the weights."""
        assert isinstance(network, SamSc)
        network = network.cpu().eval()
        squares = self._training[:_MEASURED_SQUARES]
        device = torch.device("cpu")
        errors = [
            [_errors_of(network, squares, count, snr, device).mean() for snr in SNRS_DB]
            for count in COUNTS
        ]
        save(file, to_bytes(Weights(np.array(errors), network), metadata))


def _squares(
    material: Material, name: str, count: int, paths: list[Path]
) -> NDArray[np.uint8] | np.memmap[Any, Any]:
    """Cut random squares out of images, or read those that were cut before."""
    side = refining.SIDE
    kept = open_kept(material.folder / name / "squares.npy", np.uint8, (count, side, side, 3))

    def make(i: int) -> tuple[Image]:
        return (window(paths[i % len(paths)], side, np.random.default_rng((material.seed, i))),)

    fill_kept((kept,), make, functools.partial(material.tell, f"squares: {name}"))
    return kept


def depth_of(step: int, shallow_steps: int) -> int:
    """Return the depth that is trained in a step; 0 steps for each smaller depth skip these."""
    return min(_DEPTH, 1 + step // shallow_steps) if shallow_steps else _DEPTH


def _draw_sent(cells: int, rng: np.random.Generator) -> Tensor:
    """Return which latents a random picture sends, bool (128, cells, cells)."""

    def draw_count() -> int:
        return SYMBOLS if rng.random() < _ALL else round(2 ** rng.uniform(0, np.log2(SYMBOLS)))

    counts = np.full((cells, cells), draw_count())
    if rng.random() < 0.5:
        w = draw_importance(cells, rng)
        counts[w < 1] = draw_count()
    return torch.from_numpy(np.arange(CHANNELS)[:, None, None] < 2 * counts)


def transmission_errors(
    network: nn.Module, images: Tensor, sent: Tensor, noise: Tensor, v: Tensor
) -> Tensor:
    """Send images (B, 3, H, W) and return the mean squared error of each, (B,).

    ``v`` is the variance of the noise for latents of mean power 1. As in the codec, the mean power
    is over the latents that are sent, and the receiver shrinks each by ``1 / (1 + v)``.
    """
    assert isinstance(network, SamSc)
    latents = sent * network.encoder(images)
    count = sent.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
    power = latents.square().sum(dim=(1, 2, 3), keepdim=True) / count
    scale = (power + 1e-9).sqrt()
    received = sent * (latents / scale + v.sqrt() * noise) / (1 + v)
    shown = network.decoder(scale * received)
    errors: Tensor = (shown.float() - images).square().mean(dim=(1, 2, 3))
    return errors


def _shallow_errors(network: nn.Module, images: Tensor, depth: int) -> Tensor:
    """Return the mean squared error of each image, (B,), through the outermost layers alone."""
    assert isinstance(network, SamSc)
    latents = network.encoder[: 4 * depth](images)
    rms = latents.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    received = latents + _SHALLOW_NOISE * rms * torch.randn_like(latents)
    shown = network.decoder[-(2 * depth - 1) :](received)
    errors: Tensor = (shown.float() - images).square().mean(dim=(1, 2, 3))
    return errors


def _errors_of(
    network: nn.Module, squares: NDArray[np.uint8], count: int, snr_db: float, device: torch.device
) -> NDArray[np.float64]:
    """Return the mean squared error of each square when each cell sends ``count`` symbols."""
    cells = squares.shape[1] // CELL
    sent = (torch.arange(CHANNELS) < 2 * count)[None, :, None, None].expand(1, -1, cells, cells)
    v = torch.tensor(10 ** (-snr_db / 10))
    rng = np.random.default_rng(count)
    found = []
    for square in squares:
        noise = torch.from_numpy(rng.standard_normal((1, CHANNELS, cells, cells), np.float32))
        parts = _to_values(square[None]), sent, noise, v
        with torch.inference_mode():
            error = transmission_errors(network, *(part.to(device) for part in parts))
        found.append(float(error))
    return np.array(found)


def _to_values(images: NDArray[np.uint8]) -> Tensor:
    """Return images (B, H, W, 3) as values from 0 to 1, (B, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
