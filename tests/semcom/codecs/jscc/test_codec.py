"""What codec jscc promises: it is never worse than softcast, at any size, by the map."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import skimage.data
import torch

import semcom
from channels.models.awgn import Awgn
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.jscc import codec
from semcom.codecs.jscc.codec import Jscc
from semcom.codecs.jscc.transmission import transmission
from semcom.codecs.jscc.weights import PACKAGED, load, new_refiner
from semcom.codecs.linear.code import estimate
from semcom.codecs.linear.side_information import chunks_of, variance_of
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner import strips
from semcom.codecs.refiner.knowledge import CELL, MAPS, knowledge_of
from semcom.codecs.refiner.network import REACH
from semcom.codecs.refiner.strips import refined
from semcom.codecs.weights.file import OpenedWeights
from semcom.processor import has_bfloat16
from semcom.scores.psnr import psnr_db, region_psnr_db


def blind(image):
    return np.ones(image.shape[:2], dtype=np.float32)


def received(signal, snr_db, seed=0):
    rng = torch.Generator().manual_seed(seed)
    y, h, noise_var = Awgn()(signal.symbols, 10 ** (-snr_db / 10), rng)
    return y, h, noise_var.expand(y.shape)


def shown(signal, snr_db, size, made=None):
    side = [packet.data for packet in signal.side]
    return (made or Jscc()).decode(*received(signal, snr_db), side, *size)


@pytest.mark.parametrize(
    ("snr_db", "cbr"),
    [(0, Fraction(1, 48)), (20, Fraction(1, 48)), (10, Fraction(1, 16)), (20, Fraction(1, 6))],
)
def test_it_is_never_below_softcast_in_the_same_bandwidth(photo, snr_db, cbr):
    ours, theirs = (
        semcom.send(photo, codec=name, cbr=cbr, snr_db=snr_db, seed=1).scores["psnr_db"]
        for name in ("jscc", "softcast")
    )
    assert ours > theirs - 0.05


def test_the_network_improves_what_was_received(photo):
    signal = Jscc(refine=False).encode(photo, blind(photo), 7_000, 4)
    plain = shown(signal, 4, photo.shape[:2])
    better = shown(Jscc().encode(photo, blind(photo), 7_000, 4), 4, photo.shape[:2])
    assert psnr_db(photo, better) > psnr_db(photo, plain) + 0.3


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
@pytest.mark.parametrize("snr_db", [1, 4, 7, 13])
def test_the_network_never_destroys_a_photo(name, snr_db):
    image = np.ascontiguousarray(getattr(skimage.data, name)()[40:296, 40:296])
    signals = (Jscc(refine=r).encode(image, blind(image), 9_000, snr_db) for r in (False, True))
    plain, better = (psnr_db(image, shown(one, snr_db, image.shape[:2])) for one in signals)
    assert better > plain


@pytest.mark.parametrize(("wanted", "added"), [(1, 1), (3.9, 3.9), (8, 0.5), (1e6, 0)])
def test_what_the_network_adds_is_not_trusted_if_it_is_much(photo, wanted, added):
    """In units of the expected error, whatever its weights make of it."""
    network = new_refiner()
    with torch.no_grad():
        network.leave.bias.fill_(wanted)
    planes = torch.from_numpy(to_planes(photo[:64, :64].copy()).astype(np.float32))[None]
    maps, rms = torch.zeros(1, MAPS, 16, 16), torch.full((1, 3, 16, 16), 2.5)
    found = network(planes, maps, rms) - planes
    torch.testing.assert_close(found, torch.full_like(found, 2.5 * added), rtol=0, atol=1e-3)


def test_quality_falls_smoothly_with_the_snr(photo):
    signal = Jscc().encode(photo, blind(photo), 7_000, 10)
    found = [psnr_db(photo, shown(signal, snr, photo.shape[:2])) for snr in range(-2, 21)]
    steps = np.diff(found)
    assert (steps > 0).all()
    assert steps.max() < 2


@pytest.mark.parametrize("size", [(16, 16), (17, 250), (33, 40), (160, 239)])
def test_any_size_is_shown(photo, size):
    image = np.ascontiguousarray(photo[: size[0], : size[1]])
    image = np.pad(
        image, ((0, size[0] - len(image)), (0, size[1] - image.shape[1]), (0, 0)), "edge"
    )
    signal = Jscc().encode(image, blind(image), image.size // 6, 15)
    assert psnr_db(image, shown(signal, 15, size)) > 24


def test_importance_moves_quality(photo, region):
    w = np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)
    before, after = (
        shown(Jscc().encode(photo, m, 7_000, 10), 10, photo.shape[:2]) for m in (blind(photo), w)
    )
    assert region_psnr_db(photo, after, region) > region_psnr_db(photo, before, region) + 1
    assert region_psnr_db(photo, after, ~region) < region_psnr_db(photo, before, ~region)


def test_a_part_without_weight_gets_the_means_only(photo):
    w = blind(photo)
    w[:, :128] = 0
    sent = transmission(to_planes(photo), w / w.mean(), 7_000, 10, 4, load().side)
    chunks = chunks_of(sent.side.layout, *w.shape)
    assert not sent.side.levels[:, chunks.weights(w) == 0].any()
    assert sent.side.levels[:, chunks.weights(w) > 0].any()


def test_a_lost_packet_is_grey_and_an_empty_one_is_refused():
    nothing = torch.zeros(0, dtype=torch.complex64)
    grey = Jscc().decode(nothing, nothing, nothing.real, [None], 4, 5)
    assert (grey == 128).all()
    with pytest.raises(DecodeError, match="empty"):
        Jscc().decode(nothing, nothing, nothing.real, [b""], 4, 5)


def test_own_weights_are_found_by_what_the_packet_says(photo, tmp_path, monkeypatch):
    file = tmp_path / "own.safetensors"
    file.write_bytes(PACKAGED.read_bytes())
    own = CODECS.create(f"jscc:weights={file}")
    signal = own.encode(photo, blind(photo), 7_000, 10)
    same = Jscc().encode(photo, blind(photo), 7_000, 10)
    assert len(signal.side[0].data) == len(same.side[0].data) + 2
    assert (shown(signal, 10, photo.shape[:2]) == shown(same, 10, photo.shape[:2])).all()
    monkeypatch.setattr(codec, "_opened", OpenedWeights())
    with pytest.raises(DecodeError, match="not open here"):
        shown(signal, 10, photo.shape[:2])


def test_the_network_has_no_seams_between_strips(photo, monkeypatch):
    torch.manual_seed(0)
    network = new_refiner().eval()
    with torch.no_grad():
        for parameter in network.leave.parameters():
            parameter.normal_(0, 0.1)
    tall = np.concatenate([photo] * 3)[:, :200]
    sent = transmission(to_planes(tall), blind(tall), 9_000, 10, 4, load().side)
    y, h, n0 = received(sent, 10)
    found = estimate(sent.side, *tall.shape[:2], y, h, n0)
    chunks = found.chunks
    known = knowledge_of(sent.side, sent.least, found).cells(*tall.shape[:2], chunks.tile)
    whole = refined(network, found.planes, known, fast=False)
    monkeypatch.setattr(strips, "STRIP_PIXELS", 96 * 120)
    monkeypatch.setattr(strips, "MOST_COLUMNS", 64)
    parts = refined(network, found.planes, known, fast=False)
    assert np.abs(whole - found.planes).max() > 10
    assert np.abs(whole - parts).max() < 1e-2
    assert REACH % 8 == 0


@pytest.mark.skipif(not has_bfloat16(), reason="needs a processor with bfloat16")
@pytest.mark.parametrize(("snr_db", "num_symbols"), [(1, 7_000), (20, 16_000)])
def test_bfloat16_costs_next_to_nothing(photo, snr_db, num_symbols):
    signal = Jscc().encode(photo, blind(photo), num_symbols, snr_db)
    fast, exact = (
        shown(signal, snr_db, photo.shape[:2], Jscc(precision=kind)) for kind in ("auto", "float32")
    )
    assert (fast != exact).any()
    assert abs(psnr_db(photo, fast) - psnr_db(photo, exact)) < 0.05


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="unknown precision 'half'; choices: auto, float32"):
        Jscc(precision="half")


def test_the_expected_error_is_the_measured_one(photo):
    """The knowledge of the receiver is honest: the error of what was sent, in all and by tile."""
    sent = transmission(to_planes(photo), blind(photo), 9_000, 7, 1, load().side)
    y, h, n0 = received(sent, 7)
    found = estimate(sent.side, *photo.shape[:2], y, h, n0)
    chunks = found.chunks
    means = sent.side.mean_step * sent.side.means[..., None, None].astype(float)
    truth = chunks.analyse(chunks.cut(to_planes(photo).astype(float)) - means)
    shown_ = chunks.analyse(chunks.cut(found.planes) - means)
    known = chunks.first(found.numbers)
    measured = np.square(truth - shown_).ravel()[known].sum()
    assert found.error.sum() == pytest.approx(measured, rel=0.25)
    unsent = variance_of(sent.side.levels)[found.numbers == 0]
    assert not unsent.any()
    known_maps = knowledge_of(sent.side, sent.least, found)
    height, width = photo.shape[:2]
    cells = known_maps.cells(height, width, chunks.tile)
    assert cells.maps.shape[1:] == (height // CELL, width // CELL)
    assert torch.isfinite(cells.maps).all()
    assert (cells.rms >= 1).all()


@pytest.mark.parametrize("level", [0, 10, 40, 77, 200, 255])
@pytest.mark.parametrize("spec", ["jscc", "softcast:restore=true"])
def test_a_flat_picture_stays_flat(spec, level):
    """Where nothing is sent, the network knows of no error that it could repair."""
    flat = np.full((64, 96, 3), level, np.uint8)
    made = CODECS.create(spec)
    signal = made.encode(flat, blind(flat), 1_500, 10)
    n = len(signal.symbols)
    air = received(signal, 10) if n else (signal.symbols, torch.ones(0) + 0j, torch.zeros(0))
    picture = made.decode(*air, [packet.data for packet in signal.side], 64, 96)
    assert np.abs(picture.astype(int) - level).mean() < 2


@pytest.mark.parametrize("spec", ["jscc", "hybrid", "softcast", "softcast:restore=true"])
def test_a_background_that_weighs_nothing_costs_the_region_nothing(photo, region, spec):
    """However little it weighs, and if it weighs 0."""
    qualities = []
    for outside in (1e-3, 1e-5, 1e-9, 0.0):
        w = np.where(region, 1.0, outside).astype(np.float32)
        w /= w.mean()
        made = CODECS.create(spec)
        signal = made.encode(photo, w, 6_000, 10)
        qualities.append(region_psnr_db(photo, shown(signal, 10, photo.shape[:2], made), region))
    assert min(qualities) > qualities[0] - 1
