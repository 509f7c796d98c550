"""Files of weights that people hold, read without running code, and the networks that they fit.

A file is recognised by the names of its tensors, and its network is rebuilt from their shapes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from semcom.checkpoints.download import reason
from semcom.codecs.torch_jscc.deep_jscc import DeepJscc
from semcom.codecs.torch_jscc.swin_jscc import Shape, SwinJscc
from semcom.codecs.torch_jscc.swin_rates import SwinRates
from semcom.errors import InputError

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "params")
_MOST_WRAPPERS = 3
_PREFIX = "module."  # what DataParallel adds


class Known(NamedTuple):
    """A repository whose files are recognised."""

    repository: str
    sign: str
    """Pattern that the name of one of its tensors matches; the first entry with a match counts."""
    build: Callable[[Mapping[str, Tensor]], nn.Module]
    """Makes the network of a ``state_dict``, with random weights."""
    names: tuple[tuple[str, str], ...] = ((r"(.*)", r"\1"),)
    """Patterns of its names, each with the name here; those that match none are left out."""


def _deep_jscc(state: Mapping[str, Tensor]) -> nn.Module:
    last, up = state["encoder.8.weight"], state["decoder.6.weight"]
    return DeepJscc(len(last), same=up.shape[-1] == 5)


def _swin_jscc(state: Mapping[str, Tensor]) -> nn.Module:
    return SwinJscc(_shape(state, len(state["encoder.head_list.weight"])))


def _swin_rates(state: Mapping[str, Tensor]) -> nn.Module:
    return SwinRates(_shape(state, 0), by_snr="encoder.sm_list1.0.weight" in state)


def _shape(state: Mapping[str, Tensor], latents: int) -> Shape:
    """Read the size of a Swin transformer from its tensors."""

    def stage(i: int) -> str:
        return f"encoder.layers.{i}.blocks"

    widths: list[int] = []
    depths, heads = [], []
    while f"{stage(len(widths))}.0.norm1.weight" in state:
        place = stage(len(widths))
        widths.append(len(state[f"{place}.0.norm1.weight"]))
        heads.append(state[f"{place}.0.attn.relative_position_bias_table"].shape[1])
        norms = re.compile(rf"{re.escape(place)}\.\d+\.norm1\.weight")
        depths.append(sum(bool(norms.fullmatch(name)) for name in state))
    table = state[f"{stage(0)}.0.attn.relative_position_bias_table"]
    window = (math.isqrt(len(table)) + 1) // 2
    return Shape(tuple(widths), tuple(depths), tuple(heads), window, latents)


_SWIN_NAMES = ((r"((?:encoder|decoder)\..*)(?<!\.attn_mask)(?<!\.relative_position_index)", r"\1"),)
KNOWN = (
    Known("semcom", r"encoder\.0\.weight", _deep_jscc),
    Known(
        "chunbaobao/Deep-JSCC-PyTorch",
        r"encoder\.conv1\.conv\.weight",
        _deep_jscc,
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
    Known(
        "KeYang8/WITT or semcomm/SwinJSCC",
        r"encoder\.head_list\.weight",
        _swin_jscc,
        _SWIN_NAMES,
    ),
    Known(
        "semcomm/SwinJSCC with rate adaptation",
        r"encoder\.layers\.0\.blocks\.0\.attn\..*",
        _swin_rates,
        _SWIN_NAMES,
    ),
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
        raise InputError(
            f"torch_jscc: {file} is damaged, or cannot be opened without running code that it may "
            f"hold; save the network's state_dict() instead ({reason(error)})"
        ) from error
    for _ in range(_MOST_WRAPPERS):
        if isinstance(content, Mapping):
            wrapped = (content.get(name) for name in _WRAPPERS)
            content = next((inner for inner in wrapped if isinstance(inner, Mapping)), content)
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


def recognise(state: Mapping[str, Tensor], file: Path, *, adaptive: bool = True) -> nn.Module:
    """Rebuild the network of a ``state_dict`` from the names and shapes of its tensors.

    Parameters
    ----------
    state
        The tensors.
    file
        Their file, for messages.
    adaptive
        Whether a network that may be told the SNR is told it; its file does not say so.

    Raises
    ------
    ValueError
        The names are of no known repository, or the tensors do not fit its network.
    """
    known = next((k for k in KNOWN if any(re.fullmatch(k.sign, name) for name in state)), None)
    if known is None:
        raise InputError(
            f"torch_jscc: {file} is of no network that is known here ({next(iter(state))}, …); "
            "name its class with module=package.module:Class"
        )
    named = translated(state, known)
    try:
        network = known.build(named)
    except (LookupError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"torch_jscc: {file} lacks a part of the network of {known.repository}: {error}"
        ) from error
    load_into(network, named, file)
    if isinstance(network, SwinJscc | SwinRates):
        network.adaptive &= adaptive
    return network


def translated(state: Mapping[str, Tensor], known: Known) -> dict[str, Tensor]:
    """Return a ``state_dict`` with the names of this package."""
    found = {}
    for name, value in state.items():
        for pattern, here in known.names:
            if match := re.fullmatch(pattern, name):
                found[match.expand(here)] = value
                break
    return found


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
