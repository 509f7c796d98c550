"""What is particular to JPEG 2000: packets gathered anew, and layers of falling importance."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as PilImage

from semcom.codecs import jpeg2000
from semcom.codecs.jpeg2000 import Jpeg2000
from semcom.codecs.parts import jpeg2000_packets as j2k_packets
from semcom.scores.psnr import psnr_db


def flat_map(image):
    return np.ones(image.shape[:2], dtype=np.float32)


def data_of(stream):
    return [packet.data for packet in stream.packets]


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (70, 200), (160, 240)])
@pytest.mark.parametrize("kind", ["photo", "noise", "flat"])
def test_packets_that_are_read_and_written_say_the_same(photo, size, kind):
    image = photo[: size[0], : size[1]].copy()
    if kind == "noise":
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    elif kind == "flat":
        image[:] = 128
    side = jpeg2000._block_side(*image.shape[:2])
    header, body = jpeg2000._compress(image, jpeg2000._LAYERS_DB, side)  # has longer empty packets
    bands = jpeg2000._read(*image.shape[:2], image.tobytes())
    layers = j2k_packets.write(bands)
    again = j2k_packets.layout(
        *jpeg2000._padded(*size), jpeg2000._LEVELS, jpeg2000._block_side(*size)
    )
    j2k_packets.read(b"".join(layers), again, len(layers))
    assert again == bands
    file = header + jpeg2000._tile_part(body)
    theirs = np.asarray(PilImage.open(io.BytesIO(file)))[: size[0], : size[1]]
    assert (Jpeg2000().decode(layers, *size) == theirs).all()


@pytest.mark.parametrize("max_bits", [10_000, 40_000, 120_000])
def test_as_good_as_the_allocation_of_openjpeg(photo, max_bits):
    """OpenJPEG knows each coding pass; contributions are coarser, and their headers cost more."""
    stream = Jpeg2000(layers=1).encode(photo, flat_map(photo), max_bits)
    ours = psnr_db(photo, Jpeg2000().decode(data_of(stream), *photo.shape[:2]))
    buffer = io.BytesIO()
    PilImage.fromarray(photo).save(
        buffer,
        "JPEG2000",
        no_jp2=True,
        irreversible=True,
        mct=1,
        codeblock_size=(16, 16),
        quality_mode="rates",
        # At equal bytes of packets: the headers are 150 bytes.
        quality_layers=[8 * photo.size / (max_bits + 8 * 150)],
    )
    theirs = psnr_db(photo, np.asarray(PilImage.open(buffer)))
    assert ours > theirs - 0.2


def test_layers_fall_in_importance_and_double_in_bytes(photo):
    stream = Jpeg2000(layers=5).encode(photo, flat_map(photo), 100_000)
    sizes = np.array([len(packet.data) for packet in stream.packets])
    gains = np.array([packet.gain for packet in stream.packets])
    assert (np.diff(gains / sizes) < 0).all()
    np.testing.assert_allclose(np.cumsum(sizes) / sizes.sum(), 2.0 ** np.arange(-4, 1), rtol=0.1)
    shown = [Jpeg2000().decode(data_of(stream)[:n], *photo.shape[:2]) for n in range(1, 6)]
    quality = [psnr_db(photo, picture) for picture in shown]
    assert np.diff(quality).min() > 1.5


def test_behind_a_lost_layer_nothing_is_used(photo):
    data = data_of(Jpeg2000().encode(photo, flat_map(photo), 60_000))
    first = Jpeg2000().decode(data[:1], *photo.shape[:2])
    gap = Jpeg2000().decode([data[0], None, *data[2:]], *photo.shape[:2])
    assert (gap == first).all()


def test_what_is_worth_nothing_gets_nothing(photo):
    w = flat_map(photo)
    w[:, 120:] = 0
    stream = Jpeg2000().encode(photo, w / w.mean(), 40_000)
    shown = Jpeg2000().decode(data_of(stream), *photo.shape[:2])
    assert psnr_db(photo[:, :120], shown[:, :120]) > psnr_db(photo[:, 120:], shown[:, 120:]) + 10


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="layers must be 1 to 32, got 0"):
        Jpeg2000(layers=0)
    image = np.zeros((16, 40_000, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="at most 32768 pixels, got 40000x16"):
        Jpeg2000().encode(image, flat_map(image), 10_000)
