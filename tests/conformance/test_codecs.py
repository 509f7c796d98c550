"""What every registered codec must do, also a third party's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.scores.psnr import psnr_db, region_psnr_db, weighted_psnr_db

NAMES = [*CODECS.names(), "hevc:tiles=2x2"]
SIZES = [(16, 16), (17, 31), (33, 64), (65, 47)]


@pytest.fixture(params=NAMES)
def codec(request):
    return CODECS.create(request.param)


def flat_map(image):
    return np.ones(image.shape[:2], dtype=np.float32)


def send(codec, image, w, max_bits):
    stream = codec.encode(image, w, max_bits)
    assert 0 < stream.num_bits <= max_bits
    assert all(packet.data for packet in stream.packets)
    decoded = codec.decode([packet.data for packet in stream.packets], *image.shape[:2])
    assert decoded.shape == image.shape
    assert decoded.dtype == np.uint8
    return stream, decoded


def test_round_trip_improves_with_bits_and_keeps_the_budget(codec, photo):
    scores = [
        psnr_db(photo, send(codec, photo, flat_map(photo), bits)[1])
        for bits in (24_000, 60_000, 200_000)
    ]
    assert scores[0] > 22
    assert scores[0] + 2 < scores[1] < scores[2]


def test_the_budget_is_used(codec, photo):
    stream, _ = send(codec, photo, flat_map(photo), 40_000)
    assert stream.num_bits >= (0.97 if codec.steerable else 0.85) * 40_000


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["flat", "noise", "grey"])
def test_any_size_and_content(codec, size, kind):
    rng = np.random.default_rng(0)
    image = np.full((*size, 3), 77, dtype=np.uint8)
    if kind == "noise":
        image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    elif kind == "grey":
        image[:] = rng.integers(0, 256, (*size, 1), dtype=np.uint8)
    if getattr(codec, "grid", (1, 1)) == (2, 2) and min(size) < 17:
        pytest.skip("no two tiles fit into one block")
    _, decoded = send(codec, image, flat_map(image), 12_000 + 30 * image.size)
    assert psnr_db(image, decoded) > (40 if kind == "flat" else 25 if kind == "grey" else 10)


def test_too_small_a_budget_says_what_would_do(codec, photo):
    with pytest.raises(BudgetTooSmallError) as caught:
        codec.encode(photo, flat_map(photo), 80)
    smallest = caught.value.num_bits
    assert send(codec, photo, flat_map(photo), smallest)[0].num_bits == smallest
    with pytest.raises(BudgetTooSmallError):
        codec.encode(photo, flat_map(photo), smallest - 1)


def test_deterministic(codec, photo):
    first, second = (send(codec, photo, flat_map(photo), 40_000)[0] for _ in range(2))
    assert first == second


def test_obeys_the_map_or_says_that_it_does_not(codec, photo, region):
    w = np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)
    blind, steered = (send(codec, photo, m, 40_000) for m in (flat_map(photo), w))
    if not codec.steerable:
        assert [p.data for p in blind[0].packets] == [p.data for p in steered[0].packets]
        return
    for inside, sign in ((region, 1), (~region, -1)):
        gain = region_psnr_db(photo, steered[1], inside) - region_psnr_db(photo, blind[1], inside)
        assert sign * gain > 0.5
    assert weighted_psnr_db(photo, steered[1], w) > weighted_psnr_db(photo, blind[1], w) + 0.5


def test_gain_is_the_weighted_error_that_a_packet_removes(codec, photo, region):
    w = np.where(region, 2.0, 1.0).astype(np.float32)
    w /= w.mean()
    stream, decoded = send(codec, photo, w, 40_000)
    error = [((photo - shown) ** 2).sum(axis=-1) for shown in (128.0, decoded.astype(float))]
    assert sum(p.gain for p in stream.packets) == pytest.approx((w * (error[0] - error[1])).sum())


def test_every_subset_of_lost_packets_is_concealed(codec, photo):
    stream, whole = send(codec, photo, flat_map(photo), 60_000)
    data = [packet.data for packet in stream.packets]
    previous = {}
    for arrived in itertools.product((False, True), repeat=len(data)):
        kept = [d if here else None for d, here in zip(data, arrived, strict=True)]
        shown = codec.decode(kept, *photo.shape[:2])
        assert shown.shape == photo.shape
        previous[arrived] = psnr_db(photo, shown)
        if not any(arrived):
            assert (shown == 128).all()
    assert previous[(True,) * len(data)] == psnr_db(photo, whole)
    assert max(previous, key=previous.__getitem__) == (True,) * len(data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(min_size=1, max_size=400), keep=st.integers(0, 12))
def test_garbage_gives_an_error_or_an_image(name, garbage, keep):
    codec = CODECS.create(name)
    image = np.full((40, 56, 3), 90, dtype=np.uint8)
    stream = codec.encode(image, np.ones((40, 56), dtype=np.float32), 40_000)
    packets = [packet.data[:keep] + garbage for packet in stream.packets]
    try:
        shown = codec.decode(packets, 40, 56)
    except DecodeError:
        return
    assert shown.shape == (40, 56, 3)
    assert shown.dtype == np.uint8
