"""What is particular to HEVC: offsets follow the map, tiles, and nothing known is sent twice."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import skimage.data

from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.hevc import Hevc, _Source, _start
from semcom.codecs.parts import x265
from semcom.codecs.parts.x265 import offsets_of
from semcom.conformance.base import Candidate
from semcom.conformance.digital.checks import check_small_budget
from semcom.conformance.memory import grown_bytes, start_measuring
from semcom.scores.psnr import psnr_db, region_psnr_db
from semcom.scores.similarity import ms_ssim


def test_offset_is_minus_three_log2_of_w():
    w = np.ones((64, 64), dtype=np.float32)
    w[:32, :32], w[32:, 32:] = 4.0, 0.25
    assert offsets_of(w).tolist() == [[-6, 0], [0, 6]]
    assert offsets_of(np.zeros((16, 16), dtype=np.float32)).tolist() == [[24]]
    assert (offsets_of(np.ones((33, 70), dtype=np.float32)) == 0).all()


@pytest.mark.parametrize("tiles", ["0x1", "1x16", "2", "axb", "1x1x1", ""])
def test_bad_tiles_are_refused(tiles):
    with pytest.raises(ValueError, match="ROWSxCOLUMNS"):
        Hevc(tiles=tiles)


def test_tiles_need_blocks():
    image = np.zeros((16, 64, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="2 tiles do not fit into 16 pixels"):
        CODECS.create("hevc:tiles=2x2").encode(image, np.ones((16, 64), dtype=np.float32), 10_000)


def test_packets_that_disagree_are_refused(photo):
    w = np.ones(photo.shape[:2], dtype=np.float32)
    halves = Hevc(tiles="1x2").encode(photo, w, 40_000).packets
    with pytest.raises(DecodeError, match="disagree"):
        Hevc().decode([halves[0].data, b"\x21" + halves[1].data[1:]], *photo.shape[:2])
    with pytest.raises(DecodeError, match="1 packets for 1x2 tiles"):
        Hevc().decode([halves[0].data], *photo.shape[:2])
    with pytest.raises(DecodeError, match="ends before"):
        Hevc().decode([b"\x11\x80"], *photo.shape[:2])


def test_levels_between_two_qps_are_between_them(photo):
    """Half of the blocks has one QP less."""
    source = _Source.of(photo, np.ones(photo.shape[:2], dtype=np.float32), (1, 1))
    sizes = [len(source.encode(level, "slow")) for level in (20 * 64, 20 * 64 + 32, 21 * 64)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_hues_cost_less_where_the_axes_follow_them(photo):
    """A photo of one hue needs as many bits as a grey one, for the same error."""
    w = np.ones(photo.shape[:2], dtype=np.float32)
    hue = np.array([0.9, 0.3, 0.1]) * np.sqrt(3 / 0.91)
    grey = photo[..., :1].repeat(3, axis=2) // 2
    tinted = np.rint(grey * hue).clip(0, 255).astype(np.uint8)
    sizes = [len(_Source.of(image, w, (1, 1)).encode(20 * 64, "slow")) for image in (grey, tinted)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


def test_a_packet_cannot_announce_another_size(photo):
    """Behind a start code may stand parameter sets of a picture that takes all memory."""
    w = np.ones(photo.shape[:2], dtype=np.float32)
    (packet,) = Hevc().encode(photo, w, 40_000).packets
    sets = x265.parameter_sets(7_000, 7_000)
    start_of_slice = b"\x00\x00\x00\x01\x28\x01"  # start code, and header of an IDR_N_LP slice
    for bomb in (sets + start_of_slice, b""):
        shown_or_refused = packet.data[:4] + bomb + packet.data[4:] * 2
        start = start_measuring()
        with contextlib.suppress(DecodeError):
            assert Hevc().decode([shown_or_refused], *photo.shape[:2]).shape == photo.shape
        assert grown_bytes(start) < 200_000_000


def test_unknown_tune_is_refused():
    with pytest.raises(ValueError, match="unknown tune 'vmaf'; choices: psnr, ssim"):
        CODECS.create("hevc:tune=vmaf")


def test_tuned_for_ssim_it_gains_ms_ssim_and_loses_psnr():
    """The receiver learns the tune from the packet."""
    photo = np.ascontiguousarray(skimage.data.astronaut()[:200, :200])
    w = np.ones(photo.shape[:2], dtype=np.float32)
    shown = []
    for spec in ("hevc", "hevc:tune=ssim", "hevc:tune=ssim,tiles=2x2"):
        stream = CODECS.create(spec).encode(photo, w, 40_000)
        assert stream.num_bits <= 40_000
        shown.append(Hevc().decode([packet.data for packet in stream.packets], *w.shape))
    plain, tuned, tiled = ((psnr_db(photo, one), ms_ssim(photo, one)) for one in shown)
    assert 1 - tuned[1] < 0.9 * (1 - plain[1])
    assert plain[0] - 3 < tuned[0] < plain[0]
    assert tiled[1] > plain[1] - 0.01


def test_the_smallest_tuned_stream_is_the_smallest():
    """Where offsets reach the highest QP, sizes do not grow with the level."""
    check_small_budget(Candidate("hevc:tune=ssim"))


def test_importance_and_tune_add(photo):
    """A region gains as many decibels by importance with either tune."""
    w, even = np.full(photo.shape[:2], 0.5, dtype=np.float32), np.ones(photo.shape[:2])
    inside = np.zeros(photo.shape[:2], dtype=bool)
    inside[64:128, 64:160] = True
    w[inside] = 4
    gains = []
    for tune in ("psnr", "ssim"):
        codec, quality = Hevc(tune=tune), []
        for one in (even.astype(np.float32), w / w.mean()):
            packets = codec.encode(photo, one, 40_000).packets
            shown = codec.decode([packet.data for packet in packets], *w.shape)
            quality.append(region_psnr_db(photo, shown, inside))
        gains.append(quality[1] - quality[0])
    assert gains[1] == pytest.approx(gains[0], abs=1)
    assert min(gains) > 2


@pytest.mark.parametrize("tune", ["psnr", "ssim"])
@pytest.mark.parametrize("bits_per_pixel", [0.3, 1, 2.5])
def test_the_search_begins_near_its_end(photo, bits_per_pixel, tune):
    """The level of the model costs the budget but for a factor below two."""
    w = np.ones(photo.shape[:2], dtype=np.float32)
    source, budget = _Source.of(photo, w, (1, 1), tune), round(bits_per_pixel * w.size)
    size = 8 * len(source.encode(_start([source], budget), "ultrafast"))
    assert budget / 2 < size < 2 * budget
