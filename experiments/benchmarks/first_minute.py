"""Benchmark of a newcomer's first commands: errors, a small picture and a large photo.

    python -m experiments.benchmarks.first_minute

Each command runs in its own process with an empty cache; for quick commands the best of three runs
counts. Goals: an error within 0.7 s and 150 MB, and a photo of 12 megapixels within 20 s and
1.5 GB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from PIL import Image as PilImage
from skimage import data

_ERRORS = (
    ("send", "photo.png", "--codec", "hvec"),
    ("send", "photo.png", "--channel", "awgm"),
    ("send", "photo.png", "--segmenter", "grpah"),
    ("send", "notes.txt"),
    ("send", "nowhere.png"),
    ("compare", "notes.txt"),
    ("segment", "nowhere.png"),
    ("ber", "--modulation", "qpks"),
    ("bler", "--channel", "awgm"),
    ("bler", "--scheme", "9x"),
    ("bler", "--decoder", "int9"),
    ("mcs", "--channel", "awgm"),
    ("export", "nowhere"),
    ("check-codec", "hvec"),
    ("check-channel", "awgm"),
    ("run", "kodac"),
    ("run", "kodak-awgn", "--set", "codec=hvec"),
    ("plan", "kodak-awgn", "--set", "codek=hevc"),
    ("plot", "nowhere"),
)
_LARGE = (3000, 4000)
# The peak memory of a process includes that of its parent, so a small process must launch it.
_LAUNCH = """
import os, sys, time
start = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """The time and memory that a process took."""

    seconds: float
    megabytes: float
    """Peak memory in MB."""
    status: int


def measure(args: tuple[str, ...], folder: Path) -> Cost:
    """Run ``semcom`` once."""
    environment = {**os.environ, "SEMCOM_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()", *args]
    launched = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-S", "-c", _LAUNCH, *command],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, kilobytes, status = launched.stdout.split()
    return Cost(float(seconds), int(kilobytes) / 1024, int(status))


def photo(height: int, width: int) -> PilImage.Image:
    """Return scikit-image's astronaut at any size, with a camera's noise."""
    astronaut = data.astronaut()  # type: ignore[no-untyped-call, unused-ignore]
    picture = PilImage.fromarray(astronaut).resize((width, width), 1)
    pixels = np.array(picture)[:height].astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape[:2]).round().astype(np.int16)
    return PilImage.fromarray((pixels + noise[..., None]).clip(0, 255).astype(np.uint8))


@click.command()
@click.option("--large/--no-large", default=True, help="Send the large photo as well.")
def main(large: bool) -> None:
    """Print seconds and peak memory beside the goals."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "notes.txt").write_text("no image\n")
        photo(256, 384).save(folder / "photo.png")
        for args in _ERRORS:
            cost = min(measure(args, folder) for _ in range(3))
            _print(args, cost, goal_s=0.7, goal_mb=150)
            assert cost.status != 0
        _print(("send", "photo.png"), measure(("send", "photo.png"), folder))
        if large:
            photo(*_LARGE).save(folder / "large.jpg", quality=92)
            _print(("send", "large.jpg"), measure(("send", "large.jpg"), folder), 20, 1500)


def _print(
    args: tuple[str, ...], cost: Cost, goal_s: float | None = None, goal_mb: float | None = None
) -> None:
    goals = f" (goal {goal_s:g} s, {goal_mb:g} MB)" if goal_s else ""
    print(f"{' '.join(args)}: {cost.seconds:.2f} s, {cost.megabytes:.0f} MB{goals}", flush=True)


if __name__ == "__main__":
    main()
