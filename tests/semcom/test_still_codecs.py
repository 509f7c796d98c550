"""What is particular to WebP, AVIF, AV1 and VVC: what the receiver knows is not sent."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage

from semcom.codecs import obu, webp
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.colour import from_planes, to_planes
from semcom.scores.psnr import psnr_db


def needs(name):
    missing = CODECS.entry(name).missing
    return pytest.mark.skipif(bool(missing), reason=f"{name} needs {', '.join(missing)}")


def contents(height, width):
    rng = np.random.default_rng(0)
    stripes = np.zeros((height, width, 3), dtype=np.uint8)
    stripes[:, ::5] = 255
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    text = np.repeat(rng.integers(0, 2, (height, width, 1), dtype=np.uint8) * 255, 3, axis=-1)
    return [stripes, noise, text]


@pytest.mark.parametrize("quality", [0, 40, 100])
def test_webp_file_is_rebuilt_byte_by_byte(photo, quality):
    buffer = io.BytesIO()
    PilImage.fromarray(photo).save(buffer, "WEBP", quality=quality, method=6)
    data = webp._compress(photo, quality)
    frame = data[:3] + webp._frame_size(*photo.shape[:2]) + data[3:]
    file = webp._file_header(len(frame)) + frame
    assert file + b"\0" * (len(frame) % 2) == buffer.getvalue()


def test_webp_takes_no_larger_side():
    image = np.zeros((16, 16_384, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="at most 16383 pixels, got 16384x16"):
        webp.Webp().encode(image, np.ones(image.shape[:2], dtype=np.float32), 10_000)


@needs("avif")
@pytest.mark.parametrize("quality", [0, 40, 100])
def test_avif_file_is_rebuilt_byte_by_byte(photo, quality):
    from semcom.codecs import avif

    file = avif._compress(photo, quality)
    payload = avif._split(file)[2]
    boxes, sequence = avif._known(*photo.shape[:2])
    assert avif._join(boxes, sequence + obu.frame(payload)) == file
    assert len(file) - len(payload) > 250


@given(st.integers(0, 70_000))
def test_obu_lengths(length):
    head, payload = b"\x12\x00\x0a\x01\x00", bytes(length)
    assert obu.split(head + obu.frame(payload)) == (head, payload)


def test_colour_space_costs_less_than_half_a_grey_level():
    image = np.random.default_rng(0).integers(0, 256, (64, 65, 3), dtype=np.uint8)
    planes = to_planes(image)
    assert planes.shape == (3, 64, 65)
    assert planes.max() <= 1023
    assert np.abs(from_planes(planes).astype(int) - image).max() <= 1
    assert psnr_db(image, from_planes(planes)) > 50


@pytest.mark.parametrize("size", [(16, 16), (63, 65), (1, 130)])
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("avif", marks=needs("avif")),
        pytest.param("av1:cpu_used=8", marks=needs("av1")),
        pytest.param("vvc:preset=faster", marks=needs("vvc")),
    ],
)
def test_headers_depend_on_the_size_alone(spec, size):
    """``encode`` raises if the encoder wrote headers other than the receiver's."""
    codec = CODECS.create(spec)
    for image in contents(*size):
        w = np.ones(size, dtype=np.float32)
        for max_bits in (6_000, 40 * image.size):
            (packet,) = codec.encode(image, w, max_bits).packets
            assert codec.decode([packet.data], *size).shape == image.shape


@needs("vvc")
def test_vvc_stays_below_what_ffmpeg_can_hold():
    """FFmpeg's buffer overflows at the finest qualities; the search must stop before."""
    image = contents(64, 64)[1]
    stream = CODECS.create("vvc:preset=faster").encode(
        image, np.ones(image.shape[:2], dtype=np.float32), 10**6
    )
    assert 0.4 * 8 * 64 * 64 < stream.num_bits < 8 * (64 * 64 + 1024)


@needs("av1")
@pytest.mark.parametrize("spec", ["av1:cpu_used=8", "vvc:preset=faster"])
def test_fine_steps_use_the_budget_and_lose_nothing(photo, spec):
    """The encoders' own steps are 4 to 10 % of the size; quality grows smoothly through them."""
    codec, w = CODECS.create(spec), np.ones(photo.shape[:2], dtype=np.float32)
    budgets = np.geomspace(0.5, 1.0, 9) * photo[..., 0].size
    bits, quality = [], []
    for budget in budgets:
        stream = codec.encode(photo, w, int(budget))
        shown = codec.decode([packet.data for packet in stream.packets], *photo.shape[:2])
        bits.append(stream.num_bits)
        quality.append(psnr_db(photo, shown))
    assert (np.array(bits) > 0.97 * budgets).all()
    rate = np.log(bits)
    smooth = np.polyval(np.polyfit(rate, quality, 2), rate)
    assert np.abs(quality - smooth).max() < 0.08


@needs("av1")
@pytest.mark.parametrize("spec", ["av1:cpu_used=8", "vvc:preset=faster"])
def test_a_decoder_that_takes_too_long_is_stopped(monkeypatch, photo, spec):
    from semcom.codecs import ffmpeg

    codec = CODECS.create(spec)
    w = np.ones(photo.shape[:2], dtype=np.float32)
    (packet,) = codec.encode(photo, w, 40_000).packets
    monkeypatch.setattr(ffmpeg, "_LEAST_LIMIT_S", 0)
    monkeypatch.setattr(ffmpeg, "_PIXELS_PER_S", 1e12)
    with pytest.raises(DecodeError, match="ffmpeg was stopped after"):
        codec.decode([packet.data], *photo.shape[:2])


@needs("av1")
@pytest.mark.parametrize(
    ("spec", "other"), [("av1:cpu_used=7", "av1"), ("vvc:preset=faster", "vvc")]
)
def test_the_receiver_needs_no_options(photo, spec, other):
    image = np.ascontiguousarray(photo[40:80, 90:146])
    (packet,) = CODECS.create(spec).encode(image, np.ones((40, 56), np.float32), 20_000).packets
    assert psnr_db(image, CODECS.create(other).decode([packet.data], 40, 56)) > 30


@needs("av1")
@pytest.mark.parametrize(
    ("spec", "message"),
    [("av1:cpu_used=9", "cpu_used must be 0 to 8, got 9"), ("vvc:preset=best", "choices: faster,")],
)
def test_bad_options_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        CODECS.create(spec)
