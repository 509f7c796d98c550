"""Learned image codecs: CompressAI's models, with the strings from their entropy coder.

References: Bégaint et al., "CompressAI", arXiv:2011.03029, for the models and their weights;
Ballé et al., arXiv:1802.01436 (``bmshj2018-*``), Minnen et al., arXiv:1809.02736 (``mbt2018*``),
Cheng et al., arXiv:2001.01568 (``cheng2020-*``).

Each quality has its own network. There are six or eight, whose sizes differ by a factor of about
1.4, so that up to a third of a budget may remain unused. Sides are padded to multiples of 64 with
their last pixels, which the decoder removes again.

    weights (1 byte) │ CRC-32 (4) │ gains, if ``w`` is not even: their length (3), deflate │
    lengths of all strings but the last (3 each) │ strings

``w`` steers the models of :mod:`semcom.codecs.learned.gains`, cell by cell of 16x16 pixels.
The others have no means for it.

The CRC also covers the size of the image and the identity of the weights. CompressAI's rANS decoder
reads beyond the end of a string that is damaged or was written with other weights, and does not
notice it; the CRC keeps such strings from it.

Networks run on the CPU, on one thread and with deterministic algorithms. The strings decode to the
same bits in any process on the same type of machine with the same versions of torch and CompressAI.
Elsewhere the last bit of a sum can differ, and the entropy decoders of all models except
``bmshj2018-factorized`` then lose synchronisation.
"""

from __future__ import annotations

import contextlib
import functools
import math
import platform
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.cache import recall, version
from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.learned import foreign, gains
from semcom.codecs.learned.strings import LENGTH_BYTES, joined, split
from semcom.codecs.learned.weights import (
    METRICS,
    MODELS,
    Weights,
    candidates,
    load,
    own,
    pretrained,
)
from semcom.codecs.parts.cells import deflate, inflate, levels_of, weights_of
from semcom.codecs.parts.one_quality import Search, encode_at_best_quality
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map

_STEERED = 0x80  # of the first byte: there are gains
_MOST_LEVEL = 16  # of importance, either way: gains of 1/16 to 16
_ALIGNMENT = 64
_SLOPE = 0.37  # typical growth of ln(size) per quality
_BITS_PER_PIXEL = 0.12  # typical bits per pixel of quality 1
_CRC_BYTES = 4


class Learned:
    """One of CompressAI's models.

    Parameters
    ----------
    model
        Its architecture, one of ``MODELS``; or with a checkpoint, ``package.module:Class`` or
        ``file.py:Class``, a class with CompressAI's methods ``from_state_dict``, ``update``,
        ``compress`` and ``decompress``, such as a newer model.
    metric
        The loss for which the pretrained weights were trained, one of ``METRICS``. They are
        downloaded into the user's cache when they are first needed.
    checkpoint
        File to use instead, as written by ``compressai``'s training; or a folder of files, one per
        quality, with names in ascending order of quality. A packet does not contain its path: a
        receiver in another process must have opened the same file.
    """

    trained = True
    """Its qualities are trained models, which promise nothing for images unlike photos."""

    def __init__(
        self, *, model: str = "mbt2018-mean", metric: str = "mse", checkpoint: str = ""
    ) -> None:
        models = (*MODELS, *([model] if ":" in model else []))
        for name, value, choices in (("model", model, models), ("metric", metric, METRICS)):
            if value not in choices:
                raise InputError(
                    f"learned: unknown {name} {value!r}; choices: {', '.join(choices)}"
                )
        if ":" in model and not checkpoint:
            raise InputError(f"learned: {model} needs a checkpoint")
        self.steerable = model in gains.MODELS
        self._qualities = own(Path(checkpoint), model) if checkpoint else pretrained(model, metric)

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the highest quality that fits; see :class:`DigitalCodec`."""
        levels = _levels(w) if self.steerable else None

        def write(quality: int) -> bytes:
            return _compress(image, self._qualities[quality - 1], levels)

        bits_per_pixel = max(max_bits, 1) / (image.shape[0] * image.shape[1])
        guess = 1 + math.floor(math.log(bits_per_pixel / _BITS_PER_PIXEL) / _SLOPE)
        search = Search(range(1, len(self._qualities) + 1), guess, _SLOPE)
        try:
            return encode_at_best_quality(self, image, w, max_bits, write=write, search=search)
        except DecodeError as error:  # the user's own model cannot read what it wrote
            raise InputError(str(error)) from error

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Reconstruct the image; see :class:`DigitalCodec`.

        Raises
        ------
        WeightsUnavailable
            The packet is intact, but the pretrained weights are missing and cannot be downloaded.
        """
        data = only_packet("learned", packets)
        if data is None:
            return grey(height, width)
        crc, body = data[1 : 1 + _CRC_BYTES], data[1 + _CRC_BYTES :]
        steered = bool(data and data[0] & _STEERED)
        for weights in candidates(data[0] & ~_STEERED) if data else ():
            if crc == _crc(weights, body, height, width, steered):
                return _decompress(body, weights, height, width, steered)
        raise DecodeError("learned: packet is damaged, or its weights are not available here")


def _levels(w: Map) -> NDArray[np.int8] | None:
    """Return the importance of the cells of the padded image; None if it is even."""
    height, width = w.shape
    padded = np.pad(w, ((0, -height % _ALIGNMENT), (0, -width % _ALIGNMENT)), "edge")
    levels = np.clip(levels_of(padded), -_MOST_LEVEL, _MOST_LEVEL)
    return levels if levels.any() else None


def _gains(levels: NDArray[np.integer[Any]]) -> torch.Tensor:
    """Return the gains of latents: the step that serves importance is proportional to w^-1/2."""
    return torch.from_numpy(np.sqrt(weights_of(levels)))


def _compress(image: Image, weights: Weights, levels: NDArray[np.int8] | None) -> bytes:
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % _ALIGNMENT), (0, -width % _ALIGNMENT), (0, 0)), "edge")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255

    def strings() -> bytes:
        network = load(weights)
        with _reproducible():
            if ":" in weights.model:
                return foreign.compress(network, x)
            if levels is None:
                found = [string for (string,) in network.compress(x)["strings"]]
            else:
                found = gains.compress(network, x, _gains(levels))
        return joined(found)

    if ":" in weights.model:  # the user's own code, which may have changed
        body = strings()
        return bytes([weights.code]) + _crc(weights, body, height, width, False) + body
    kept = weights.identity, padded
    if levels is None:
        body = recall(strings, "learned", _machine(), *kept)
        return bytes([weights.code]) + _crc(weights, body, height, width, False) + body
    described = deflate(levels)
    body = len(described).to_bytes(LENGTH_BYTES, "big") + described
    body += recall(strings, "learned, steered", _machine(), *kept, levels)
    return bytes([weights.code | _STEERED]) + _crc(weights, body, height, width, True) + body


@functools.cache
def _machine() -> tuple[str, ...]:
    """Return everything that the last bit of a sum depends on besides its terms."""
    processor = platform.machine(), torch.backends.cpu.get_cpu_capability()
    return version("torch"), version("compressai"), *processor


def _decompress(body: bytes, weights: Weights, height: int, width: int, steered: bool) -> Image:
    network = load(weights)
    if ":" in weights.model:
        with _reproducible():
            return _pixels(foreign.decompress(network, body, height, width))[:height, :width]
    rows, columns = (-(-side // _ALIGNMENT) * _ALIGNMENT for side in (height, width))
    levels = None
    if steered and weights.model not in gains.MODELS:
        raise DecodeError(f"learned: {weights.model} has no gains")
    if steered:
        end = LENGTH_BYTES + int.from_bytes(body[:LENGTH_BYTES], "big")
        levels, body = (
            inflate("learned", body[LENGTH_BYTES:end], np.int8, rows, columns),
            body[end:],
        )
    factor = network.downsampling_factor
    # A decoder without synchronisation reads up to 16 bits per latent: provide zeros for it.
    slack = bytes(2 * network.M * (rows // 16) * (columns // 16))
    strings = [[string + slack] for string in split(body, 1 if factor == 16 else 2)]
    with _reproducible():
        shape = rows // factor, columns // factor
        if levels is None:
            shown = network.decompress(strings, shape)["x_hat"]
        else:
            shown = gains.decompress(network, strings, shape, _gains(levels))
        return _pixels(shown)[:height, :width]


def _pixels(shown: torch.Tensor) -> Image:
    image: Image = (255 * shown[0].permute(1, 2, 0)).round().byte().numpy()
    return image


def _crc(weights: Weights, body: bytes, height: int, width: int, steered: bool) -> bytes:
    shared = f"{weights.identity} {height}x{width} {'steered ' if steered else ''}".encode()
    return zlib.crc32(shared + body).to_bytes(_CRC_BYTES, "big")


_TORCH = threading.RLock()
"""Held while torch has our settings: they are global to the process, so threads take turns."""


@contextlib.contextmanager
def _reproducible() -> Iterator[None]:
    """Run torch so that another process computes the same numbers."""
    with _TORCH:
        threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        try:
            with zoo.quiet(), torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict, warn_only=warn_only)
