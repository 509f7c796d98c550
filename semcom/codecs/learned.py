"""Learned image codecs: CompressAI's models, with the strings from their entropy coder.

References: Bégaint et al., "CompressAI", arXiv:2011.03029, for the models and their weights;
Ballé et al., arXiv:1802.01436 (``bmshj2018-*``), Minnen et al., arXiv:1809.02736 (``mbt2018*``),
Cheng et al., arXiv:2001.01568 (``cheng2020-*``).

Each quality has its own network. There are six or eight, whose sizes differ by a factor of about
1.4, so that up to a third of a budget may remain unused, and ``w`` has no effect within one. Sides
are padded to multiples of 64 with their last pixels, which the decoder removes again.

    weights (1 byte) │ CRC-32 (4) │ lengths of all strings but the last (3 each) │ strings

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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from semcom.cache import recall, version
from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import DecodeError, grey, only_packet, weighted_gain
from semcom.codecs.parts.rate_control import best_level
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.types import Bitstream, Image, Map, Packet

if TYPE_CHECKING:
    from compressai.models import CompressionModel

MODELS = (
    "bmshj2018-factorized",
    "bmshj2018-hyperprior",
    "mbt2018-mean",
    "mbt2018",
    "cheng2020-anchor",
    "cheng2020-attn",
)
METRICS = ("mse", "ms-ssim")
_MAX_QUALITIES = 8
_OWN = 255  # the weights are in a user's file
_ALIGNMENT = 64
_SLOPE = 0.37  # typical growth of ln(size) per quality
_BITS_PER_PIXEL = 0.12  # typical bits per pixel of quality 1
_CRC_BYTES = 4
_LENGTH_BYTES = 3


class Learned:
    """One of CompressAI's models.

    Parameters
    ----------
    model
        Its architecture, one of ``MODELS``.
    metric
        The loss for which the pretrained weights were trained, one of ``METRICS``. They are
        downloaded into the user's cache when they are first needed.
    checkpoint
        File to use instead, as written by ``compressai``'s training; or a folder of files, one per
        quality, with names in ascending order of quality. A packet does not contain its path: a
        receiver in another process must have opened the same file.
    """

    steerable = False
    trained = True
    """Its qualities are trained models, which promise nothing for images unlike photos."""

    def __init__(
        self, *, model: str = "mbt2018-mean", metric: str = "mse", checkpoint: str = ""
    ) -> None:
        for name, value, choices in (("model", model, MODELS), ("metric", metric, METRICS)):
            if value not in choices:
                raise InputError(
                    f"learned: unknown {name} {value!r}; choices: {', '.join(choices)}"
                )
        self._qualities = (
            _own(Path(checkpoint), model) if checkpoint else _pretrained(model, metric)
        )

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the highest quality that fits; see :class:`DigitalCodec`."""
        packets: dict[int, bytes] = {}

        def size_bits(quality: int) -> int:
            packets[quality] = _compress(image, self._qualities[quality - 1])
            return 8 * len(packets[quality])

        bits_per_pixel = max(max_bits, 1) / (image.shape[0] * image.shape[1])
        guess = 1 + math.floor(math.log(bits_per_pixel / _BITS_PER_PIXEL) / _SLOPE)
        qualities = range(1, len(self._qualities) + 1)
        quality = best_level(size_bits, qualities, max_bits, guess=guess, slope=_SLOPE)
        data = packets[quality]
        gain = weighted_gain(image, self.decode([data], *image.shape[:2]), w)
        return Bitstream((Packet(data, gain),), {"quality": quality})

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
        for weights in _candidates(data[0]) if data else ():
            if crc == _crc(weights, body, height, width):
                return _decompress(body, weights, height, width)
        raise DecodeError("learned: packet is damaged, or its weights are not available here")


@dataclass(frozen=True)
class _Weights:
    """Trained weights before they are loaded."""

    code: int
    model: str
    source: str
    """Address or path."""
    identity: str
    """Text that is the same at both ends."""


_opened: dict[str, _Weights] = {}
"""User's files with which a codec was made in this process; both ends have to agree on them."""


def _pretrained(model: str, metric: str) -> list[_Weights]:
    first = (MODELS.index(model) * len(METRICS) + METRICS.index(metric)) * _MAX_QUALITIES
    return [
        _Weights(first + quality - 1, model, url, url.rpartition("/")[2])
        for quality, url in sorted(zoo.urls(model, metric).items())
    ]


def _own(checkpoint: Path, model: str) -> list[_Weights]:
    path = checkpoint.expanduser()
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise InputError(f"learned: checkpoint must be a file or a folder of files, got {path}")
    found = [_Weights(_OWN, model, str(f), f"{model} {sha256_of(f)}") for f in files]
    _opened.update((weights.identity, weights) for weights in found)
    return found


@functools.lru_cache(maxsize=_MAX_QUALITIES)
def _load(weights: _Weights) -> CompressionModel:
    own = weights.code == _OWN
    return zoo.load(Path(weights.source) if own else zoo.fetch(weights.source), weights.model)


def _candidates(code: int) -> list[_Weights]:
    """Return the weights that a packet with this first byte may need."""
    if code == _OWN:
        return list(_opened.values())
    kind, quality = divmod(code, _MAX_QUALITIES)
    model, metric = divmod(kind, len(METRICS))
    if model >= len(MODELS):
        return []
    return _pretrained(MODELS[model], METRICS[metric])[quality : quality + 1]


def _compress(image: Image, weights: _Weights) -> bytes:
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % _ALIGNMENT), (0, -width % _ALIGNMENT), (0, 0)), "edge")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255

    def strings() -> bytes:
        network = _load(weights)
        with _reproducible():
            found = [string for (string,) in network.compress(x)["strings"]]
        lengths = b"".join(len(string).to_bytes(_LENGTH_BYTES, "big") for string in found[:-1])
        return lengths + b"".join(found)

    body = recall(strings, "learned", _machine(), weights.identity, padded)
    return bytes([weights.code]) + _crc(weights, body, height, width) + body


@functools.cache
def _machine() -> tuple[str, ...]:
    """Return everything that the last bit of a sum depends on besides its terms."""
    processor = platform.machine(), torch.backends.cpu.get_cpu_capability()
    return version("torch"), version("compressai"), *processor


def _decompress(body: bytes, weights: _Weights, height: int, width: int) -> Image:
    network = _load(weights)
    rows, columns = (-(-side // _ALIGNMENT) * _ALIGNMENT for side in (height, width))
    factor = network.downsampling_factor
    # A decoder without synchronisation reads up to 16 bits per latent: provide zeros for it.
    slack = bytes(2 * network.M * (rows // 16) * (columns // 16))
    strings = [[string + slack] for string in _split(body, 1 if factor == 16 else 2)]
    with _reproducible():
        shown = network.decompress(strings, (rows // factor, columns // factor))["x_hat"]
        image: Image = (255 * shown[0].permute(1, 2, 0)).round().byte().numpy()
    return image[:height, :width]


def _split(body: bytes, count: int) -> list[bytes]:
    strings, position = [], _LENGTH_BYTES * (count - 1)
    for i in range(count - 1):
        length = int.from_bytes(body[_LENGTH_BYTES * i : _LENGTH_BYTES * (i + 1)], "big")
        strings.append(body[position : position + length])
        position += length
    if position > len(body):
        raise DecodeError("learned: packet is shorter than its strings")
    return [*strings, body[position:]]


def _crc(weights: _Weights, body: bytes, height: int, width: int) -> bytes:
    shared = f"{weights.identity} {height}x{width} ".encode()
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
