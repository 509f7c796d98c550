"""Models and processors of the package ``transformers``, opened from files that are here."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from semcom.checkpoints.hugging_face import Snapshot
from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.checkpoints.user_code import first_line
from semcom.errors import InputError


def import_transformers() -> Any:
    """Import the package ``transformers``, which takes seconds."""
    import_torchvision()  # transformers needs no more of it than MobileSAM
    with quiet():
        import transformers
    return transformers


def open_model(who: str, found: Snapshot, architecture: str, *, device: str = "cpu") -> Any:
    """Open a model in eval mode, float32, with all of its weights from the files.

    Parameters
    ----------
    who
        The plug-in that asks, in messages.
    found
        The model's files.
    architecture
        Name of its class in ``transformers``.
    device
        Device on which torch computes.

    Raises
    ------
    ValueError
        In one line: files that are damaged, or that are not those of this architecture.
    """
    import torch

    build = part_of_transformers(who, architecture)
    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            model, about = build.from_pretrained(
                str(found.folder),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                dtype=torch.float32,
            )
    except Exception as error:  # a damaged file can fail anywhere
        why = " ".join(first_line(error).split())[:160]
        raise InputError(
            f"{who}: {found.folder} cannot be opened as {architecture} ({why})"
        ) from error
    # transformers would draw at random what the files lack.
    missing = sorted(key for key in about["missing_keys"] if "num_batches_tracked" not in key)
    if missing:
        raise InputError(
            f"{who}: the weights in {found.folder} are not those of {architecture}: {len(missing)} "
            f"tensors are missing ({missing[0]}, …)"
        )
    return model.eval().to(device)


def open_processor(who: str, found: Snapshot, name: str) -> Any:
    """Open what prepares a model's pictures and words; ``name`` is its class.

    Raises
    ------
    ValueError
        In one line: files that are missing or damaged.
    """
    for file in found.folder.glob("*_config.json"):
        found.json(file.name)
    build = part_of_transformers(who, name)
    try:
        with quiet():
            return build.from_pretrained(
                str(found.folder), trust_remote_code=False, local_files_only=True
            )
    except Exception as error:
        why = " ".join(first_line(error).split())[:160]
        raise InputError(f"{who}: {found.folder} cannot be opened as {name} ({why})") from error


def part_of_transformers(who: str, name: str) -> Any:
    """Return a class of ``transformers``; refuse a release that lacks it."""
    transformers = import_transformers()
    try:
        with quiet():
            return getattr(transformers, name)
    except (AttributeError, ImportError) as error:
        raise InputError(
            f"{who} needs {name}, which transformers {transformers.__version__} does not have: "
            "pip install -U 'semcom[hf]'"
        ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and advice of the libraries from the user's screen."""
    import transformers.utils.logging as logs

    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for category in (FutureWarning, DeprecationWarning, UserWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()
