"""BPG files: their header, colours and sizes, damaged ones, and programs of libbpg's kind."""

import os
import stat
import sys

import av
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.codecs.bpg import encoder
from semcom.codecs.bpg.bits import (
    BitReader,
    BitWriter,
    escaped,
    read_variable,
    unescaped,
    variable,
)
from semcom.codecs.bpg.codec import Bpg
from semcom.codecs.bpg.container import padded_size, read_file, write_file
from semcom.codecs.bpg.parameter_sets import Tools, tools_of
from semcom.codecs.bpg.planes import from_planes, to_planes
from semcom.scores.psnr import psnr_db

PHOTO = skimage.data.astronaut()[100:212, 150:310].copy()
FLAT = np.ones(PHOTO.shape[:2], dtype=np.float32)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=5))
def test_numbers_of_the_header_survive(value, after):
    coded = variable(value)
    assert read_variable(b"x" + coded + after, 1) == (value, 1 + len(coded))
    assert len(coded) == max(1, -(-value.bit_length() // 7))


def test_numbers_are_those_of_the_specification():
    """The examples of section 2 of BPG's specification; a first byte of 0x80 is not allowed."""
    assert [variable(n).hex() for n in (8, 542, 728855)] == ["08", "841e", "acbe17"]
    for damaged in (b"\x80\x01", b"\x84", b"", b"\x81\x81\x81\x81\x81\x01"):
        with pytest.raises(DecodeError, match="number in the header of BPG"):
            read_variable(damaged, 0)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 2**20 - 1)), min_size=1))
def test_bit_fields_survive(fields):
    out = BitWriter()
    for count, value in fields:
        out.fixed(count, value % 2**count)
        out.golomb(value)
    bits = BitReader(out.padded())
    for count, value in fields:
        assert (bits.fixed(count), bits.golomb()) == (value % 2**count, value)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), max_size=40).map(bytes))
def test_escaped_units_hold_no_start_code(payload):
    payload += b"\x80"  # a unit never ends with zero
    assert unescaped(escaped(payload)) == payload
    assert b"\x00\x00\x01" not in escaped(payload)
    assert b"\x00\x00\x00" not in escaped(payload)


@given(
    st.tuples(*([st.integers(0, 3)] * 5), *([st.integers(0, 1)] * 2)),
    st.none() | st.integers(0, 511).map(lambda n: n & 0b111001010),
)
def test_reduced_parameter_sets_survive(fields, flags):
    tools = Tools(*fields, flags)
    assert Tools.unpack(tools.pack()) == tools
    sequence = tools.sequence(64, 128, 1).split(b"\x00\x00\x00\x01")[2]
    if tools.range_flags is None:
        assert tools_of(sequence) == tools


@pytest.mark.parametrize("chroma", ["420", "444"])
@pytest.mark.parametrize("size", [(16, 16), (17, 33), (64, 64), (112, 160)])
def test_a_file_has_bpgs_header_and_shows_what_ffmpeg_shows(chroma, size):
    """Our reader, which gets no parameter sets, against FFmpeg on x265's own stream."""
    height, width = size
    image = PHOTO[:height, :width]
    stream = encoder.encode(to_planes(image, chroma), 30, chroma)
    file = write_file(stream, height, width, chroma)
    assert file[:4] == b"BPG\xfb"
    assert file[4:6] == bytes([{"420": 0x20, "444": 0x60}[chroma], 0])
    body = stream.split(b"\x00\x00\x00\x01", 3)[3]
    assert file.endswith(body)
    assert len(file) - len(body) < 16  # where VPS and SPS alone take more than 60 bytes
    context = av.CodecContext.create("hevc", "r")
    frames = [*context.decode(av.Packet(stream)), *context.decode(None)]
    for ours, plane in zip(read_file(file, height, width), frames[0].planes, strict=True):
        theirs = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
        assert (ours == theirs[:, : plane.width]).all()
    assert padded_size(height, width) == (frames[0].height, frames[0].width)


def test_grey_is_exact_and_colours_lose_what_subsampling_takes():
    for level in (0, 1, 127, 128, 255):
        grey = np.full((18, 23, 3), level, dtype=np.uint8)
        for chroma in ("420", "444"):
            assert (from_planes(to_planes(grey, chroma), 18, 23) == grey).all()
    full, half = (
        psnr_db(PHOTO, from_planes(to_planes(PHOTO, chroma), *PHOTO.shape[:2]))
        for chroma in ("444", "420")
    )
    assert full > 51  # rounding of three values to 8 bits
    assert 35 < half < full - 5


def test_luma_is_that_of_bt601():
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    y, cb, cr = to_planes(colours, "444")
    red, green, blue = np.moveaxis(colours.astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert np.abs(y - luma).max() <= 0.5 + 1e-4
    assert np.abs(cb - np.clip(128 + (blue - luma) / 1.772, 0, 255)).max() <= 0.5 + 1e-4
    assert np.abs(cr - np.clip(128 + (red - luma) / 1.402, 0, 255)).max() <= 0.5 + 1e-4


def test_a_smooth_colour_survives_halving_and_doubling():
    """The filters pass a slope unchanged, apart from the edges, and keep its position."""
    ramp = np.zeros((64, 96, 3), dtype=np.uint8)
    ramp[..., 0] = 40 + np.arange(96) * 2
    ramp[..., 2] = 200 - np.arange(64)[:, None] * 2
    shown = from_planes(to_planes(ramp, "420"), 64, 96).astype(int)
    assert np.abs(shown - ramp)[12:-12, 12:-12].max() <= 2


def test_the_qp_is_the_lowest_that_fits():
    codec = Bpg()
    planes = to_planes(PHOTO, "420")
    sizes = {
        qp: 8 * len(write_file(encoder.encode(planes, qp, "420"), *PHOTO.shape[:2], "420"))
        for qp in (29, 30)
    }
    assert codec.encode(PHOTO, FLAT, sizes[30]).info["qp"] == 30
    assert codec.encode(PHOTO, FLAT, sizes[30]).num_bits == sizes[30]
    assert codec.encode(PHOTO, FLAT, sizes[29] - 8).info["qp"] == 30
    with pytest.raises(BudgetTooSmallError, match="smallest stream has"):
        codec.encode(PHOTO, FLAT, 100)


def test_444_keeps_colours_that_420_loses():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2, 0] = 255
    w = np.ones((64, 64), dtype=np.float32)
    shown = []
    for chroma in ("420", "444"):
        stream = CODECS.create(f"bpg:chroma={chroma}").encode(stripes, w, 60_000)
        shown.append(Bpg().decode([stream.packets[0].data], 64, 64))  # the file says which it is
    assert psnr_db(stripes, shown[1]) > psnr_db(stripes, shown[0]) + 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: b"BPQ" + file[3:], "not a BPG file"),
        (lambda file: file[:4] + b"\x30" + file[5:], "only BPG files at 8 bit"),
        (lambda file: file[:5] + b"\x08" + file[6:], "only BPG files at 8 bit"),
        (lambda file: file[:-3], "cut off"),
        (lambda file: file + b"\x00", "longer than it says"),
    ],
)
def test_damaged_files_are_refused(change, message):
    file = Bpg().encode(PHOTO, FLAT, 20_000).packets[0].data
    with pytest.raises(DecodeError, match=message):
        Bpg().decode([change(file)], *PHOTO.shape[:2])


def test_another_size_is_refused():
    file = Bpg().encode(PHOTO, FLAT, 20_000).packets[0].data
    with pytest.raises(DecodeError, match="160x112 pixels instead of 160x113"):
        Bpg().decode([file], 113, 160)


def write_program(path, text):
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


ENCODE = """
import sys
sys.path[:0] = {paths!r}
import numpy as np
from PIL import Image
from semcom.codecs.bpg import encoder
from semcom.codecs.bpg.container import write_file
from semcom.codecs.bpg.planes import to_planes
told = dict(zip(sys.argv[1:-1:2], sys.argv[2:-1:2]))
assert told["-b"] == "8"
image = np.asarray(Image.open(sys.argv[-1]))
stream = encoder.encode(to_planes(image, told["-f"]), int(told["-q"]), told["-f"])
open(told["-o"], "wb").write(write_file(stream, *image.shape[:2], told["-f"]))
"""
DECODE = """
import sys
sys.path[:0] = {paths!r}
import numpy as np
from PIL import Image
from semcom.codecs.bpg.codec import Bpg
shown = Bpg().decode([open(sys.argv[-1], "rb").read()], 48, 64).copy()
shown[0, 0] ^= 3
Image.fromarray(shown).save(sys.argv[2])
"""


@pytest.mark.skipif(os.name == "nt", reason="the made program is a script with a first line")
def test_a_program_writes_the_files_and_another_is_compared(tmp_path):
    """A stand-in with the command line of bpgenc and bpgdec; no real libbpg is run here."""
    paths = [path for path in sys.path if path]
    where = write_program(tmp_path / "bpgenc", ENCODE.format(paths=paths))
    image, w = PHOTO[:48, :64], np.ones((48, 64), dtype=np.float32)
    alone = CODECS.create(f"bpg:program={where}").encode(image, w, 6000)
    assert "bpgdec_difference" not in alone.info
    assert alone.packets[0].data == Bpg().encode(image, w, 6000).packets[0].data
    write_program(tmp_path / "bpgdec", DECODE.format(paths=paths))
    compared = CODECS.create(f"bpg:program={where},chroma=444").encode(image, w, 9000)
    assert 0 < compared.info["bpgdec_difference"] <= 3
    assert compared.info["chroma"] == "444"


def test_programs_that_do_not_work_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"bpg: there is no program 'no-bpgenc' that can be run"):
        CODECS.create("bpg:program=no-bpgenc")
    with pytest.raises(ValueError, match="give program as well"):
        Bpg(decoder=sys.executable)
    where = write_program(tmp_path / "bpgenc", "raise SystemExit('unknown option -b')")
    with pytest.raises(ValueError, match="bpgenc failed: unknown option -b"):
        Bpg(program=where).encode(PHOTO, FLAT, 9000)
