"""What ``restore=true`` promises: better pictures from the same bits, and the same receiver."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch

from channels.models.awgn import Awgn
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.hevc import Hevc
from semcom.codecs.hybrid import Hybrid
from semcom.codecs.jpeg import Jpeg
from semcom.codecs.jpeg2000 import Jpeg2000
from semcom.codecs.restorer import restorer
from semcom.codecs.restorer.hints import hint_bytes
from semcom.codecs.restorer.restorable import QUALITIES, RESTORABLE
from semcom.codecs.restorer.restorer import load, new_network, uniform_knowledge
from semcom.codecs.softcast import Softcast
from semcom.errors import InputError
from semcom.scores.psnr import psnr_db

BITS = 40_000


@pytest.fixture(scope="module")
def photo():
    """A photo that the network has not seen, 256x256."""
    return np.ascontiguousarray(skimage.data.coffee()[80:336, 120:376])


def flat(image):
    return np.ones(image.shape[:2], np.float32)


def coded(codec, image, bits=BITS):
    return [packet.data for packet in codec.encode(image, flat(image), bits).packets]


@pytest.mark.parametrize(("name", "gain"), [("jpeg", 0.5), ("hevc", -0.02), ("jpeg2000", 0)])
@pytest.mark.parametrize("bits", [20_000, 80_000])
def test_the_same_bits_show_a_better_picture(photo, name, gain, bits):
    plain, restored = CODECS.create(name), CODECS.create(f"{name}:restore=true")
    before, after = (
        psnr_db(photo, codec.decode(coded(codec, photo, bits), *photo.shape[:2]))
        for codec in (plain, restored)
    )
    assert after - before > gain


def test_the_packets_differ_in_what_asks_for_it(photo):
    image = np.full((64, 64, 3), 90, np.uint8)
    image[16:48, 16:48] = (200, 40, 60)
    (plain,), (asking,) = (coded(Jpeg(restore=r), image, 4_000) for r in (False, True))
    assert (plain[0] | 0x80, plain[1:]) == (asking[0], asking[1:])
    (asking,) = coded(Hevc(restore=True), photo)
    assert asking[0] == 0
    assert asking[1] <= 4 * 51
    plain, hints = asking[2 : -hint_bytes(256, 256)], asking[-hint_bytes(256, 256) :]
    assert any(hints)
    switched_off = asking[: -len(hints)] + bytes(len(hints))
    without, off, on = (Hevc().decode([x], 256, 256) for x in (plain, switched_off, asking))
    assert (without == off).all()
    assert (without != on).any()


def test_a_picture_that_is_good_already_is_sent_without_hints(photo):
    for bits in (60_000, 100_000):
        stream = Hevc(restore=True).encode(photo, flat(photo), bits)
        asks = stream.packets[0].data[0] == 0
        assert asks == (stream.info["qp"] >= QUALITIES["hevc"][0])
    assert not asks


@pytest.mark.parametrize("theta", [None, 0.65])
def test_switches_never_let_the_network_raise_the_weighted_error(photo, theta):
    w = flat(photo)
    if theta:
        w[96:160, 64:192] *= theta / (1 - theta) * 7
        w /= w.mean()
    (packet,) = (one.data for one in Hevc(restore=True).encode(photo, w, 60_000).packets)
    off = packet[:-2] + bytes(2)  # sixteen blocks
    error = {}
    for name, data in (("plain", off), ("restored", packet)):
        shown = Hevc().decode([data], 256, 256)
        error[name] = (w * np.square(photo.astype(float) - shown).sum(axis=2)).reshape(4, 64, 4, 64)
    plain, restored = (one.sum(axis=(1, 3)) for one in (error["plain"], error["restored"]))
    assert (restored <= plain).all()
    assert (restored < plain).any()


def test_each_layer_tells_the_psnr_of_its_picture(photo):
    plain, asking = (coded(Jpeg2000(restore=r), photo) for r in (False, True))
    assert asking[0][0] == 255
    told = [(packet[0] - 128) / 2 for packet in (asking[0][1:], *asking[1:])]
    for count, psnr in enumerate(told, start=1):
        shown = Jpeg2000().decode(plain[:count], 256, 256)
        assert psnr == pytest.approx(psnr_db(photo, shown), abs=0.5)
    assert told == sorted(told)


@pytest.mark.parametrize("name", ["jpeg", "hevc", "hevc:tiles=2x2", "jpeg2000"])
def test_any_receiver_of_the_codec_restores(photo, name):
    spec = name + ("," if ":" in name else ":") + "restore=true"
    packets = coded(CODECS.create(spec), photo)
    own, other = (
        CODECS.create(one).decode(packets, 256, 256) for one in (spec, name.split(":")[0])
    )
    assert (own == other).all()
    nothing = CODECS.create(spec).decode([None] * len(packets), 256, 256)
    assert (nothing == 128).all()
    if "tiles" in name:
        some = CODECS.create(spec).decode([packets[0], *[None] * 3], 256, 256)
        assert (some[:96, :96] == own[:96, :96]).all()


@pytest.mark.parametrize(("codec", "gain"), [(Softcast, 0.3), (Hybrid, 0.1)])
@pytest.mark.parametrize("snr_db", [0, 10])
def test_symbols_show_a_better_picture(photo, snr_db, codec, gain):
    shown = []
    for restore in (False, True):
        signal = codec(restore=restore).encode(photo, flat(photo), 12_000, snr_db)
        rng = torch.Generator().manual_seed(0)
        y, h, noise_var = Awgn()(signal.symbols, 10 ** (-snr_db / 10), rng)
        side = [packet.data for packet in signal.side]
        shown.append(codec().decode(y, h, noise_var.expand(y.shape), side, 256, 256))
    assert psnr_db(photo, shown[1]) > psnr_db(photo, shown[0]) + gain


@pytest.mark.parametrize("packet", [b"\0", b"\0\0", b"\0\xff", b"\0\x80\x11\x80\x80\x80rubbish"])
def test_a_packet_that_is_cut_off_is_refused(packet):
    with pytest.raises(DecodeError):
        Hevc().decode([packet], 64, 64)


@pytest.mark.parametrize("packets", [[b"\xff\x80"], [b"\xff\xc0", b""]])
def test_layers_that_are_cut_off_are_refused(packets):
    with pytest.raises(DecodeError):
        Jpeg2000().decode(packets, 64, 64)


def test_any_size_is_restored():
    for height, width in ((1, 1), (3, 50), (33, 17)):
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
        for codec in (kind(restore=True) for kind in (Jpeg, Hevc, Jpeg2000)):
            shown = codec.decode(coded(codec, image, 50_000), height, width)
            assert shown.shape == image.shape


def test_the_network_is_small_and_told_which_codec_it_follows():
    assert sum(p.numel() for p in load().parameters()) <= 400_000
    assert restorer.PACKAGED.stat().st_size <= 2_000_000
    for i, codec in enumerate(RESTORABLE):
        if codec in ("softcast", "hybrid"):  # they know more
            continue
        known = uniform_knowledge(codec, 30, 40, 50)
        assert known.maps.shape[1:] == known.rms.shape[1:] == (10, 14)
        assert known.maps[-len(RESTORABLE) :, 0, 0].tolist() == [float(k == i) for k in range(5)]


def test_a_worse_quality_has_a_larger_expected_error():
    jpeg = [float(uniform_knowledge("jpeg", q, 8, 8).rms[0, 0, 0]) for q in (5, 30, 60, 95)]
    assert jpeg == sorted(jpeg, reverse=True)
    for name, qualities in {"hevc": (45, 35), "jpeg2000": (25, 35)}.items():
        worse, better = (uniform_knowledge(name, q, 8, 8).rms[:, 0, 0] for q in qualities)
        assert (worse > better).all()


def test_other_weights_are_refused(tmp_path):
    file = tmp_path / "weights.safetensors"
    with pytest.raises(InputError, match="restorer: there are no weights at"):
        load(str(file))
    file.write_bytes(restorer.to_bytes(new_network(), {})[:-100])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        load(str(file))
    network = new_network()
    with torch.no_grad():
        network.leave.bias[0] = float("nan")
    file.write_bytes(restorer.to_bytes(network, {}))
    with pytest.raises(InputError, match="holds NaN or infinity"):
        load(str(file))
