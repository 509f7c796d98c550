"""The training loop: batches, averaged weights, checkpoints, validation, and recovery.

The state of a training is one file, which is replaced atomically. Batches are functions of their
number, so a training that was killed goes on as if it had not been: with a number of steps
instead of minutes, its result is the same bit by bit.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from experiments.csv_table import to_csv
from experiments.saving import save
from experiments.training.interrupts import interrupted_between_steps
from experiments.training.protocol import Batch, Trainee
from semcom.errors import InputError
from semcom.processor import has_bfloat16

CHECKPOINT, CURVE = "checkpoint.pt", "curve.csv"
_WARM_UP = 100  # steps until the full learning rate
_AVERAGE = 0.999  # share of the average that a step keeps
_CLIP = 1.0
_LAST_RATE = 0.01  # share of the learning rate that is left at the end
_DIVERGED = 4.0  # times the least loss, as a mean over some steps
_OUTLIER = 10.0  # times the usual loss: more counts as this
_ROLLBACKS = 5
_MEMORY = 0.98  # of the usual loss


@dataclass(frozen=True)
class Settings:
    """How to train.

    Exactly one of ``minutes`` and ``steps`` is above 0. ``minutes`` counts the time of training
    only, over all sessions.
    """

    minutes: float = 0.0
    steps: int = 0
    seed: int = 0
    device: str = "cpu"
    batch: int = 10
    rate: float = 1.5e-3
    """Learning rate at its highest."""
    validate_minutes: float = 5.0
    checkpoint_minutes: float = 2.0

    @classmethod
    def asked(
        cls, before: Mapping[str, Any], *, minutes: float | None, steps: int | None, **others: Any
    ) -> Settings:
        """Return what a user asks for.

        Without a time or a number of steps, the length is that ``before``, if any, or an hour.
        """
        if steps is None and minutes is None:
            length = before or {"minutes": 60.0}
            minutes, steps = length.get("minutes"), length.get("steps")
        return cls(minutes=minutes or 0.0, steps=steps or 0, **others)


@dataclass
class State:
    """All that a training needs in order to go on."""

    step: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0
    rollbacks: int = 0
    usual: float = 0.0
    """Running mean of the loss."""
    least: float = math.inf
    """Least value of that mean."""
    curve: list[dict[str, float]] = field(default_factory=list)


class Training:
    """A training in a folder.

    Parameters
    ----------
    trainee
        What is trained.
    folder
        Where its checkpoint and its curve are kept.
    settings
        How to train.
    resume
        Whether to go on from the checkpoint. Without it, a folder that holds one is refused.
    about
        What identifies the training; a checkpoint of another one is refused.
    """

    def __init__(
        self,
        trainee: Trainee,
        folder: Path,
        settings: Settings,
        *,
        resume: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.trainee, self.folder, self.settings = trainee, folder, settings
        self.about = dict(about or {})
        self.device = torch.device(settings.device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(settings.seed)
        self.network = trainee.network.to(self.device)
        self.average = AveragedModel(self.network, avg_fn=_averaged, use_buffers=True)
        decay = 1e-4
        parameters = self.network.parameters()
        betas = 0.9, 0.99
        self.optimizer = torch.optim.AdamW(parameters, settings.rate, betas, weight_decay=decay)
        self.state, self._between_steps = State(), True
        if (folder / CHECKPOINT).exists():
            if not resume:
                raise InputError(f"{folder} holds a training already: go on with --resume")
            self._restore()

    def run(self, tell: Callable[[State, float, float], None]) -> nn.Module:
        """Train to the end, and return the averaged network.

        ``tell`` gets the state, the share that is done and the last loss, after every step.
        """
        state, settings = self.state, self.settings
        saved = validated = state.seconds
        if not state.step:
            self.save()  # for a training that diverges at once
        try:
            with interrupted_between_steps() as go_on:
                batches = self._batches()  # whose processes do not end by Ctrl-C, either
                while (share := self._share()) < 1:
                    go_on()
                    began = time.perf_counter()
                    batch = next(batches)
                    self._between_steps = False
                    loss = self._step(batch, share)
                    state.seconds += time.perf_counter() - began
                    if not self._is_sound(loss):
                        self._roll_back()
                        saved, batches = state.seconds, self._batches()
                        continue
                    self._between_steps = True
                    tell(state, self._share(), loss)
                    if state.seconds - validated >= 60 * settings.validate_minutes:
                        self._validate(loss)
                        validated = state.seconds
                    if state.seconds - saved >= 60 * settings.checkpoint_minutes:
                        self.save()
                        saved = state.seconds
                go_on()
        except KeyboardInterrupt:
            if self._between_steps:  # otherwise the last checkpoint is the last consistent state
                self.save()
            raise
        if not state.curve or state.curve[-1]["step"] != state.step:
            self._validate(state.usual)
        tell(state, self._share(), state.usual)
        self.save()
        return self.average.module

    @property
    def _on_cuda(self) -> bool:
        return self.device.type == "cuda"

    def _share(self) -> float:
        if self.settings.steps:
            return self.state.step / self.settings.steps
        return self.state.seconds / (60 * self.settings.minutes)

    def _batches(self) -> Iterator[Batch]:
        size, first = self.settings.batch, self.state.step
        workers = 4 if self._on_cuda else 0
        dataset = _Batches(self.trainee, size)
        endless = iter(range(first, 1 << 40))
        own = torch.Generator()  # or a loader draws a seed from torch's, after it was restored
        return iter(
            DataLoader(
                dataset, batch_size=None, sampler=endless, num_workers=workers, generator=own
            )
        )

    def _step(self, batch: Batch, share: float) -> float:
        state = self.state
        decayed = _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
        rate = self.settings.rate * state.rate_scale * min(1, (state.step + 1) / _WARM_UP) * decayed
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or has_bfloat16()):
            loss = self.trainee.loss(self.network, tuple(part.to(self.device) for part in batch))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        if not math.isfinite(norm):
            return math.nan
        self.optimizer.step()
        self.average.update_parameters(self.network)
        state.step += 1
        return float(loss.detach())

    def _is_sound(self, loss: float) -> bool:
        """Tell whether the loss is finite and, over some steps, near the least so far."""
        state = self.state
        if not math.isfinite(loss):
            return False
        usual = state.usual or loss
        state.usual = _MEMORY * usual + (1 - _MEMORY) * min(loss, _OUTLIER * usual)
        state.least = min(state.least, state.usual)
        return state.usual < _DIVERGED * state.least

    def _roll_back(self) -> None:
        """Go back to the checkpoint, and halve the learning rate."""
        state = self.state
        rollbacks, scale = state.rollbacks + 1, state.rate_scale / 2
        if rollbacks > _ROLLBACKS:
            raise InputError(
                f"the training of {self.trainee.name} diverged {rollbacks} times, at last in step "
                f"{state.step}; its last checkpoint is {self.folder / CHECKPOINT}"
            )
        self._restore()
        self.state.rollbacks, self.state.rate_scale = rollbacks, scale
        self.save()

    def _validate(self, loss: float) -> None:
        state = self.state
        self.average.eval()
        scores = self.trainee.validate(self.average.module, self.device)
        row = {"step": state.step, "minutes": state.seconds / 60, "loss": loss, **scores}
        state.curve.append(row)
        columns = list(row)
        save(self.folder / CURVE, to_csv(columns, [[r[c] for c in columns] for r in state.curve]))

    def save(self) -> None:
        """Replace the checkpoint."""
        sink = io.BytesIO()
        content = {
            "about": self.about,
            "state": asdict(self.state),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random on device": torch.cuda.get_rng_state(self.device) if self._on_cuda else None,
        }
        torch.save(content, sink)
        save(self.folder / CHECKPOINT, sink.getvalue())

    def _restore(self) -> None:
        file = self.folder / CHECKPOINT
        try:
            content = torch.load(file, map_location=self.device, weights_only=True)
            # Checkpoints of earlier versions do not say these.
            missing = {name: self.about[name] for name in ("device", "rate") if name in self.about}
            about = missing | content["about"]
            if about == self.about:
                self.network.load_state_dict(content["network"])
                self.average.load_state_dict(content["average"])
                self.optimizer.load_state_dict(content["optimizer"])
                self.state.__dict__.update(content["state"])
                torch.set_rng_state(content["random"].cpu())
                if self._on_cuda and content.get("random on device") is not None:
                    torch.cuda.set_rng_state(content["random on device"].cpu(), self.device)
        except Exception as error:  # torch.load raises whatever its parts do
            why = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{file} is no checkpoint of this training: {why}") from error
        if about != self.about:
            names = self.about.keys() | about.keys()
            changed = sorted(k for k in names if about.get(k) != self.about.get(k))
            raise InputError(f"{file} is of another training, with another {', '.join(changed)}")


def _averaged(average: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
    """Return a moving average, over fewer steps at the start; of whole numbers, the last one."""
    if not new.is_floating_point():
        return new
    return average.lerp(new, max(1 - _AVERAGE, 9 / (10 + int(steps))))


class _Batches(Dataset[Batch]):
    """The batches of a trainee by number."""

    def __init__(self, trainee: Trainee, size: int) -> None:
        self.trainee, self.size = trainee, size

    def __getitem__(self, index: int) -> Batch:
        return self.trainee.batch(index, self.size)
