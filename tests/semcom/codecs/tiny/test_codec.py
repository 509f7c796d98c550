"""The codec ``tiny``: what it reaches, and that every machine reads its bytes alike."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.codecs.tiny.codec import Tiny
from semcom.codecs.tiny.weights import load, to_bytes
from semcom.images import load_image
from semcom.scores.psnr import psnr_db, region_psnr_db

DECODE = """
import sys, numpy as np, torch
from semcom.codecs.tiny.codec import Tiny
for stream, shown in (sys.argv[1:3], sys.argv[3:5]):
    np.save(shown, Tiny().decode([open(stream, "rb").read()], 160, 240))
print(torch.backends.cpu.get_cpu_capability())
"""


def even(image):
    return np.ones(image.shape[:2], np.float32)


def coded(spec, image, max_bits, w=None):
    codec = CODECS.create(spec)
    stream = codec.encode(image, even(image) if w is None else w, max_bits)
    assert stream.num_bits <= max_bits
    packets = [packet.data for packet in stream.packets]
    return stream.num_bits, codec.decode(packets, *image.shape[:2])


def test_machines_with_other_instructions_read_the_same(photo, tmp_path):
    repaired, plain = (
        Tiny(refine=refine).encode(photo, even(photo), 40_000).packets[0].data
        for refine in (True, False)
    )
    files = [tmp_path / name for name in ("repaired", "repaired.npy", "plain", "plain.npy")]
    files[0].write_bytes(repaired)
    files[2].write_bytes(plain)
    older = {
        "ATEN_CPU_CAPABILITY": "default",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
    }
    command = [sys.executable, "-W", "ignore", "-c", DECODE, *map(str, files)]
    done = subprocess.run(
        command, env=os.environ | older, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["DEFAULT"]
    there, plain_there = np.load(files[1]), np.load(files[3])
    here, plain_here = (Tiny().decode([data], *photo.shape[:2]) for data in (repaired, plain))
    # The numbers are the same; the last bits of the inverse transform may round a pixel.
    assert np.abs(plain_there.astype(int) - plain_here).max() <= 1
    assert np.mean(plain_there != plain_here) < 1e-3
    assert abs(psnr_db(photo, here) - psnr_db(photo, there)) < 0.05


def test_the_packet_says_whether_it_is_repaired(photo):
    """A receiver makes the codec by its name, without the sender's options."""
    scores = []
    for refine in (True, False):
        sender = Tiny(refine=refine)
        packets = [p.data for p in sender.encode(photo, even(photo), 15_000).packets]
        shown = Tiny().decode(packets, *photo.shape[:2])
        assert np.array_equal(shown, sender.decode(packets, *photo.shape[:2]))
        scores.append(psnr_db(photo, shown))
    assert scores[0] > scores[1] + 0.1


@pytest.mark.parametrize("name", ["kodim08.png", "kodim23.png"])
def test_it_is_ahead_of_webp_and_jpeg2000(kodak, name):
    image, _ = load_image(kodak / name)
    for bits_per_pixel in (0.35, 1):
        max_bits = round(bits_per_pixel * image.shape[0] * image.shape[1])
        tiny, webp, jpeg2000 = (
            psnr_db(image, coded(spec, image, max_bits)[1]) for spec in ("tiny", "webp", "jpeg2000")
        )
        assert tiny > max(webp, jpeg2000)


def test_importance_moves_quality(photo, region):
    share = region.mean()
    w = np.where(region, 0.65 / share, 0.35 / (1 - share)).astype(np.float32)
    blind = coded("tiny", photo, 30_000)[1]
    steered = coded("tiny", photo, 30_000, w)[1]
    gain = region_psnr_db(photo, steered, region) - region_psnr_db(photo, blind, region)
    loss = region_psnr_db(photo, steered, ~region) - region_psnr_db(photo, blind, ~region)
    assert gain > 2
    assert -3 < loss < 0


def test_the_network_helps(photo):
    for max_bits, least in ((10_000, 0.3), (40_000, 0)):
        plain = psnr_db(photo, coded("tiny:refine=false", photo, max_bits)[1])
        assert psnr_db(photo, coded("tiny", photo, max_bits)[1]) > plain + least


def test_gains_are_those_of_the_picture_that_is_shown(photo):
    w = np.linspace(0.5, 1.5, photo.shape[1], dtype=np.float32) + np.zeros(
        photo.shape[:2], np.float32
    )
    stream = Tiny().encode(photo, w, 20_000)
    shown = Tiny().decode([stream.packets[0].data], *photo.shape[:2])
    grey, error = (((photo - other) ** 2).sum(axis=2) for other in (128.0, shown.astype(float)))
    assert stream.packets[0].gain == pytest.approx(float((w * (grey - error)).sum()))


def test_a_lost_tile_costs_that_tile(photo):
    codec = Tiny(tiles="2x2")
    stream = codec.encode(photo, even(photo), 40_000)
    packets = [packet.data for packet in stream.packets]
    whole = codec.decode(packets, 160, 240)
    hurt = Tiny().decode([packets[0], None, *packets[2:]], 160, 240)
    assert np.array_equal(np.delete(whole, slice(112, 240), 1), np.delete(hurt, slice(112, 240), 1))
    assert np.array_equal(whole[80:], hurt[80:])
    assert not np.array_equal(whole[:80, 112:], hurt[:80, 112:])


def test_packets_of_foreign_weights_are_refused(photo, tmp_path):
    file = tmp_path / "w.safetensors"
    file.write_bytes(to_bytes(load(), {"mine": "yes"}))
    stream = Tiny(weights=str(file)).encode(photo, even(photo), 30_000)
    data = stream.packets[0].data
    assert Tiny().decode([data], 160, 240).shape == photo.shape  # it was opened here
    foreign = data[:6] + bytes([data[6] ^ 1]) + data[7:]
    with pytest.raises(DecodeError, match="weights that are not open here"):
        Tiny().decode([foreign], 160, 240)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d[:3], "a packet is cut off"),
        (lambda d: d[:1] + b"\x7f\xff" + d[3:], "levels go to 639, and a packet says 8191"),
        (lambda d: b"\x12" + d[1:], "1 packets for 1x2 tiles"),
        (lambda d: d + bytes(range(1, 100)), "bytes that do not belong to it"),
    ],
)
def test_damaged_packets_are_refused(photo, spoil, words):
    data = Tiny().encode(photo, even(photo), 30_000).packets[0].data
    with pytest.raises(DecodeError, match=words):
        Tiny().decode([spoil(data)], 160, 240)


def test_the_smallest_stream_is_named(photo):
    with pytest.raises(BudgetTooSmallError, match="the smallest stream has"):
        Tiny().encode(photo, even(photo), 80)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="tiny: tiles must be ROWSxCOLUMNS"):
        Tiny(tiles="0x2")
