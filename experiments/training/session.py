"""What all trainings from the command line share: their folder, their progress, their results."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from experiments.saving import save
from experiments.store.provenance import commit, machine
from experiments.training.card import model_card
from experiments.training.images import TrainingImages, find_training_images
from experiments.training.loop import CHECKPOINT, Settings, State, Training
from semcom.errors import InputError
from semcom.torch_device import check_device
from semcom.versions import __version__, versions

WEIGHTS, CARD, MANIFEST = "weights.safetensors", "MODEL_CARD.md", "manifest.json"
SETTINGS = "settings.json"
_LENGTH = "length"
_LINE_EVERY_S = 60.0
_MOST_SKIPPED = 20


class Folders(NamedTuple):
    """Where a training takes its images from, and where its results go."""

    data: Path
    out: Path
    resume: bool


class Source(NamedTuple):
    """What a training is made from."""

    images: TrainingImages
    manifest: str
    """Names, hashes and uses of all files, as JSON."""
    commit: str
    """The code, as it was when the training began."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the manifest."""
        return hashlib.sha256(self.manifest.encode()).hexdigest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder for one training; refuse another one in the meantime."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another training is running in {folder}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def opened(folders: Folders, settings: Settings) -> Iterator[Source]:
    """Check what a user asks for, and hold the folder of results; give the images.

    Raises
    ------
    ValueError
        The length or the device is impossible, the folder of results is in use or holds a training
        already, or there are no images.
    """
    if settings.steps < 0 or (settings.minutes > 0) == (settings.steps > 0):
        raise InputError("give either --minutes or --steps, above 0")
    if not math.isfinite(settings.minutes):
        raise InputError(f"--minutes must be finite, got {settings.minutes}")
    if not math.isfinite(settings.rate):
        raise InputError(f"--rate must be finite, got {settings.rate}")
    check_device(settings.device)
    data, out, resume = folders
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder, and {out} is a file")
    if out.resolve() == data.resolve():
        raise InputError(
            "--out must be another folder than --data, whose manifest.json it would replace"
        )
    with alone(out):
        if (out / CHECKPOINT).exists() and not resume:
            raise InputError(f"{out} holds a training already: go on with --resume")
        images = find_training_images(data)
        manifest = json.dumps(images.manifest(), indent=1)
        yield Source(images, manifest, commit() or f"of semcom {__version__}")


def identify(out: Path, prepared: Mapping[str, object], source: Source) -> None:
    """Write what a training is prepared from.

    A folder whose preparation is of something else is refused, as is one that does not say.
    """
    file, length = out / SETTINGS, length_before(out)
    if file.is_file():
        before = _read(file)
        if changed := sorted(name for name in prepared if before.get(name) != prepared[name]):
            raise InputError(
                f"{file.parent} is of another training, with another {', '.join(changed)}; choose "
                "another --out"
            )
    elif made := sorted({*out.glob("*/done.json"), *out.glob("*.npz")}):
        raise InputError(
            f"{made[0]} was made for another training, and {file} is missing, which says for "
            "which; choose another --out"
        )
    save(file, json.dumps({**prepared, _LENGTH: length}, indent=1))
    save(out / MANIFEST, source.manifest)


def keep_length(out: Path, settings: Settings) -> None:
    """Write how long a training is, for :func:`length_before`, once nothing speaks against it."""
    length = {"steps": settings.steps} if settings.steps else {"minutes": settings.minutes}
    save(out / SETTINGS, json.dumps({**_read(out / SETTINGS), _LENGTH: length}, indent=1))


def length_before(out: Path) -> dict[str, Any]:
    """Return ``minutes`` or ``steps`` of the training in a folder, or nothing where there is none.

    Raises
    ------
    ValueError
        The folder's record is damaged.
    """
    file = out / SETTINGS
    length = _read(file).get(_LENGTH) if file.is_file() else None
    return length if isinstance(length, dict) else {}


def _read(file: Path) -> dict[str, object]:
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(before, dict):
            return before
    except ValueError:  # UnicodeDecodeError is one
        pass
    raise InputError(f"{file} is damaged: choose another --out")


def finish(
    training: Training, network: Any, folders: Folders, source: Source, facts: Mapping[str, str]
) -> Path:
    """Write the weights with the model card, and return the file of the weights.

    ``facts`` says what was trained, and becomes the metadata of the file.
    """
    file, state = folders.out / WEIGHTS, training.state
    metadata = {
        **facts,
        "commit": source.commit,
        "machine": describe_machine(),
        "images": source.digest,
        "minutes": f"{state.seconds / 60:.1f}",
        "steps": str(state.step),
    }
    training.trainee.save(network, file, metadata)
    card = model_card(file, state, training.settings, source.images, metadata)
    save(folders.out / CARD, card)
    return file


TOGETHER = "there is but one source, so that scores are of an image that is trained on"


def describe_images(images: TrainingImages) -> list[str]:
    """Say how many images there are, and why some are not used."""
    more = len(images.skipped) - _MOST_SKIPPED
    return [
        f"{len(images.training)} images to train on, {len(images.validation)} to validate on, "
        f"{len(images.skipped)} skipped",
        *([] if images.apart else [TOGETHER]),
        *(f"  skipped: {reason}" for reason in images.skipped[:_MOST_SKIPPED]),
        *([f"  skipped: {more} more"] if more > 0 else []),
    ]


def describe_length(settings: Settings) -> str:
    """Say how long the training takes."""
    return f"{settings.steps:,} steps" if settings.steps else f"{settings.minutes:g} minutes"


def describe_machine() -> str:
    """Describe the machine and the libraries in one line."""
    about, libraries = machine(), versions()
    used = ", ".join(f"{name} {libraries[name]}" for name in ("torch", "numpy", "numba"))
    return f"{about['processor']}, {about['cores']} cores, Python {about['python']}, {used}"


class Display:
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

    def __enter__(self) -> Display:
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
