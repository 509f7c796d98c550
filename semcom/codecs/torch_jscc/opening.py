"""Opening a user's network once in a process: its options, its trial, and its identity."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
from pathlib import Path
from typing import NamedTuple

import torch

from channels.owner import expanded
from semcom.codecs.torch_jscc.habits import Trial, try_out
from semcom.codecs.torch_jscc.network import Network, find_module
from semcom.codecs.torch_jscc.pictures import patches_of
from semcom.codecs.torch_jscc.state_dicts import load_into, read_state_dict, recognise
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.torch_device import check_device

VALUES = ("unit", "signed")
IDENTITY_BYTES = 4
_TRIAL_SIDE, _MULTIPLE = 64, 16
_MOST_PIXELS = 4096  # of a patch's side, or of the multiple


class Options(NamedTuple):
    """What both ends must agree on."""

    module: str
    weights: str
    values: str
    multiple: int
    patch: int
    power: float
    adaptive: bool
    device: str


class Opened(NamedTuple):
    """A network that was built and tried out."""

    options: Options
    network: Network
    trial: Trial
    identity: bytes


opened_networks: dict[bytes, Opened] = {}
"""Networks that this process has opened, by their identity."""
_built: dict[tuple[object, ...], Opened] = {}
"""The same, by what was asked for."""
_lock = threading.Lock()


@functools.lru_cache(64)
def latents_of(
    opened: Opened, height: int, width: int, num_symbols: int | None = None
) -> tuple[int, ...]:
    """Return the shape of the latents of each patch that may use ``num_symbols``.

    If it is None, as many as in the trial are allowed.
    """
    images = patches_of(
        torch.full((3, height, width), 0.5), opened.options.multiple, opened.options.patch
    )
    ones = patches_of(torch.ones(1, height, width), opened.options.multiple, opened.options.patch)
    allowed = images[0].numel() // 6 if num_symbols is None else num_symbols
    latents, _ = opened.network.encode(images, 10.0, ones, allowed)
    return tuple(latents.shape[1:])


def check(options: Options) -> None:
    """Raise ``ValueError`` for options that do not exist or are out of range."""
    if options.values not in VALUES:
        raise InputError(
            f"torch_jscc: unknown values {options.values!r}; choices: {', '.join(VALUES)}"
        )
    for name, pixels in (("multiple", options.multiple), ("patch", options.patch)):
        if not 0 <= pixels <= _MOST_PIXELS:
            raise InputError(f"torch_jscc: {name} must be 0 to {_MOST_PIXELS} pixels, got {pixels}")
    if not 0 <= options.power < math.inf:
        raise InputError(f"torch_jscc: power must be at least 0, got {options.power}")
    check_device(options.device)


def open_network(options: Options) -> Opened:
    """Build and try a network, or find it as it was opened before."""
    file = expanded(options.weights)
    places = [expanded(name.rpartition(":")[0]) for name in options.module.split("+")]
    stamps = tuple(sha256_of(f) for f in (file, *places) if f.is_file())
    with _lock:
        key = options, stamps, str(Path.cwd())
        if key not in _built:
            _built[key] = build(options)
            opened_networks[_built[key].identity] = _built[key]
        return _built[key]


def build(options: Options) -> Opened:
    """Build a network, load its weights, and try it out; raise ``ValueError`` if it is refused."""
    file = expanded(options.weights)
    if options.module:
        module = find_module(options.module)
        if options.weights:
            load_into(module, read_state_dict(file), file)
    else:
        module = recognise(read_state_dict(file), file, adaptive=options.adaptive)
    network = Network(module, options.module or file.name, options.device)
    multiple = options.multiple or getattr(module, "multiple", 0) or _MULTIPLE
    if not isinstance(multiple, int) or not 0 < multiple <= _MOST_PIXELS:
        raise InputError(
            f"torch_jscc: the attribute multiple of {network.name} must be 1 to {_MOST_PIXELS} "
            f"pixels, got {multiple!r}"
        )
    options = options._replace(multiple=multiple)
    side = options.patch or -(-_TRIAL_SIDE // multiple) * multiple
    trial = try_out(network, (side, side if options.patch else side + multiple), options.values)
    digest = hashlib.sha256(repr(options._replace(device="", weights="")).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return Opened(options, network, trial, digest.digest()[:IDENTITY_BYTES])
