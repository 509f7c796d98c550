"""What is particular to WebP, AVIF, AV1 and VVC: what the receiver knows is not sent."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage

from semcom.codecs import jpeg2000, webp
from semcom.codecs.base import CODECS, DecodeError, grey
from semcom.codecs.parts import obu
from semcom.codecs.parts.colour import from_planes, to_planes
from semcom.conformance.base import Candidate
from semcom.conformance.digital.checks import check_small_budget
from semcom.errors import InputError
from semcom.scores.psnr import psnr_db
from semcom.scores.similarity import ms_ssim
from tests.semcom.codecs.needs import needs


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


@pytest.mark.parametrize("tall", [False, True])
@pytest.mark.parametrize(
    ("spec", "most"),
    [
        ("jpeg", 65_500),
        ("webp", 16_383),
        pytest.param("avif", 32_768, marks=needs("avif")),
        pytest.param("vvc:preset=faster", 25_328, marks=needs("vvc")),
    ],
)
def test_the_longest_side_is_taken_and_no_longer_one(spec, most, tall):
    codec, name = CODECS.create(spec), spec.partition(":")[0]
    image = np.full((1, most + 1, 3), 90, dtype=np.uint8)
    image = image.swapaxes(0, 1) if tall else image
    w = np.ones(image.shape[:2], dtype=np.float32)
    fits = image[:most, :most]
    (packet, *others) = codec.encode(fits, w[:most, :most], 10**6).packets
    shown = codec.decode([packet.data, *(p.data for p in others)], *fits.shape[:2])
    assert psnr_db(fits, shown) > 30
    message = rf"^{name}: a side takes at most {most} pixels, got "
    with pytest.raises(ValueError, match=message) as refused:
        codec.encode(image, w, 10**6)
    assert type(refused.value) is InputError
    with pytest.raises(DecodeError, match=message):
        codec.decode([packet.data], *image.shape[:2])


@pytest.mark.parametrize("size", [(1, 1), (31, 363), (361, 363), (362, 363), (300, 2_000)])
def test_jpeg2000_headers_are_those_of_openjpeg(size):
    """The receiver makes them from that of the smallest picture."""
    written, _ = jpeg2000._compress(grey(*size), [20.0, 40.0], jpeg2000._block_side(*size))
    assert jpeg2000._header(*size, 2) == written


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
        pytest.param("av1:cpu_used=8,tune=ssim", marks=needs("av1")),
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
def test_what_libaom_refuses_is_refused_in_one_line():
    """FFmpeg's parser of AV1 takes no taller tile."""
    image = grey(20_000, 16)
    with pytest.raises(ValueError, match=r"^a picture of 16x20000 cannot be encoded: ffmpeg fail"):
        CODECS.create("av1:cpu_used=8").encode(image, np.ones(image.shape[:2], np.float32), 10**6)


@needs("av1")
@pytest.mark.parametrize(
    ("spec", "other"),
    [
        ("av1:cpu_used=7", "av1"),
        ("av1:cpu_used=7,tune=ssim", "av1"),
        ("vvc:preset=faster", "vvc"),
        ("vvc:preset=faster,tune=ssim", "vvc"),
    ],
)
def test_the_receiver_needs_no_options(photo, spec, other):
    image = np.ascontiguousarray(photo[40:80, 90:146])
    (packet,) = CODECS.create(spec).encode(image, np.ones((40, 56), np.float32), 20_000).packets
    assert psnr_db(image, CODECS.create(other).decode([packet.data], 40, 56)) > 30


@needs("av1")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("av1:cpu_used=9", "cpu_used must be 0 to 8, got 9"),
        ("av1:tune=vmaf", "^av1: unknown tune 'vmaf'; choices: psnr, ssim$"),
        ("vvc:preset=best", "choices: faster,"),
        ("vvc:tune=iq", "^vvc: unknown tune 'iq'; choices: psnr, ssim$"),
    ],
)
def test_bad_options_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        CODECS.create(spec)


@needs("av1")
@pytest.mark.parametrize("spec", ["av1:cpu_used=6", "vvc:preset=faster"])
def test_tuned_for_ssim_they_gain_ms_ssim_and_lose_psnr(spec):
    """At equal budgets, at least 4 % of what MS-SSIM lacks of 1 is gained."""
    photo = np.ascontiguousarray(skimage.data.astronaut()[:192, :192])
    w, shown = np.ones(photo.shape[:2], dtype=np.float32), []
    for options in (spec, f"{spec},tune=ssim"):
        codec = CODECS.create(options)
        stream = codec.encode(photo, w, 15_000)
        assert stream.num_bits <= 15_000
        assert stream.info.get("tune") == (None if options == spec else "ssim")
        shown.append(codec.decode([packet.data for packet in stream.packets], *w.shape))
    plain, tuned = ((psnr_db(photo, one), ms_ssim(photo, one)) for one in shown)
    assert 1 - tuned[1] < 0.96 * (1 - plain[1])
    assert plain[0] - 1.5 < tuned[0] < plain[0]


@needs("av1")
def test_the_smallest_tuned_stream_is_the_smallest():
    """Also where Variance Boost lowers the coarsest quantiser."""
    check_small_budget(Candidate("av1:cpu_used=8,tune=ssim"))
