"""A user's network behind one interface, which says in words how a network breaks the contract.

The network is any ``nn.Module`` with methods ``encode`` and ``decode``, or with parts ``encoder``
and ``decoder``. The first argument is the image (B, 3, H, W) or what was received, in the shape
that ``encode`` returned. What else an argument's name asks for is handed over:

============================  ================================================================
``snr_db`` or ``snr``         the mean Es/N0 in dB: planned at the encoder, received at the
                              decoder
``mask``                      the importance of each pixel, float32 (B, 1, H, W), of mean 1; a
                              decoder gets it rounded, and of mean about 1
``num_symbols``               channel uses that the encoder may use for each item of the batch
``side_bits``                 at the decoder: what the encoder says beside its symbols
============================  ================================================================

Where ``decode`` takes ``side_bits``, ``encode`` returns two tensors: symbols, and bool (B, n).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from semcom.checkpoints.user_code import find_object, first_line, quiet_import
from semcom.errors import InputError

GIVEN = ("snr_db", "snr", "mask", "num_symbols", "side_bits")
"""Names of the arguments that are handed over."""
_PATCHES = 16  # at once


class NetworkError(InputError):
    """A network raises an exception, or makes a tensor of a wrong shape or without values."""


def find_module(text: str) -> nn.Module:
    """Build the network that ``"package.module:Class"`` or ``"file.py:Class"`` names.

    Two names with ``+`` between them are an encoder and a decoder. A name may also be that of a
    function, and is called without arguments.

    Raises
    ------
    ValueError
        It cannot be imported, cannot be called without arguments, or makes no ``nn.Module``.
    """
    names = text.split("+")
    if len(names) > 2:
        raise InputError(f"torch_jscc: module takes one name or two, got {text!r}")
    made = [_make(name) for name in names]
    if len(made) == 1:
        return made[0]
    return nn.ModuleDict(dict(zip(("encoder", "decoder"), made, strict=True)))


def _make(name: str) -> nn.Module:
    make = find_object("torch_jscc", name)
    try:
        # Random weights, where there are no others, are the same whenever the network is built.
        with torch.random.fork_rng(devices=[]), quiet_import(Path.cwd()):
            torch.manual_seed(0)
            network = make()
    except (Exception, SystemExit) as error:  # a user's class can fail in any way
        raise InputError(f"torch_jscc: {name} cannot be built: {first_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise InputError(f"torch_jscc: {name} makes {type(network).__name__}, not an nn.Module")
    return network


class Network:
    """The two directions of a network.

    Parameters
    ----------
    module
        The user's network.
    name
        Its name in messages.
    device
        Where it computes.
    """

    def __init__(self, module: nn.Module, name: str, device: str) -> None:
        self.name, self.device = name, device
        self.module = module.to(device).eval().requires_grad_(False)
        self._encode, self._decode = (self._direction(way) for way in ("encode", "decode"))
        self._encode_takes, self._decode_takes = (
            self._arguments(way, function)
            for way, function in (("encode", self._encode), ("decode", self._decode))
        )
        if "num_symbols" in self._decode_takes:
            raise InputError(f"torch_jscc: decode of {name} needs 'num_symbols'; take the shape")
        if "side_bits" in self._encode_takes:
            raise InputError(f"torch_jscc: encode of {name} needs 'side_bits', which it makes")
        self.sends_mask = "mask" in self._decode_takes
        """Whether the receiver needs the importance, which is then sent and paid for."""
        self.adapts = "num_symbols" in self._encode_takes
        """Whether the encoder is told how many symbols it may make."""
        self.sends_bits = "side_bits" in self._decode_takes
        """Whether the encoder makes bits for the decoder, which are sent and paid for."""
        self.steerable = self.sends_mask or "mask" in self._encode_takes

    def copied(self) -> Network:
        """Return a copy, or the network itself if it cannot be copied."""
        try:
            return Network(copy.deepcopy(self.module), self.name, self.device)
        except Exception:  # a user's network can hold anything
            return self

    def _direction(self, way: str) -> Callable[..., Any]:
        for attribute in (way, f"{way}r"):
            if callable(found := getattr(self.module, attribute, None)):
                function: Callable[..., Any] = found
                return function
        raise InputError(f"torch_jscc: {self.name} has neither {way}() nor a part {way}r")

    def _arguments(self, way: str, function: Callable[..., Any]) -> list[str]:
        called = function.forward if isinstance(function, nn.Module) else function
        parameters = [*inspect.signature(called).parameters.values()]
        if not parameters:
            raise InputError(f"torch_jscc: {way} of {self.name} takes no argument")
        others = parameters[1:]
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        others = [p for p in others if p.kind not in kinds]
        for parameter in others:
            if parameter.name not in GIVEN and parameter.default is parameter.empty:
                raise InputError(
                    f"torch_jscc: {way} of {self.name} needs {parameter.name!r}; semcom hands over "
                    f"{', '.join(GIVEN)}, and others must have a default"
                )
        return [p.name for p in others if p.name in GIVEN]

    def encode(
        self, images: Tensor, snr_db: float, masks: Tensor, num_symbols: int, *, at_once: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Return what the encoder makes of images (B, 3, H, W).

        Returns
        -------
        latents, side_bits
            Real or complex, (B, …), and bool, (B, n); n is 0 unless :attr:`sends_bits`.

        Raises
        ------
        ValueError
            The encoder fails, or its output is no such tensor, or is not finite.
        """
        given = {"snr_db": snr_db, "snr": snr_db, "mask": masks, "num_symbols": num_symbols}
        parts = self._in_parts(
            "encode", self._encode, images, given, self._encode_takes, at_once or _PATCHES
        )
        pairs = [self._with_bits(part) if self.sends_bits else (part, None) for part in parts]
        made = torch.cat([self._checked("encode", latents) for latents, _ in pairs])
        told = [bits for _, bits in pairs if bits is not None]
        side_bits = torch.cat(told) if told else torch.zeros(len(images), 0, dtype=torch.bool)
        if made.ndim < 2 or len(made) != len(images) or not made.numel():
            raise InputError(
                f"torch_jscc: encode of {self.name} made a tensor of shape {tuple(made.shape)} for "
                f"{len(images)} images; the first axis must be theirs"
            )
        if len(side_bits) != len(images):
            raise InputError(
                f"torch_jscc: encode of {self.name} made side_bits of shape "
                f"{tuple(side_bits.shape)} for {len(images)} images; the first axis must be theirs"
            )
        return made, side_bits

    def _with_bits(self, made: object) -> tuple[object, Tensor]:
        match made:
            case (latents, Tensor(dtype=torch.bool, ndim=2) as bits):
                return latents, bits.cpu()
        raise InputError(
            f"torch_jscc: decode of {self.name} takes 'side_bits', so encode must return two "
            "tensors: symbols, and bool of shape (images, bits)"
        )

    def decode(
        self,
        received: Tensor,
        snr_db: float,
        masks: Tensor,
        side_bits: Tensor,
        side: Sequence[int],
    ) -> Tensor:
        """Return the pictures (B, 3, H, W) of what was received.

        ``side`` is the height and width that they must have.

        Raises
        ------
        NetworkError
            The decoder fails, or its output has another shape, or is not finite.
        ValueError
            Its output is no tensor of real numbers.
        """
        given = {"snr_db": snr_db, "snr": snr_db, "mask": masks, "side_bits": side_bits}
        parts = self._in_parts(
            "decode", self._decode, received, given, self._decode_takes, _PATCHES
        )
        shown = torch.cat([self._checked("decode", part) for part in parts])
        if shown.is_complex() or shown.shape != (len(received), 3, *side):
            raise NetworkError(
                f"torch_jscc: decode of {self.name} made {tuple(shown.shape)} of {shown.dtype}; "
                f"a picture here is {(len(received), 3, *side)} and real"
            )
        return shown

    def _in_parts(
        self,
        way: str,
        function: Callable[..., Any],
        values: Tensor,
        given: dict[str, Any],
        takes: Sequence[str],
        at_once: int,
    ) -> list[object]:
        parts: list[object] = []
        for first in range(0, len(values), at_once):
            some = slice(first, first + at_once)
            told = {
                name: value[some].to(self.device) if isinstance(value, Tensor) else value
                for name, value in given.items()
                if name in takes
            }
            try:
                with torch.inference_mode():
                    made = function(values[some].to(self.device), **told)
            except (Exception, SystemExit) as error:  # a user's network can fail in any way
                raise NetworkError(
                    f"torch_jscc: {way} of {self.name} fails for {tuple(values[some].shape)}: "
                    f"{first_line(error)} (a network that takes one size only needs patch=SIZE, "
                    "and has to take several patches in a batch)"
                ) from error
            parts.append(made)
        return parts

    def _checked(self, way: str, made: object) -> Tensor:
        if isinstance(made, tuple | list | dict):
            raise InputError(
                f"torch_jscc: {way} of {self.name} returns {len(made)} things; return one tensor, "
                "since whatever else the decoder needs has to be sent and paid for; an encoder may "
                "return bool (images, bits) beside it if its decoder takes 'side_bits'"
            )
        if not isinstance(made, Tensor) or not (made.is_floating_point() or made.is_complex()):
            kind = made.dtype if isinstance(made, Tensor) else type(made).__name__
            raise InputError(f"torch_jscc: {way} of {self.name} returns {kind}, not real numbers")
        if not made.ndim or not made.numel():
            raise NetworkError(f"torch_jscc: {way} of {self.name} makes an empty tensor")
        if not torch.isfinite(made).all():
            raise NetworkError(f"torch_jscc: {way} of {self.name} makes NaN or infinity")
        if not torch.isfinite(made.abs().float().square()).all():
            raise NetworkError(f"torch_jscc: {way} of {self.name} makes numbers beyond 1e19")
        return made.cpu()
