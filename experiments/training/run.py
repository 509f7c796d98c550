"""A training from a folder of images to weights: its plan, its progress, and its results."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from experiments.saving import save
from experiments.store.provenance import commit, machine
from experiments.training.card import model_card
from experiments.training.images import TrainingImages, find_training_images
from experiments.training.kept import check_room
from experiments.training.loop import CHECKPOINT, Settings, State, Training, alone
from experiments.training.models.jscc import JsccTrainee
from experiments.training.models.restorer import RestorerTrainee
from experiments.training.models.sam_sc import SamScTrainee
from experiments.training.models.tiny import TinyTrainee
from experiments.training.refining import Material
from semcom.codecs.jscc import weights as jscc_weights
from semcom.codecs.restorer import restorer
from semcom.codecs.sam_sc import weights as sam_sc_weights
from semcom.codecs.tiny import weights as tiny_weights
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.torch_device import check_device
from semcom.versions import __version__, versions

WEIGHTS, CARD, MANIFEST = "weights.safetensors", "MODEL_CARD.md", "manifest.json"
SETTINGS = "settings.json"
SHIPPED = "shipped"
"""Weights to start from that stand for those of the package."""
_LINE_EVERY_S = 60.0


class Trainable(NamedTuple):
    """A model that can be trained."""

    about: str
    trainee: type[JsccTrainee] | type[RestorerTrainee] | type[TinyTrainee] | type[SamScTrainee]
    load: Callable[[str], Any]
    """Reads a file of weights, or with an empty path those of the package."""
    shipped: str
    """SHA-256 of the weights of the package."""
    scores: str
    """What the scores of its validation are."""


TRAINABLE = {
    "jscc": Trainable(
        "the receiver's network and the side information's code of codec jscc",
        JsccTrainee,
        jscc_weights.load,
        jscc_weights.SHA256,
        "Mean PSNR in dB of squares that are not trained on, by CBR and SNR",
    ),
    "restorer": Trainable(
        "the network behind the decoders of jpeg, hevc and softcast, for restore=true",
        RestorerTrainee,
        restorer.load,
        restorer.SHA256,
        "Mean gain in PSNR in dB over the codec alone, for squares that are not trained on, by "
        "codec and its quality, QP or SNR",
    ),
    "tiny": Trainable(
        "the receiver's network and the entropy coder's tables of codec tiny",
        TinyTrainee,
        tiny_weights.load,
        tiny_weights.SHA256,
        "Mean gain in PSNR in dB over the codec without its network, for squares that are not "
        "trained on, by level of the quantiser's step",
    ),
    "sam_sc": Trainable(
        "both halves of the network of codec sam_sc",
        SamScTrainee,
        sam_sc_weights.load,
        sam_sc_weights.SHA256,
        "Mean PSNR in dB of squares that are not trained on, by CBR and SNR, without side "
        "information",
    ),
}


class Request(NamedTuple):
    """What a user asks for."""

    model: str
    """A name in :data:`TRAINABLE`."""
    data: Path
    out: Path
    settings: Settings
    pairs: int
    resume: bool
    start: str = ""
    """File of weights to start from, or :data:`SHIPPED`."""


def train(request: Request, say: Callable[[str], None]) -> Path:
    """Train a model, and return the file of its weights.

    Raises
    ------
    ValueError
        The folder holds no images, another training or one that diverges, or nothing is to be done.
    """
    settings, model = request.settings, TRAINABLE[request.model]
    if (settings.minutes > 0) == (settings.steps > 0):
        raise InputError("give either --minutes or --steps, above 0")
    check_device(settings.device)
    if request.out.exists() and not request.out.is_dir():
        raise InputError(f"--out must be a folder, and {request.out} is a file")
    if request.out.resolve() == request.data.resolve():
        raise InputError(
            "--out must be another folder than --data, whose manifest.json it would replace"
        )
    with alone(request.out):
        if (request.out / CHECKPOINT).exists() and not request.resume:
            raise InputError(f"{request.out} holds a training already: go on with --resume")
        images = find_training_images(request.data)
        start = "" if request.start == SHIPPED else request.start
        started = model.load(start) if request.start else None
        manifest = json.dumps(images.manifest(), indent=1)
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        about = {
            "model": request.model,
            "images": digest,
            "pairs": request.pairs,
            "seed": settings.seed,
            "batch": settings.batch,
        }
        if request.start:
            about["start"] = sha256_of(Path(start)) if start else model.shipped
        check_room(request.out / "pairs", request.pairs, model.trainee.bytes_each())
        _check_same(request.out / SETTINGS, about)
        save(request.out / MANIFEST, manifest)
        made_by = commit() or f"of semcom {__version__}"
        for line in plan(request, images):
            say(line)
        with _Display(say) as display:
            material = Material(request.out, images, request.pairs, settings.seed, display.prepare)
            trainee = model.trainee(material, started)
            training = Training(trainee, request.out, settings, resume=request.resume, about=about)
            network = training.run(display.step)
        file = request.out / WEIGHTS
        metadata = {
            "model": request.model,
            "scores": model.scores,
            "commit": made_by,
            "machine": _machine(),
            "images": digest,
            "minutes": f"{training.state.seconds / 60:.1f}",
            "steps": str(training.state.step),
            **({"start": str(about["start"])} if request.start else {}),
        }
        trainee.save(network, file, metadata)
        card = model_card(file, training.state, settings, images, metadata)
        save(request.out / CARD, card)
    return file


def _check_same(file: Path, about: dict[str, object]) -> None:
    """Write what identifies a training; refuse a folder whose pairs are of another one."""
    if file.is_file():
        before = json.loads(file.read_text(encoding="utf-8"))
        names = about.keys() | before.keys()
        if changed := sorted(name for name in names if before.get(name) != about.get(name)):
            raise InputError(
                f"{file.parent} is of another training: its {', '.join(changed)} differ; choose "
                "another --out"
            )
    save(file, json.dumps(about, indent=1))


def plan(request: Request, images: TrainingImages) -> list[str]:
    """Describe what will be done."""
    settings = request.settings
    length = f"{settings.steps:,} steps" if settings.steps else f"{settings.minutes:g} minutes"
    lines = [
        f"{len(images.training)} images to train on, {len(images.validation)} to validate on, "
        f"{len(images.skipped)} skipped",
        *(f"  skipped: {reason}" for reason in images.skipped[:20]),
        f"{request.pairs:,} pairs of sent and received squares, {settings.batch} crops a step, "
        f"{length} on {settings.device}, seed {settings.seed}",
        *([f"starting from the weights {request.start}"] if request.start else []),
        f"checkpoints, curve and weights in {request.out}",
    ]
    if len(images.skipped) > 20:
        lines.insert(-2, f"  skipped: {len(images.skipped) - 20} more")
    return lines


def _machine() -> str:
    """Describe the machine and the libraries in one line."""
    about, libraries = machine(), versions()
    used = ", ".join(f"{name} {libraries[name]}" for name in ("torch", "numpy", "numba"))
    return f"{about['processor']}, {about['cores']} cores, Python {about['python']}, {used}"


class _Display:
    """The progress of a training: a bar on a terminal, lines elsewhere, and a table of scores."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, int] = {}
        self._rows = 0
        self._told = 0.0

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _task(self, name: str) -> int:
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=1.0)
        return self._tasks[name]

    def _line(self, text: str, *, always: bool = False) -> None:
        """Print a line where there is no bar, now and then."""
        now = time.monotonic()
        if always or (self._bar.disable and now - self._told > _LINE_EVERY_S):
            self._told = now
            self._say(text)

    def prepare(self, what: str, done: int, of: int) -> None:
        """Tell how far the preparation is."""
        self._bar.update(self._task(what), completed=done / of)  # type: ignore[arg-type]
        self._line(f"{what}: {done:,} of {of:,}")

    def step(self, state: State, share: float, loss: float) -> None:
        """Tell how far the training is, and the scores of each validation."""
        task = self._task("training")
        self._bar.update(task, completed=share)  # type: ignore[arg-type]
        self._line(f"step {state.step:,}, {100 * share:.0f}%, loss {loss:.3f}")
        for row in state.curve[self._rows :]:
            cells = [
                f"{row['minutes']:6.1f} min",
                f"step {row['step']:,}",
                f"loss {row['loss']:.3f}",
            ]
            scores = list(row.items())[3:]
            cells += [f"{name}: {value:.2f}" for name, value in scores]
            self._line("  ".join(cells), always=True)
        self._rows = len(state.curve)
