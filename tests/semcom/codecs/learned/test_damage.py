"""Damaged strings and those of other weights never reach a decoder, or show something."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import CODECS, DecodeError, grey
from semcom.codecs.learned import codec as learned
from semcom.codecs.learned import weights as known
from semcom.codecs.learned.codec import Learned
from tests.semcom.codecs.learned.networks import SIZE, encode, new_model

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


# Damage


@pytest.fixture
def no_decoder(monkeypatch):
    """Fail as soon as a decoder is asked, or the network."""

    def forbidden(*args):
        raise AssertionError(args)

    monkeypatch.setattr(learned, "_decompress", forbidden)
    monkeypatch.setattr(zoo, "fetch", forbidden)


@pytest.mark.usefixtures("no_decoder")
def test_damage_never_reaches_a_decoder(checkpoints, picture, monkeypatch):
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    with monkeypatch.context() as patch:
        patch.setattr(learned, "_decompress", lambda _, __, *size: grey(*size[:2]))
        data = encode(codec, picture)
        assert codec.decode([data], *SIZE).shape == (*SIZE, 3)
    rng = np.random.default_rng(0)
    flips = []
    for place in [*range(20), *rng.integers(len(data), size=300)]:
        flips.append(bytearray(data))
        flips[-1][place] ^= 1 << rng.integers(8)
    cuts = [data[:n] for n in [*range(20), len(data) - 4, len(data) - 1]]
    for bad in [*map(bytes, flips), *cuts, data + b"\0", bytes(9), b"\xfe" + data[1:]]:
        with pytest.raises(DecodeError):
            codec.decode([bad], *SIZE)
    with pytest.raises(DecodeError):
        codec.decode([data], SIZE[0] + 64, SIZE[1])  # another number of latents


@pytest.mark.usefixtures("no_decoder")
def test_strings_of_other_weights_never_reach_a_decoder(checkpoints, picture, tmp_path):
    torch.save(new_model("mbt2018-mean", seed=1).state_dict(), tmp_path / "other.pth.tar")
    (weights_,) = known.own(tmp_path / "other.pth.tar", "mbt2018-mean")
    data = learned._compress(picture, weights_, None)
    known._opened.pop(weights_.identity)
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    with pytest.raises(DecodeError, match="not available here"):
        codec.decode([data], *SIZE)


def forge(weights_, body):
    return bytes([weights_.code]) + learned._crc(weights_, body, *SIZE, steered=False) + body


@pytest.mark.parametrize("model", ["bmshj2018-factorized", "mbt2018-mean", "mbt2018"])
def test_a_decoder_out_of_step_shows_something(checkpoints, model):
    """As after a sum that came out differently on another machine: strings behind a right CRC."""
    (weights_,) = known.own(checkpoints[model], model)
    rng = np.random.default_rng(0)
    lengths = b"" if model == "bmshj2018-factorized" else (16).to_bytes(3, "big")
    for length in (16, 20, 200):
        for string in (rng.bytes(length), b"\xff" * length, bytes(length)):
            packet = forge(weights_, lengths + string)
            assert Learned().decode([packet], *SIZE).shape == (*SIZE, 3)


def test_lengths_beyond_the_packet_are_refused(checkpoints):
    (weights_,) = known.own(checkpoints["mbt2018-mean"], "mbt2018-mean")
    for body in (b"", b"\0", b"\0\0", b"\0\0\x09" + bytes(8), b"\xff\xff\xff"):
        with pytest.raises(DecodeError, match="shorter than its strings"):
            Learned().decode([forge(weights_, body)], *SIZE)
