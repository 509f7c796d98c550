"""Sending a picture by a network of ``networks.py``, and what arrives of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semcom.codecs.base import CODECS
from semcom.conformance.analog.calls import air

NETWORKS = Path(__file__).with_name("networks.py")


def codec(name, **options):
    more = "".join(f",{key}={value}" for key, value in options.items())
    return CODECS.create(f"torch_jscc:module={NETWORKS}:{name}{more}")


def means(image, side=4):
    """The means of blocks, shown as blocks."""
    height, width = (-(-n // 16) * 16 for n in image.shape[:2])
    padding = ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))
    padded = np.pad(image.astype(np.float32), padding, mode="edge")
    blocks = padded.reshape(height // side, side, width // side, side, 3).mean(axis=(1, 3))
    whole = blocks.repeat(side, 0).repeat(side, 1)
    return np.rint(whole[: image.shape[0], : image.shape[1]])


def send(network, image, w=None, snr_db=60.0, num_symbols=10**6):
    w = np.ones(image.shape[:2], np.float32) if w is None else w
    signal = network.encode(image, w, num_symbols, snr_db)
    side = [packet.data for packet in signal.side]
    return signal, network.decode(*air(signal.symbols, snr_db), side, *image.shape[:2])
