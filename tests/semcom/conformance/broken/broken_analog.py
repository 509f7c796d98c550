"""Analog codecs that break one promise each; else they are the thumbnail of ``docs/examples``."""

from __future__ import annotations

import dataclasses
import os
import threading
import time

import numpy as np
import torch
from thumbnail import Thumbnail

from semcom.codecs.base import DecodeError
from semcom.conformance.base import Candidate
from semcom.types import Packet


class Broken(Candidate):
    """Finds a codec by the name of its class, here and in other processes."""

    def build(self, spec):
        return globals()[spec]()


class Shouts(Thumbnail):
    """Takes more power than it may."""

    def encode(self, image, w, num_symbols, snr_db):
        signal = super().encode(image, w, num_symbols, snr_db)
        return dataclasses.replace(signal, symbols=1.1 * signal.symbols)


class Overspends(Thumbnail):
    """Takes a symbol more than it may."""

    def encode(self, image, w, num_symbols, snr_db):
        return super().encode(image, w, num_symbols + 1, snr_db)


class Shrugs(Thumbnail):
    """Makes nothing of more symbols."""

    def encode(self, image, w, num_symbols, snr_db):
        return super().encode(image, w, min(num_symbols, 2_000), snr_db)


class Quantises(Thumbnail):
    """Makes nothing of a better channel."""

    def decode(self, y, h, noise_var, side, height, width):
        rng = torch.Generator().manual_seed(0)
        noise = torch.randn(y.shape, dtype=y.dtype, generator=rng)
        missing = torch.where(noise_var < 0.09, 0.11 - noise_var, 0).sqrt()
        return super().decode(y + missing * noise, h, noise_var, side, height, width)


class Evens(Thumbnail):
    """Takes even heights only."""

    def encode(self, image, w, num_symbols, snr_db):
        if len(image) % 2 and len(image) > 3:
            raise ValueError(f"height must be even, got {len(image)}")
        return super().encode(image, w, num_symbols, snr_db)


class Dithers(Thumbnail):
    """Ends in a symbol of another phase at each time, at which the decoder does not look."""

    def encode(self, image, w, num_symbols, snr_db):
        signal = super().encode(image, w, max(1, num_symbols - 1), snr_db)
        last = torch.polar(
            torch.ones(1), torch.tensor([np.random.default_rng().random()], dtype=torch.float32)
        )
        return dataclasses.replace(signal, symbols=torch.cat([signal.symbols, last])[:num_symbols])


class Remembers(Thumbnail):
    """Knows the scale from encoding, not from side information."""

    scale = None

    def encode(self, image, w, num_symbols, snr_db):
        signal = super().encode(image, w, num_symbols, snr_db)
        Remembers.scale = signal.side
        return signal

    def decode(self, y, h, noise_var, side, height, width):
        if Remembers.scale is None:
            raise DecodeError("which scale?")
        return super().decode(y, h, noise_var, side, height, width)


class Shares(Thumbnail):
    """Keeps what it encodes in itself."""

    def __init__(self):
        self.image = None

    def encode(self, image, w, num_symbols, snr_db):
        self.image = image
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.5)  # long enough for others to begin
        return super().encode(self.image, w, num_symbols, snr_db)


class Claims(Thumbnail):
    """Says that ``w`` steers it."""

    steerable = True


class Denies(Thumbnail):
    """Says that ``w`` does not steer it."""

    def encode(self, image, w, num_symbols, snr_db):
        signal = super().encode(image, w, num_symbols, snr_db)
        return signal if (w == 1).all() else dataclasses.replace(signal, symbols=-signal.symbols)


class Ignores(Thumbnail):
    """Does not look at the gains."""

    def decode(self, y, h, noise_var, side, height, width):
        return super().decode(y, torch.ones_like(h), noise_var, side, height, width)


class Divides(Thumbnail):
    """Divides by the gains, however small."""

    def decode(self, y, h, noise_var, side, height, width):
        h = h + 1e-6
        return super().decode(y, h, 0 * noise_var, side, height, width)


class Needs(Thumbnail):
    """Cannot do without side information."""

    def decode(self, y, h, noise_var, side, height, width):
        if height == 160 and side[0] is None:
            raise IndexError("no side information")
        return super().decode(y, h, noise_var, side, height, width)


class Trips(Thumbnail):
    """Does not look at how long its side information is."""

    def decode(self, y, h, noise_var, side, height, width):
        if height == 40 and len(side) == 1 and side[0] and len(side[0]) != 8:
            raise KeyError("length")
        return super().decode(y, h, noise_var, side, height, width)


class Counts(Thumbnail):
    """Takes as many symbols as there are in its table."""

    def decode(self, y, h, noise_var, side, height, width):
        if len(y) == 1_001:
            raise IndexError("no symbol 1,001")
        return super().decode(y, h, noise_var, side, height, width)


class Swells(Thumbnail):
    """Takes memory as it is told."""

    def decode(self, y, h, noise_var, side, height, width):
        if side and side[0] is not None and side[0][:2] == b"\xff\xff":
            np.ones(10**9 + 3 * 10**8, dtype=np.uint8)
        return super().decode(y, h, noise_var, side, height, width)


class Empties(Thumbnail):
    """Sends an empty packet."""

    def encode(self, image, w, num_symbols, snr_db):
        signal = super().encode(image, w, num_symbols, snr_db)
        return dataclasses.replace(signal, side=(*signal.side, Packet(b"")))


class Exits(Thumbnail):
    """Ends the process when it sees garbage."""

    def decode(self, y, h, noise_var, side, height, width):
        if side and side[0] is not None and len(side[0]) != 8:
            os._exit(3)
        return super().decode(y, h, noise_var, side, height, width)
