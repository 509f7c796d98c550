"""CompressAI's trained models: locating, downloading, verifying and reading their files.

The addresses are those of ``compressai.zoo``. As for torch.hub, a file's name ends with the first
eight hexadecimal digits of its SHA-256. This detects damage but would not stop an attacker, so
files are read as tensors only and nothing in them is run.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from semcom.checkpoints.download import WeightsUnavailable, load_state_dict, reason
from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.checkpoints.user_code import find_object
from semcom.errors import InputError
from semcom.hashes import sha256_of

if TYPE_CHECKING:
    from compressai.models import CompressionModel


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the libraries' warnings about their own future, which users cannot act on."""
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            warnings.simplefilter("ignore", category)
        yield


def import_zoo() -> ModuleType:
    """Import ``compressai.zoo``, which takes seconds."""
    with quiet():
        import_torchvision()  # CompressAI needs no more of it than MobileSAM
        import compressai.zoo

    return compressai.zoo  # type: ignore[no-any-return]


def urls(model: str, metric: str) -> dict[int, str]:
    """Return the addresses of a model's qualities, from 1 (the coarsest) upwards."""
    return dict(import_zoo().image.model_urls[model][metric])


def path(url: str) -> Path:
    """Return the path of the file of an address, whether or not it has been downloaded."""
    import pooch  # slow to import

    return Path(pooch.os_cache("semcom")) / "compressai" / url.rpartition("/")[2]


def fetch(url: str, *, progress: bool = True) -> Path:
    """Return the path of a model's file, downloading it first if it is missing or damaged.

    The download goes to a temporary file beside the final one, which is renamed once its hash has
    been verified.

    Raises
    ------
    WeightsUnavailable
        Offline, or the server sent something else; the message gives the remedy.
    """
    import pooch

    target, digest = path(url), _digest(url)
    if target.is_file() and sha256_of(target).startswith(digest):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            file = Path(folder) / target.name
            pooch.HTTPDownloader(progressbar=progress)(url, str(file), None)
            if not (found := sha256_of(file)).startswith(digest):
                raise InputError(f"its SHA-256 is {found}")
            file.replace(target)
    except (OSError, ValueError) as error:  # requests' exceptions are OSErrors
        raise WeightsUnavailable(
            f"could not fetch {url} ({reason(error)}): put the file, whose SHA-256 begins with "
            f"{digest}, at {target}, or use a file of your own: "
            "learned:model=NAME,checkpoint=PATH"
        ) from error
    return target


def load(file: Path, model: str) -> CompressionModel:
    """Read a checkpoint of the architecture ``model``, ready to compress on the CPU.

    ``model`` is a name in CompressAI's zoo, or ``package.module:Class`` or ``file.py:Class``. The
    numbers of channels follow from the tensors. The tables of the entropy coder are computed
    here and not read, since the coder does not check them.

    Raises
    ------
    ValueError
        The file is missing, damaged, contains anything but tensors, or those of another model.
    """
    zoo = import_zoo()
    architectures = zoo.image.model_architectures
    build = find_object("learned", model) if ":" in model else architectures.get(model)
    state = zoo.pretrained.load_pretrained(load_state_dict(file))
    try:
        if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
            raise InputError("not all numbers are finite")
        # The weights are drawn at random before they are read.
        with quiet(), torch.random.fork_rng(devices=[]):
            network = build.from_state_dict(state)
            network.update(force=True)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{file} is not a checkpoint of {model} ({why})") from error
    return network.eval()


def _digest(url: str) -> str:
    match = re.search(r"-([0-9a-f]{8})\.[a-z.]+$", url)
    assert match is not None, url
    return match[1]
