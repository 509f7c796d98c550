"""Links of every kind, and a codec that sends pixels as they are."""

from __future__ import annotations

import numpy as np
import torch

from semcom.codecs.base import DecodeError, grey
from semcom.link.config import LinkConfig
from semcom.types import AnalogSignal, Packet

LINKS = {
    "awgn": LinkConfig("awgn", 10),
    "awgn low": LinkConfig("awgn", 0),
    "block, genie": LinkConfig("rayleigh", 20),
    "block, pilots": LinkConfig("rayleigh:block_length=500", 20, "pilots", 8),
    "one block, pilots": LinkConfig("rician:k_db=9", 15, "pilots", 4),
    "ofdm": LinkConfig("ofdm:over=tdl_a", 15),
    "mimo": LinkConfig("mimo:antennas=2x2", 15),
    "copies": LinkConfig("awgn", 10, copies=3),
    "fixed": LinkConfig("awgn", 12, scheme="16-QAM 0.499"),
    "unsure": LinkConfig("awgn", 10, planned_std_db=6),
}


class Pixels:
    """Grey levels of so many pixels as amplitudes; ``side`` packets of nothing, at first none."""

    analog = True
    steerable = False
    side: tuple[Packet, ...] = ()
    seen: tuple[object, ...] = ()

    def encode(self, image, w, num_symbols, snr_db):  # noqa: ARG002
        count = min(num_symbols, w.size)
        values = torch.from_numpy(image[..., 0].ravel()[:count] - 127.5).to(torch.complex64)
        return AnalogSignal(values / values.abs().square().mean().sqrt(), self.side)

    def decode(self, y, h, noise_var, side, height, width):
        Pixels.seen = y, h, noise_var, side
        if not {*side} <= {None, *(packet.data for packet in self.side)}:
            raise DecodeError("not mine")
        shown = grey(height, width)
        values = 127.5 + 60 * (y / h).nan_to_num().real.numpy()
        shown.reshape(-1, 3)[: len(y)] = np.clip(values, 0, 255)[:, None]
        return shown
