"""The MobileSAM checkpoint: where it is, fetching it, checking it, reading it.

The file is ``mobile_sam.pt`` of the official repository (arXiv:2306.14289, Apache-2.0). It is
fetched on first use into the user's cache directory, or named by the environment variable
``SEMCOM_MOBILE_SAM``. Nothing here imports torch before a checkpoint is read.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ENVIRONMENT = "SEMCOM_MOBILE_SAM"
NAME = "mobile_sam.pt"
URL = "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt"
SIZE = 40_728_226
SHA256 = "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"


class WeightsUnavailable(ValueError):  # noqa: N818 - it reads better in the message
    """The checkpoint is not here and could not be fetched."""


def path() -> Path:
    """Where the checkpoint is, or would be once fetched."""
    import pooch  # slow to import, and most of semcom never needs it

    named = os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else Path(pooch.os_cache("semcom")) / NAME


def available() -> bool:
    """Whether a file of the right size is in place; cheap, the hash is not computed."""
    return not why_unavailable()


def why_unavailable() -> str:
    """Say why no file is taken unless it is asked for; empty where one is."""
    file = path()
    if not file.is_file():
        other = os.environ.get(ENVIRONMENT)
        return f"{file}, named by {ENVIRONMENT}, is no file" if other else "no MobileSAM weights"
    if (size := file.stat().st_size) == SIZE:
        return ""
    found = f"has {size:,} bytes, the official checkpoint has {SIZE:,}"
    if not named():
        return f"{file} {found}"
    return f"{file}, named by {ENVIRONMENT}, {found}; only segmenter mobile_sam takes it"


def named() -> bool:
    """Whether the user names a file that is there: segmenter mobile_sam takes it as it is."""
    return bool(os.environ.get(ENVIRONMENT)) and path().is_file()


def sha256_of(file: Path) -> str:
    """SHA-256 of ``file`` in lower-case hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(*, url: str = URL, sha256: str = SHA256, progress: bool = True) -> Path:
    """Return the checkpoint's path, downloading it first where it is missing.

    The download goes to a temporary file beside the final one and is renamed only once its hash
    is right. A file that the user named through ``SEMCOM_MOBILE_SAM`` is never overwritten.

    Parameters
    ----------
    url
        Where to fetch it from, for example a mirror.
    sha256
        What its content must hash to, 64 hexadecimal digits.
    progress
        Show a progress bar on stderr.

    Raises
    ------
    WeightsUnavailable
        Offline, or the server sent something else; the message says what to do.
    ValueError
        The user's own file is in the way.
    """
    import pooch

    target = path()
    if named():
        if sha256_of(target) == sha256.lower():
            return target
        raise ValueError(
            f"{target} ({ENVIRONMENT}) has not SHA-256 {sha256} and will not be overwritten: "
            f"move it away, or unset {ENVIRONMENT}"
        )
    try:
        pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, progressbar=progress)
    except (OSError, ValueError) as error:  # requests' exceptions are OSErrors
        raise WeightsUnavailable(
            f"could not fetch {NAME} from {url} ({reason(error)}): put the file "
            f"({SIZE:,} bytes, SHA-256 {sha256}) at {target} or name it in {ENVIRONMENT}; "
            "the embedded segmenter works without: --segmenter graph"
        ) from error
    return target


def locate() -> Path:
    """Return the checkpoint to use: the user's own as it is, else the official one, fetched.

    Raises
    ------
    WeightsUnavailable
        See :func:`fetch`.
    """
    return path() if named() else fetch()


def check(file: Path | None = None) -> None:
    """Raise ``ValueError`` unless ``file`` (default: ``path()``) is the official checkpoint."""
    file = path() if file is None else file
    if not file.is_file():
        raise ValueError(f"{file} does not exist: run 'semcom weights fetch'")
    if (size := file.stat().st_size) != SIZE:
        raise ValueError(f"{file} has {size:,} bytes, the official checkpoint has {SIZE:,}")
    if (found := sha256_of(file)) != SHA256:
        raise ValueError(f"{file} has SHA-256 {found}, the official checkpoint has {SHA256}")


def load_state_dict(file: Path) -> dict[str, Tensor]:
    """Read a checkpoint as tensors on the CPU; code inside the file is never run.

    They may also be the entry ``"state_dict"`` of what a training loop saved.

    Raises
    ------
    ValueError
        The file is missing, damaged, holds anything but tensors, or is no dictionary of them.
    """
    import torch

    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail anywhere in the unpickler
        raise ValueError(f"cannot read {file} as a checkpoint ({reason(error)})") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise ValueError(f"{file} must hold a dictionary of names and tensors, not another object")
    return state


def reason(error: Exception) -> str:
    """Say in one short line why something failed."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    # The messages of requests and of the unpickler run over many lines and repeat the address.
    if isinstance(error, ValueError) and str(error):
        return " ".join(str(error).split())
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__
