"""The MobileSAM checkpoint: locating, downloading, verifying and reading it.

The file is ``mobile_sam.pt`` of the official repository (arXiv:2306.14289, Apache-2.0). It is
downloaded on first use into the user's cache directory, or given by the environment variable
``SEMCOM_MOBILE_SAM``. Nothing here imports torch before a checkpoint is read.
"""

from __future__ import annotations

import os
from pathlib import Path

from channels.owner import expanded
from semcom.checkpoints.download import WeightsUnavailable, reason
from semcom.errors import InputError
from semcom.hashes import sha256_of

ENVIRONMENT = "SEMCOM_MOBILE_SAM"
NAME = "mobile_sam.pt"
URLS = (
    "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt",
    "https://huggingface.co/dhkim2810/MobileSAM/resolve/main/mobile_sam.pt",
    "https://huggingface.co/spaces/dhkim2810/MobileSAM/resolve/main/mobile_sam.pt",
)
"""The official address, then two mirrors; whatever comes is kept only if it has the hash."""
SIZE = 40_728_226
SHA256 = "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"


def path() -> Path:
    """Return the path of the checkpoint, whether or not it has been downloaded."""
    import pooch  # slow to import, and most of semcom never needs it

    named = os.environ.get(ENVIRONMENT)
    return expanded(named) if named else Path(pooch.os_cache("semcom")) / NAME


def available() -> bool:
    """Tell whether a file of the right size is in place; the hash is not computed."""
    return not why_unavailable()


def why_unavailable() -> str:
    """Say why the network is not used by default; return an empty string if it is."""
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
    """Tell whether the user names an existing file, which segmenter mobile_sam uses unverified."""
    return bool(os.environ.get(ENVIRONMENT)) and path().is_file()


def fetch(*, url: str = "", sha256: str = SHA256, progress: bool = True) -> Path:
    """Return the checkpoint's path, downloading it first if it is missing.

    The addresses of ``URLS`` are tried in turn, until one sends the file with the right hash.

    The download goes to a temporary file beside the final one, which is renamed once its hash has
    been verified. A file that the user named through ``SEMCOM_MOBILE_SAM`` is never overwritten.

    Parameters
    ----------
    url
        Another address to download from, instead of those.
    sha256
        Expected hash of its content, 64 hexadecimal digits.
    progress
        Whether to show a progress bar on stderr.

    Raises
    ------
    WeightsUnavailable
        Offline, or every server sent something else; the message gives the remedy.
    ValueError
        The user's own file would have to be overwritten.
    """
    import pooch

    target = path()
    if named():
        if sha256_of(target) == sha256.lower():
            return target
        raise InputError(
            f"{target} ({ENVIRONMENT}) does not have SHA-256 {sha256} and will not be overwritten: "
            f"move it away, or unset {ENVIRONMENT}"
        )
    failures: dict[str, Exception] = {}
    for address in (url,) if url else URLS:
        try:
            known = f"sha256:{sha256}"
            pooch.retrieve(address, known, target.name, target.parent, progressbar=progress)
        except (OSError, ValueError) as error:  # requests' exceptions are OSErrors
            failures[address] = error
        else:
            return target
    tried = ", ".join(f"{address} ({reason(error)})" for address, error in failures.items())
    raise WeightsUnavailable(
        f"could not fetch {NAME} from {tried}: put the file "
        f"({SIZE:,} bytes, SHA-256 {sha256}) at {target} or name it in {ENVIRONMENT}; "
        "the embedded segmenter needs no weights: --segmenter graph"
    ) from next(iter(failures.values()))


def locate() -> Path:
    """Return the checkpoint to use: the user's own, unverified, or else the official one.

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
        raise InputError(f"{file} does not exist: run 'semcom weights fetch'")
    if (size := file.stat().st_size) != SIZE:
        raise InputError(f"{file} has {size:,} bytes, the official checkpoint has {SIZE:,}")
    if (found := sha256_of(file)) != SHA256:
        raise InputError(f"{file} has SHA-256 {found}, the official checkpoint has {SHA256}")
