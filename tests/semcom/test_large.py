"""Large pictures: in strips and rows as if in one piece, by any number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semcom import large
from semcom.codecs import base
from semcom.codecs.base import CODECS
from semcom.codecs.parts import colour, x265
from semcom.codecs.parts.rate_control import best_level
from semcom.codecs.parts.sampling import sample
from semcom.scores import psnr
from tests.large_photos import noisy, photo


def test_strips_cover_every_row_once() -> None:
    for height, width in ((1, 1), (3, 1 << 20), (1000, 700), (4000, 3000)):
        covered = np.zeros(height, dtype=int)
        for rows in large.strips(height, width):
            covered[rows] += 1
        assert (covered == 1).all()


def test_strips_give_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    original = photo(700, 900)
    received, turn = noisy(original), b"\x10\x80\x33"
    w = np.random.default_rng(0).random((700, 900)).astype(np.float32)
    error = ((original.astype(np.float64) - received) ** 2).mean(axis=-1)
    assert psnr.psnr_db(original, received) == 10 * math.log10(255**2 / error.mean())

    def everything() -> tuple[float, bytes, bytes]:
        planes = colour.to_planes(original, turn)
        gain = base.weighted_gain(original, received, w)
        return gain, planes.tobytes(), colour.from_planes(planes, turn).tobytes()

    in_strips = everything()
    monkeypatch.setattr(large, "strips", lambda height, _: [slice(0, height)])
    assert everything() == in_strips


def test_strips_give_the_same_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    original = photo(700, 900)
    planes = colour.to_planes(original)
    pixels = colour.from_planes(planes)
    monkeypatch.setattr(large, "LARGE", 1)
    assert (colour.to_planes(original) == planes).all()
    assert (colour.from_planes(planes) == pixels).all()


@pytest.mark.parametrize("fast", [False, True])
def test_threads_do_not_change_the_stream(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In wavefronts of 11 rows, of a picture that counts as large and perhaps as very large."""
    size = (700, 600)
    monkeypatch.setattr(large, "LARGE", 400_000)
    if fast:
        monkeypatch.setattr(x265, "FAST", 400_000)
    assert x265.settings(*size).startswith("wpp=1:min-cu-size=16" if fast else "wpp=1")
    monkeypatch.setenv("SEMCOM_CACHE", "off")
    planes = colour.to_planes(photo(*size))
    offsets = np.zeros((-(-size[0] // 32), -(-size[1] // 32)), dtype=np.int64)
    streams = set()
    for threads in (1, 3):
        monkeypatch.setattr(x265, "num_threads", lambda threads=threads: threads)
        x265.parameter_sets.cache_clear()
        streams.add(x265.encode(planes, offsets, 40, "slow"))
    assert len(streams) == 1
    assert x265.decode(streams.pop(), *size).shape == planes.shape
    x265.parameter_sets.cache_clear()


def test_settings_follow_from_the_size() -> None:
    assert x265.settings(1080, 1851) == ""  # as in every result before
    assert x265.settings(1080, 1920) == "wpp=1"
    assert (
        x265.settings(3000, 4000)
        == "wpp=1:min-cu-size=16:tu-intra-depth=3:rd=3:fast-intra=1:rdoq-level=0"
    )


def test_a_large_picture_fills_its_budget_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", "off")
    image, trials = photo(1424, 1424), []
    encode = x265.encode

    def counted(planes: colour.Planes, *args: object, **options: object) -> bytes:
        trials.append((planes.shape[1:], args[-1]))
        return encode(planes, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(x265, "encode", counted)
    w = np.ones(image.shape[:2], dtype=np.float32)
    hevc = CODECS.create("hevc")
    stream = hevc.encode(image, w, 120_000)
    assert 0.97 * 120_000 <= stream.num_bits <= 120_000
    assert stream.info["x265"] == "wpp=1"
    assert trials.count(((1424, 1424), "ultrafast")) == 1
    assert 1 <= trials.count(((1424, 1424), "slow")) <= 3
    received = hevc.decode([packet.data for packet in stream.packets], 1424, 1424)
    assert psnr.psnr_db(image, received) > 30
    small = image[:64, :64].copy()
    assert "x265" not in hevc.encode(small, w[:64, :64], 8000).info


def test_a_sample_is_of_blocks_from_all_over_the_picture() -> None:
    rows, columns = np.indices((2100, 2500))
    image = np.stack([rows // 64, columns // 64, 0 * rows], axis=-1).astype(np.uint8)
    part, weights = sample(image, rows.astype(np.float32))
    assert part.shape[:2] == weights.shape
    assert 700_000 <= weights.size <= 1_400_000
    np.testing.assert_array_equal(weights // 64, part[..., 0])
    blocks, pixels = np.unique(part.reshape(-1, 3), axis=0, return_counts=True)
    assert (pixels == 64 * 64).all()  # each block once, and whole
    np.testing.assert_allclose(blocks.mean(axis=0), (32 / 2, 39 / 2, 0), atol=1)
    w = np.ones(image.shape[:2], dtype=np.float32)
    small = image[:500, :500], w[:500, :500]
    assert all(a is b for a, b in zip(sample(*small), small, strict=True))


@pytest.mark.parametrize("true_slope", [0.001, 0.004, 0.02])
@pytest.mark.parametrize("guess", [900, 1000, 1100])
def test_costly_sizes_are_asked_for_rarely(true_slope: float, guess: int) -> None:
    asked = []

    def size_bits(level: int) -> int:
        asked.append(level)
        return round(1e6 * math.exp(true_slope * (level - 1000)))

    level = best_level(
        size_bits, range(3000), 1_000_000, guess=guess, slope=0.004, tolerance=0.03, costly=True
    )
    assert 970_000 <= size_bits(level) <= 1_000_000
    assert len(set(asked)) <= 3


@pytest.mark.parametrize(("guess", "slope"), [(900, 0.001), (940, 0.002), (1060, 0.001)])
def test_a_bend_in_costly_sizes_is_found_between_its_sides(guess: int, slope: float) -> None:
    """Noise is coded or not: beside a flat stretch, sizes grow by half within a QP."""
    asked = []

    def size_bits(level: int) -> int:
        asked.append(level)
        steep = 0.008 * min(max(level - 1000, 0), 50) + 0.001 * (level - 1000)
        return round(1e6 * math.exp(steep))

    level = best_level(
        size_bits, range(3000), 1_200_000, guess=guess, slope=slope, tolerance=0.03, costly=True
    )
    assert 0.97 * 1_200_000 <= size_bits(level) <= 1_200_000
    assert len(set(asked)) <= 5
