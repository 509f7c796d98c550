"""What is common to the training of all networks that refine decoded pictures."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from experiments.saving import save
from experiments.training.images import TrainingImages
from experiments.training.pairs import Make, Pairs, bytes_of_pair
from experiments.training.protocol import Batch
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.knowledge import CELL

SIDE, CROP = 384, 160
"""Sides of pairs, and of what is cut out of them for a batch, in pixels."""
_VALIDATION_IMAGES = 12
_UNIT = 255 * np.sqrt(3) / 1023  # of the planes, in grey levels

Tell = Callable[[str, int, int], None]
"""Gets the name of a piece of preparation, the number of its parts done, and of all."""


Numbers = TypeVar("Numbers", bound=NamedTuple)


class Material(NamedTuple):
    """What a network is trained on."""

    folder: Path
    """Where the pairs are kept."""
    images: TrainingImages
    pairs: int
    """Number of pairs to train on."""
    seed: int
    """Seed of the pairs, of the batches and of the network."""
    tell: Tell


def fitted(
    material: Material,
    name: str,
    kind: type[Numbers],
    fit: Callable[[Sequence[Path], int, int, Callable[[int, int], None]], Numbers],
) -> Numbers:
    """Fit the numbers of an entropy coder, or read them if they were fitted before.

    Parameters
    ----------
    material
        What they are fitted to; they are kept in its folder.
    name
        Their name, in the folder and in the progress.
    kind
        The tuple of arrays that they are.
    fit
        Gets the images, the side of squares, the seed, and what to tell the progress.
    """
    file = material.folder / f"{name}.npz"
    if file.is_file():
        with np.load(file) as kept:
            return kind(*(kept[field] for field in kept.files))
    telling = functools.partial(material.tell, name)
    numbers = fit(material.images.training, SIDE, material.seed, telling)
    arrays: dict[str, Any] = numbers._asdict()
    sink = io.BytesIO()
    np.savez_compressed(sink, **arrays)
    save(file, sink.getvalue())
    return numbers


class RefinerTrainee:
    """A network that refines, with pairs to train and to validate it on.

    Parameters
    ----------
    material
        What it is trained on.
    make_network
        Returns the network, as it is before the first step.
    turn
        Whether crops are turned and mirrored, rather than only transposed.
    """

    maps: int
    """Number of maps that the network sees."""

    def __init__(
        self, material: Material, make_network: Callable[[], nn.Module], *, turn: bool = True
    ) -> None:
        torch.manual_seed(material.seed)
        network = make_network()
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._material, self._turn = material, turn
        self._conditions: Sequence[str] = ()

    @classmethod
    def bytes_each(cls) -> int:
        """Return the size of a pair on the disk."""
        return bytes_of_pair(SIDE, cls.maps)

    def prepare(self, make: Make, conditions: Sequence[str], make_for_validation: Make) -> None:
        """Make the pairs to train on, and those to validate on.

        The latter are of some images, each under each of the named conditions.
        """
        folder, images, count, seed, tell = self._material
        self._pairs = Pairs(folder / "pairs", count, SIDE, self.maps)
        telling = functools.partial(tell, "training pairs")
        self._pairs.fill(images.training, make, seed, telling)
        shown = min(_VALIDATION_IMAGES, len(images.validation))
        paths = images.validation[:: len(images.validation) // shown][:shown]
        self._conditions, count = conditions, shown * len(conditions)
        self._validation = Pairs(folder / "validation", count, SIDE, self.maps)
        telling = functools.partial(tell, "validation pairs")
        self._validation.fill(paths, make_for_validation, seed, telling, len(conditions))

    def batch(self, index: int, size: int) -> Batch:
        """Return crops of random pairs: estimates, planes, cells and errors."""
        rng = np.random.default_rng((self._material.seed, 1 << 20, index))
        chosen = rng.integers(0, self._pairs.count, size)
        crops = [self._pairs.crop(int(i), CROP, rng, turn=self._turn) for i in chosen]
        return tuple(torch.stack(parts) for parts in zip(*crops, strict=True))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted squared error in units of that of the estimate.

        The unit is the mean of the estimate's error in the crop and in the whole picture, so that
        neither flat crops nor important ones take over.
        """
        found, planes, cells, whole = batch
        w = nn.functional.interpolate(cells[:, -1:], scale_factor=float(CELL))
        before, after = (
            (w * (shown - planes).square()).mean(dim=(1, 2, 3))
            for shown in (found, self._refine(network, found, cells))
        )
        return (2 * after / (before + whole)).mean()

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return the mean PSNR in dB under each condition."""
        return {name: after for name, (_, after) in self._psnrs(network, device).items()}

    def _psnrs(self, network: nn.Module, device: torch.device) -> dict[str, tuple[float, float]]:
        """Return the mean PSNR in dB under each condition, before and after the network."""
        found: dict[str, list[tuple[float, float]]] = {}
        kept = self._validation
        for i in range(kept.count):
            planes, cells = (
                torch.from_numpy(values[i].astype(np.float32))[None].to(device)
                for values in (kept.estimates, kept.cells)
            )
            with torch.inference_mode():
                better = self._refine(network, planes, cells)
            truth = to_planes(kept.images[i])
            before, after = (
                10 * np.log10(255**2 / np.square(shown[0].cpu().numpy() - truth).mean() / _UNIT**2)
                for shown in (planes, better)
            )
            name = self._conditions[i % len(self._conditions)]
            found.setdefault(name, []).append((before, after))
        return {
            name: (float(np.mean([b for b, _ in pairs])), float(np.mean([a for _, a in pairs])))
            for name, pairs in found.items()
        }

    def _refine(self, network: nn.Module, planes: Tensor, cells: Tensor) -> Tensor:
        parts = planes, cells[:, : self.maps], cells[:, self.maps : self.maps + 3]
        last = torch.channels_last
        better: Tensor = network(*(part.contiguous(memory_format=last) for part in parts))
        return better
