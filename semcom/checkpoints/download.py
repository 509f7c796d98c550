"""Checkpoints from disk or the network, without running code in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from semcom.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


class WeightsUnavailable(InputError):  # noqa: N818 - it reads better in the message
    """The checkpoint is not available locally and could not be downloaded."""


def load_state_dict(file: Path) -> dict[str, Tensor]:
    """Read a checkpoint as tensors on the CPU; code inside the file is never run.

    The file is one of torch, or of safetensors if its name ends so. The tensors may also be the
    entry ``"state_dict"`` of a training checkpoint.

    Raises
    ------
    ValueError
        The file is missing, damaged, contains anything but tensors, or is not a dictionary.
    """
    import torch

    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail anywhere in the unpickler
        raise InputError(f"cannot read {file} as a checkpoint ({reason(error)})") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise InputError(f"{file} must be a dictionary of names and tensors, not another object")
    return state


def reason(error: Exception) -> str:
    """Describe in one short line why something failed."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    # The messages of requests and of the unpickler span many lines and repeat the address.
    if isinstance(error, ValueError) and str(error):
        return " ".join(str(error).split())
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__
