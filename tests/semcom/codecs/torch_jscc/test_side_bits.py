"""Bits that a network sends beside its symbols: counted, protected, and checked."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.base import DecodeError
from semcom.codecs.parts.cells import CELL, levels_of, weights_of
from semcom.conformance.analog.calls import air
from semcom.errors import InputError
from tests.semcom.codecs.torch_jscc.sending import codec, means, send


@pytest.mark.parametrize("patch", [0, 32])
def test_side_bits_are_sent_and_paid_for(photo, patch):
    """Planes are 256 values of 64x64 pixels, or 64 of each of four patches, 15 bits each."""
    image, network = photo[:64, :64].copy(), codec("Chosen", patch=patch)
    assert network.least_symbols(64, 64) == 3 * 128
    assert "15 bits of side information" in network.remarks()[-1]
    for allowed, planes in ((384, 3), (511, 3), (640, 5), (10**6, 15)):
        signal, shown = send(network, image, num_symbols=allowed)
        assert len(signal.symbols) == planes * 128
        images = 4 if patch else 1
        # identity, scale, three axes, the number of bits, and the bits
        assert len(signal.side[0].data) == 4 + 4 + 1 + 12 + 4 + -(-15 * images // 8)
    assert np.abs(shown - means(image, 2)).max() <= 2
    with pytest.raises(
        InputError, match=r"makes 384 symbols of 64x64 pixels.* but 383 are allowed"
    ):
        send(network, image, num_symbols=383)


def test_damaged_side_bits_are_an_error(photo):
    image, network = photo[:64, :64].copy(), codec("Chosen")
    signal, _ = send(network, image, num_symbols=640)
    data = signal.side[0].data
    marked = data[:-2] + bytes([data[-2] ^ 0x80, data[-1]])  # one plane more, or one less
    for damaged, message in (
        (marked, "decode of .*Chosen fails"),
        (data[:-1], "cut off"),
        (data[:-3], "cut off"),
        (data + b"?", "too long"),
        (data[:-6] + b"\xff" * 4 + data[-2:], "cut off"),
    ):
        with pytest.raises(DecodeError, match=message):
            network.decode(*air(signal.symbols, 60), [damaged], 64, 64)


def test_a_decoder_may_take_both_side_bits_and_a_mask(photo, region):
    image, inside = photo[:160, :160].copy(), region[:160, :160]
    w = np.where(inside, 4.0, 0.25).astype(np.float32)
    _, shown = send(codec("ChosenAndWeighted"), image, w)
    cells = weights_of(levels_of(w)).repeat(CELL, 0).repeat(CELL, 1) >= 1
    assert np.abs(shown - means(image, 2))[cells].max() <= 2
    assert np.abs(shown[~cells].astype(int) - 128).max() <= 1
