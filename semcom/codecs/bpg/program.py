"""The programs ``bpgenc`` and ``bpgdec`` of libbpg, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from channels.owner import expanded
from semcom.cache import recall
from semcom.errors import InputError
from semcom.types import Image

_LIMIT_S = 600.0


def find(program: str) -> str:
    """Return the path of a program; refuse one that does not exist or cannot be run."""
    found = shutil.which(str(expanded(program)))
    if found is None:
        raise InputError(
            f"bpg: there is no program {program!r} that can be run; give the path of libbpg's "
            "bpgenc, or leave out program to encode with FFmpeg's x265"
        )
    return found


def beside(encoder: str) -> str:
    """Return the path of ``bpgdec`` beside ``bpgenc``; empty if there is none."""
    return shutil.which(str(Path(encoder).with_name("bpgdec"))) or ""


def encode(program: str, image: Image, qp: int, chroma: str) -> bytes:
    """Return the BPG file that ``bpgenc`` writes for RGB (H, W, 3) uint8 at a QP.

    It gets the chroma format and the bit depth of 8, and is else left at its defaults.
    """
    about = Path(program).stat()
    return recall(
        lambda: _encode(program, image, qp, chroma),
        *("bpgenc", program, about.st_size, about.st_mtime_ns, image, qp, chroma),
    )


def decode(program: str, file: bytes) -> Image:
    """Return the picture that ``bpgdec`` shows for a BPG file, (H, W, 3) uint8."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "picture.bpg"), Path(folder, "picture.png")
        source.write_bytes(file)
        _run([program, "-o", str(target), str(source)], target)
        with PilImage.open(target) as picture:
            return np.asarray(picture.convert("RGB"))


def _encode(program: str, image: Image, qp: int, chroma: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "picture.png"), Path(folder, "picture.bpg")
        PilImage.fromarray(image).save(source)
        options = ["-q", str(qp), "-f", chroma, "-b", "8", "-o", str(target)]
        _run([program, *options, str(source)], target)
        return target.read_bytes()


def _run(command: list[str], target: Path) -> None:
    name = Path(command[0]).name
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LIMIT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"bpg: {name} did not finish: {' '.join(str(error).split())}") from None
    if done.returncode or not target.exists():
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise InputError(f"bpg: {name} failed: {said[0]}")
