"""What every registered codec must do, also a third party's.

A codec that says ``trained = True`` of itself has a few trained models for qualities: it may leave
more of a budget unused, and promises no quality for what looks like no photo.
"""

from __future__ import annotations

import itertools
import queue
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.scores.psnr import psnr_db, region_psnr_db, weighted_psnr_db

NEEDED = {
    "learned": "model=bmshj2018-factorized,checkpoint={haar_models}",
    "av1": "cpu_used=8",
    "vvc": "preset=faster",
}
"""Options without which a codec cannot be tested, or takes long; braces hold a fixture's name."""
NAMES = [
    *(name for name in CODECS.names() if not CODECS.entry(name).missing),
    "hevc:tiles=2x2",
]
SIZES = [(16, 16), (17, 31), (33, 64), (65, 47)]
TINY = [(1, 1), (1, 40), (3, 2), (15, 17)]
DECODE_LIMIT_S = 20  # for a small picture, on a busy machine


@pytest.fixture(params=NAMES)
def codec(request):
    needed = NEEDED.get(request.param, "")
    for fixture in re.findall(r"\{(\w+)\}", needed):
        needed = needed.replace(f"{{{fixture}}}", str(request.getfixturevalue(fixture)))
    return CODECS.create(f"{request.param}:{needed}" if needed else request.param)


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
    least = 0.97 if codec.steerable else 0.6 if getattr(codec, "trained", False) else 0.85
    assert stream.num_bits >= least * 40_000


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
    trained = getattr(codec, "trained", False)
    least = {"flat": 40, "grey": 10 if trained else 25, "noise": 10}
    assert psnr_db(image, decoded) > least[kind]


@pytest.mark.parametrize("size", TINY)
def test_tiny_pictures(codec, size, photo):
    if getattr(codec, "grid", (1, 1)) == (2, 2):
        pytest.skip("no two tiles fit into one block")
    image = np.ascontiguousarray(photo[60 : 60 + size[0], 100 : 100 + size[1]])
    _, decoded = send(codec, image, flat_map(image), 12_000 + 30 * image.size)
    assert psnr_db(image, decoded) > 20


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


def test_threads_do_not_disturb_each_other(codec, photo):
    images = [np.ascontiguousarray(photo[i : i + 40, 90 + i : 146 + i]) for i in (20, 40, 60, 80)]

    def both(image):
        stream, decoded = send(codec, image, flat_map(image), 12_000)
        return [packet.data for packet in stream.packets], decoded.tobytes()

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(both, images))
    assert together == [both(image) for image in images]


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


@pytest.fixture
def packets(codec, photo):
    """Packets of a picture of 40x56 pixels."""
    image = np.ascontiguousarray(photo[40:80, 90:146])
    return [packet.data for packet in codec.encode(image, flat_map(image), 20_000).packets]


def check_harmless(codec, packets):
    """Check that ``packets`` give an error or an image, and that soon.

    A decoder that hangs would take this process along, hence a thread that may be left behind.
    """
    results = queue.SimpleQueue()

    def decode():
        try:
            results.put(codec.decode(packets, 40, 56))
        except Exception as error:
            results.put(error)

    threading.Thread(target=decode, daemon=True).start()
    shown = results.get(timeout=DECODE_LIMIT_S)  # raises queue.Empty
    if isinstance(shown, Exception):
        assert isinstance(shown, DecodeError), repr(shown)
    else:
        assert shown.shape == (40, 56, 3)
        assert shown.dtype == np.uint8


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(min_size=1, max_size=400), keep=st.integers(0, 12))
def test_garbage_gives_an_error_or_an_image(codec, packets, garbage, keep):
    check_harmless(codec, [packet[:keep] + garbage for packet in packets])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 8), share=st.floats(0, 1))
def test_damage_gives_an_error_or_an_image(codec, packets, seed, flips, share):
    """Bits flip anywhere, or the end is missing."""
    rng = np.random.default_rng(seed)
    damaged = []
    for packet in packets:
        data = bytearray(packet)
        for position in rng.integers(0, 8 * len(data), flips):
            data[position // 8] ^= 1 << position % 8
        damaged.append(bytes(data[: max(1, round(share * len(data)))] if flips < 4 else data))
    check_harmless(codec, damaged)
