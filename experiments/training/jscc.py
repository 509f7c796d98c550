"""What is trained of ``jscc``: the code of its side information, and the receiver's network."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.saving import save
from experiments.training.conditions import Condition, symbols_of
from experiments.training.images import TrainingImages
from experiments.training.pairs import Pairs
from experiments.training.protocol import Batch
from experiments.training.side_tables import fit
from semcom.codecs.jscc.knowledge import CELL, MAPS
from semcom.codecs.jscc.refiner import Refiner
from semcom.codecs.jscc.side_coding import SideModel
from semcom.codecs.jscc.weights import Weights, to_bytes
from semcom.codecs.parts.colour import to_planes

SIDE, CROP = 384, 160
"""Sides of pairs, and of what is cut out of them for a batch, in pixels."""
_VALIDATION_IMAGES = 12
_CONDITIONS = (
    *((Fraction(1, 16), snr) for snr in (1, 4, 7, 10, 13)),
    (Fraction(1, 48), 10),
    (Fraction(1, 6), 10),
)
_UNIT = 255 * np.sqrt(3) / 1023  # of the planes, in grey levels

Tell = Callable[[str, int, int], None]


class JsccTrainee:
    """The network of ``jscc``, with pairs to train and to validate it on.

    Parameters
    ----------
    folder
        Where the pairs and the code of the side information are kept.
    images
        The images.
    pairs
        Number of pairs to train on.
    seed
        Seed of the pairs, of the batches and of the network.
    start
        Weights to start from; without them the network is random and the code is fitted.
    tell
        Called with the name of a piece of preparation, the number of its parts done, and of all.
    """

    name = "jscc"

    def __init__(
        self,
        folder: Path,
        images: TrainingImages,
        *,
        pairs: int,
        seed: int,
        tell: Tell,
        start: Weights | None = None,
    ) -> None:
        self._seed = seed
        self.side_model = (
            start.side if start else _side_model(folder / "side.npz", images, seed, tell)
        )
        self._pairs = Pairs(folder / "pairs", pairs, SIDE)
        self._pairs.fill(images.training, self.side_model, seed, _telling(tell, "training pairs"))
        conditions = [
            Condition(np.ones((SIDE, SIDE), np.float32), symbols_of(float(cbr), SIDE), snr, snr)
            for cbr, snr in _CONDITIONS
        ]
        shown = min(_VALIDATION_IMAGES, len(images.validation))
        paths = images.validation[:: len(images.validation) // shown][:shown]
        self._validation = Pairs(folder / "validation", shown * len(conditions), SIDE)
        telling = _telling(tell, "validation pairs")
        self._validation.fill(paths, self.side_model, seed, telling, conditions)
        torch.manual_seed(seed)
        self.network: nn.Module = Refiner().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start:
            self.network.load_state_dict(start.refiner.state_dict())

    def batch(self, index: int, size: int) -> Batch:
        """Return crops of random pairs: estimates, planes, cells and errors."""
        rng = np.random.default_rng((self._seed, 1 << 20, index))
        chosen = rng.integers(0, self._pairs.count, size)
        crops = [self._pairs.crop(int(i), CROP, rng) for i in chosen]
        return tuple(torch.stack(parts) for parts in zip(*crops, strict=True))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted squared error in units of that of the linear estimate.

        The unit is the mean of the estimate's error in the crop and in the whole picture, so that
        neither flat crops nor important ones take over.
        """
        found, planes, cells, whole = batch
        w = nn.functional.interpolate(cells[:, -1:], scale_factor=float(CELL))
        before, after = (
            (w * (shown - planes).square()).mean(dim=(1, 2, 3))
            for shown in (found, _refine(network, found, cells))
        )
        return (2 * after / (before + whole)).mean()

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return the mean PSNR in dB at each bandwidth and SNR."""
        found: dict[str, list[float]] = {}
        kept = self._validation
        for i in range(kept.count):
            planes, cells = (
                torch.from_numpy(values[i].astype(np.float32))[None].to(device)
                for values in (kept.estimates, kept.cells)
            )
            with torch.inference_mode():
                better = _refine(network, planes, cells)[0].cpu().numpy()
            error = np.square(better - to_planes(kept.images[i])).mean() * _UNIT**2
            cbr, snr = _CONDITIONS[i % len(_CONDITIONS)]
            found.setdefault(f"{cbr} {snr} dB", []).append(10 * np.log10(255**2 / error))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write the weights as ``jscc`` reads them."""
        assert isinstance(network, Refiner)
        save(file, to_bytes(Weights(self.side_model, network.cpu()), metadata))


def _refine(network: nn.Module, planes: Tensor, cells: Tensor) -> Tensor:
    parts = planes, cells[:, :MAPS], cells[:, MAPS : MAPS + 3]
    better: Tensor = network(*(t.contiguous(memory_format=torch.channels_last) for t in parts))
    return better


def _telling(tell: Tell, what: str) -> Callable[[int, int], None]:
    return lambda done, of: tell(what, done, of)


def _side_model(file: Path, images: TrainingImages, seed: int, tell: Tell) -> SideModel:
    """Fit the code of the side information, or read it if it was fitted before."""
    if file.is_file():
        with np.load(file) as kept:
            return SideModel(*(kept[name] for name in SideModel._fields))
    model = fit(images.training, SIDE, seed, _telling(tell, "side information"))
    arrays: dict[str, Any] = dict(zip(SideModel._fields, model, strict=True))
    sink = io.BytesIO()
    np.savez_compressed(sink, **arrays)
    save(file, sink.getvalue())
    return model
