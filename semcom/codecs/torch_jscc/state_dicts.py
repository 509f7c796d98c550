"""Files of weights that people hold, read without running code, and the networks that they fit.

A file is recognised by the names of its tensors. Where this package rebuilds the architecture, the
names are translated; the other public repositories are told apart, so that the message can say
which network to bring.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from semcom.codecs.torch_jscc.deep_jscc import DeepJscc
from semcom.errors import InputError

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "params")
_PREFIX = "module."  # what DataParallel adds


class Known(NamedTuple):
    """A repository whose files are recognised."""

    repository: str
    sign: str
    """Pattern that the name of one of its tensors matches, and of no other repository's."""
    names: tuple[tuple[str, str], ...] = ()
    """Patterns of its names, each with the name here; empty if the network is not rebuilt."""


KNOWN = (
    Known("semcom", r"encoder\.0\.weight", ((r"(.*)", r"\1"),)),
    Known(
        "chunbaobao/Deep-JSCC-PyTorch",
        r"encoder\.conv1\.conv\.weight",
        tuple(
            pair
            for i in range(5)
            for pair in (
                (rf"encoder\.conv{i + 1}\.conv\.(.*)", rf"encoder.{2 * i}.\1"),
                (rf"encoder\.conv{i + 1}\.prelu\.(.*)", rf"encoder.{2 * i + 1}.\1"),
                (rf"decoder\.tconv{i + 1}\.transconv\.(.*)", rf"decoder.{2 * i}.\1"),
                (rf"decoder\.tconv{i + 1}\.activate\.(.*)", rf"decoder.{2 * i + 1}.\1"),
            )
        ),
    ),
    Known("semcomm/SwinJSCC", r"encoder\.(bm_list1|sm_list1)\..*"),
    Known("semcomm/SwinJSCC or KeYang8/WITT", r"encoder\.layers\.0\.blocks\.0\.attn\..*"),
)
"""The repositories, in the order in which they are tried."""


def read_state_dict(file: Path) -> dict[str, Tensor]:
    """Read a ``state_dict`` from a file of safetensors or of ``torch.save``, without running code.

    Dictionaries around it, and the prefix ``module.`` that DataParallel adds, are removed.

    Raises
    ------
    ValueError
        The file is missing or damaged, holds other objects than tensors, or NaN or infinity.
    """
    if not file.is_file():
        raise InputError(f"torch_jscc: there are no weights at {file}")
    try:
        content: Any
        if file.suffix == ".safetensors":
            content = load_file(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise InputError(f"torch_jscc: {file} cannot be read as safetensors: {error}") from error
    except Exception as error:  # torch.load raises whatever its parts do
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"torch_jscc: {file} cannot be opened without running code that it may hold; save the "
            f"network's state_dict() instead ({first})"
        ) from error
    while isinstance(content, Mapping):
        inner = next((content[n] for n in _WRAPPERS if isinstance(content.get(n), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"torch_jscc: {file} holds no state_dict")
    foreign = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if foreign:
        raise InputError(f"torch_jscc: {foreign[0]!r} of {file} is no tensor")
    found = {str(name).removeprefix(_PREFIX): value for name, value in content.items()}
    for name, value in found.items():
        if not torch.isfinite(value).all():
            raise InputError(f"torch_jscc: {name} of {file} holds NaN or infinity")
    return found


def recognise(state: Mapping[str, Tensor], file: Path) -> nn.Module:
    """Rebuild the network of a ``state_dict`` from the names and shapes of its tensors.

    Raises
    ------
    ValueError
        The names are of no known repository, or of one whose network is not rebuilt here.
    """
    for known in KNOWN:
        if any(re.fullmatch(known.sign, name) for name in state):
            if not known.names:
                raise InputError(
                    f"torch_jscc: {file} is of {known.repository}, whose network is not rebuilt "
                    "here; name its class with module=package.module:Class"
                )
            return _deep_jscc(translated(state, known), file)
    raise InputError(
        f"torch_jscc: {file} is of no network that is known here ({next(iter(state))}, …); name "
        "its class with module=package.module:Class"
    )


def translated(state: Mapping[str, Tensor], known: Known) -> dict[str, Tensor]:
    """Return a ``state_dict`` with the names of this package."""
    found = {}
    for name, value in state.items():
        for pattern, here in known.names:
            if match := re.fullmatch(pattern, name):
                found[match.expand(here)] = value
                break
    return found


def _deep_jscc(state: Mapping[str, Tensor], file: Path) -> nn.Module:
    last, up = state.get("encoder.8.weight"), state.get("decoder.6.weight")
    if last is None or up is None or last.ndim != 4 or up.ndim != 4:
        raise InputError(f"torch_jscc: {file} lacks layers of DeepJSCC")
    network = DeepJscc(len(last), same=up.shape[-1] == 5)
    load_into(network, state, file)
    return network


def load_into(network: nn.Module, state: Mapping[str, Tensor], file: Path) -> None:
    """Load a ``state_dict`` into a network; raise ``ValueError`` if they do not fit."""
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    theirs = {name: tuple(value.shape) for name, value in state.items()}
    if wrong := sorted(dict(own.items() ^ theirs.items())):
        name = wrong[0]
        raise InputError(
            f"torch_jscc: {file} does not fit the network in {len(wrong)} tensors: {name} has "
            f"{own.get(name, 'no place')} in the network and {theirs.get(name, 'none')} in the file"
        )
    network.load_state_dict(dict(state))
