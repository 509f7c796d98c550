"""SoftCast: power against closed forms and search, and what it promises at the end."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.linear.chunks import Chunks
from semcom.codecs.linear.code import amplitudes_of, estimate_coefficients, places_of
from semcom.codecs.linear.power_allocation import allocate_power, lmmse_error
from semcom.codecs.linear.side_information import (
    LAYOUTS,
    SCALE_UNIT,
    Side,
    chunks_of,
    layouts,
    snr_level_of,
)
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.softcast import Softcast, pack, unpack
from semcom.scores.psnr import psnr_db, region_psnr_db


def blind(image):
    return np.ones(image.shape[:2], dtype=np.float32)


def received(signal, snr_db, channel=None, seed=0):
    rng = torch.Generator().manual_seed(seed)
    y, h, noise_var = (channel or Awgn())(signal.symbols, 10 ** (-snr_db / 10), rng)
    return y, h, noise_var.expand(y.shape)


def shown(signal, snr_db, size, **options):
    side = [packet.data for packet in signal.side]
    return Softcast().decode(*received(signal, snr_db, **options), side, *size)


@pytest.mark.parametrize("total", [0.01, 0.3, 2.0, 50.0])
@pytest.mark.parametrize("noise_var", [0.03, 0.5])
def test_two_chunks_share_power_as_a_search_does(total, noise_var):
    worth, counts = np.array([9.0, 0.5]), np.array([3, 8])
    power = allocate_power(worth, counts, noise_var, total)
    assert counts @ power == pytest.approx(total)
    first = np.linspace(0, total / counts[0], 200_001)
    second = (total - counts[0] * first) / counts[1]
    errors = sum(
        n * lmmse_error(lam, p, noise_var)
        for n, lam, p in zip(counts, worth, (first, second), strict=True)
    )
    assert counts @ lmmse_error(worth, power, noise_var) <= errors.min() * (1 + 1e-9)
    assert power[0] == pytest.approx(first[errors.argmin()], abs=2e-5 * total)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 1000)), min_size=1, max_size=30),
    st.floats(1e-6, 1e3),
    st.floats(0, 1e6),
)
def test_power_adds_up_and_no_transfer_helps(groups, noise_var, total):
    worth, counts = (np.array(part) for part in zip(*groups, strict=True))
    power = allocate_power(worth.astype(float), counts, noise_var, total)
    assert (power >= 0).all()
    if not worth.any() or not total:
        return
    assert counts @ power == pytest.approx(total, rel=1e-6, abs=1e-6 * noise_var)
    slope = worth * noise_var / (power + noise_var) ** 2  # of the error, per unit of power
    served = power > 1e-9 * total
    if served.any():
        assert slope.max() <= slope[served].min() * (1 + 1e-3)


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
@pytest.mark.parametrize("fading", [False, True])
def test_one_gaussian_chunk_has_the_error_of_the_closed_form(snr_db, fading):
    """A chunk of variance λ with all power: λσ²/(p|h|²+σ²) per coefficient, p = 1/2, σ² = N0/2."""
    chunks = Chunks.of(256, 256, 256, 2)
    level, n = 12, int(chunks.counts[1])
    levels = np.zeros((3, 1, 2), dtype=np.uint8)
    levels[0, 0, 1] = level
    weights = np.full(1, 32, dtype=np.uint8)
    side = Side(0, snr_level_of(snr_db), round(1 / SCALE_UNIT), weights, levels, levels)
    num_symbols = -(-n // 2)
    rng = np.random.default_rng(0)
    sent = 2 ** ((level - 8) / 2) * rng.normal(size=n)
    numbers = side.numbers(chunks, num_symbols)
    gain = float(amplitudes_of(side, numbers, num_symbols)[0, 0, 1])
    assert gain**2 * 2 ** (level - 8) * n == pytest.approx(num_symbols)
    amplitudes = np.zeros(2 * num_symbols)
    amplitudes[places_of(n, 2 * num_symbols)] = gain * sent
    h = np.ones(num_symbols, dtype=complex)
    if fading:
        h = (rng.normal(size=num_symbols) + 1j * rng.normal(size=num_symbols)) / np.sqrt(2)
    n0 = 10 ** (-snr_db / 10)
    noise = rng.normal(size=(2, num_symbols)) * np.sqrt(n0 / 2)
    y = h * amplitudes.view(complex) + noise[0] + 1j * noise[1]
    y, n0s = y.astype(np.complex64), np.full(num_symbols, n0)
    got, errors = estimate_coefficients(side, chunks, numbers, y, h, n0s)
    error = np.square(got[0, 0, chunks.counts[0] :] - sent)
    strength = np.square(np.abs(h)).repeat(2)[places_of(n, 2 * num_symbols)]
    expected = lmmse_error(np.float64(2 ** (level - 8)), strength * gain**2 * 16, n0 / 2).mean()
    assert abs(error.mean() - expected) < 4 * error.std() / np.sqrt(n)
    assert errors[0, 0, 1] == pytest.approx(n * expected)
    assert not got[1:].any()
    assert not errors[1:].any()


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(LAYOUTS))
def test_chunks_lose_nothing(height, width, layout):
    chunks = Chunks.of(height, width, *layout)
    planes = np.random.default_rng(0).normal(size=(2, height, width))
    coefficients = chunks.analyse(chunks.cut(planes))
    assert np.allclose(chunks.join(chunks.synthesise(coefficients)), planes)
    assert np.square(coefficients).sum() == pytest.approx(np.square(chunks.cut(planes)).sum())
    energies = chunks.variances(coefficients) * chunks.counts
    assert energies.sum() == pytest.approx(np.square(coefficients).sum())
    assert chunks.counts.sum() == np.prod(chunks.tile)
    weights = chunks.weights(np.ones((height, width), dtype=np.float32))
    assert weights.sum() * np.prod(chunks.tile) == pytest.approx(height * width)


def test_places_are_a_permutation():
    for slots in (1, 2, 3, 10, 144, 1000, 5778):  # Fibonacci and Lucas numbers among them
        assert sorted(places_of(slots, slots)) == list(range(slots))


def test_neighbours_are_sent_far_from_each_other():
    places = places_of(1000, 2000)
    gaps = np.abs(places[:, None] - places)[np.triu_indices(1000, 1)].reshape(-1)
    near = [abs(places[i] - places[j]) for i, j in itertools.combinations(range(10), 2)]
    assert gaps.min() >= 1
    assert min(near) > 50


def test_side_information_survives():
    rng = np.random.default_rng(0)
    for layout in layouts(100, 150):
        chunks, bands = Chunks.of(100, 150, *LAYOUTS[layout]), LAYOUTS[layout][1]
        parts = [
            rng.integers(0, 256, shape, dtype=np.uint8)
            for shape in (chunks.num_tiles, (3, chunks.num_tiles), (3, chunks.num_tiles, bands))
        ]
        side = Side(layout, 100, 0x1234, *parts)
        again = unpack(pack(side), 100, 150)
        for sent, received in zip(astuple(side), astuple(again), strict=True):
            assert np.array_equal(sent, received)
        with pytest.raises(DecodeError):
            unpack(pack(side), 400, 600)


def test_nothing_is_sent_twice_and_all_symbols_are_used(photo):
    signal = Softcast().encode(photo, blind(photo), 5_001, 10)
    assert len(signal.symbols) == 5_001
    assert float(signal.symbols.abs().square().mean()) == pytest.approx(1, abs=1e-3)


def test_quality_follows_the_channel_without_a_cliff(photo):
    """Planned for 10 dB: every 3 dB more are worth some decibels, and no 3 dB less cost many."""
    signal = Softcast().encode(photo, blind(photo), 14_400, 10)
    qualities = [psnr_db(photo, shown(signal, snr, photo.shape[:2])) for snr in range(-2, 23, 3)]
    steps = np.diff(qualities)
    assert (steps > 0).all()
    assert steps.max() < 3.2


def test_the_error_is_what_was_expected(photo):
    """Noise of the planned power, no clipping to speak of: within a tenth of a decibel or so."""
    signal = Softcast().encode(photo, blind(photo), 14_400, 10)
    measured = psnr_db(photo, shown(signal, 10, photo.shape[:2]))
    side = unpack(signal.side[0].data, *photo.shape[:2])
    chunks = Chunks.of(*photo.shape[:2], *LAYOUTS[side.layout])

    tiles = chunks.cut(to_planes(photo).astype(float))
    coefficients = chunks.analyse(tiles - 8.0 * side.means[..., None, None])
    variance = chunks.variances(coefficients)
    numbers = side.numbers(chunks, 14_400)
    error = numbers * lmmse_error(variance, side.powers(numbers, 14_400), side.noise_var)
    error += (chunks.counts - numbers) * variance
    unit = (255 * np.sqrt(3) / 1023) ** 2  # planes to grey levels
    expected = 10 * np.log10(255**2 * photo.size / (error.sum() * unit))
    assert measured == pytest.approx(expected, abs=0.25)


def test_importance_moves_quality_by_tiles(photo, region):
    w = np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)
    for snr in (4, 10, 16):
        before, after = (
            shown(Softcast().encode(photo, m, 10_000, 10), snr, photo.shape[:2])
            for m in (blind(photo), w)
        )
        assert region_psnr_db(photo, after, region) > region_psnr_db(photo, before, region) + 1
        assert region_psnr_db(photo, after, ~region) < region_psnr_db(photo, before, ~region)


def test_a_region_without_weight_gets_next_to_no_power(photo):
    w = blind(photo)
    w[:, :128] = 0
    w /= w.mean()
    signal = Softcast().encode(photo, w, 10_000, 20)
    side = unpack(signal.side[0].data, *photo.shape[:2])
    least = side.weights == 1
    assert least.mean() == pytest.approx(0.5, abs=0.1)
    chunks = chunks_of(side.layout, *photo.shape[:2])
    numbers = side.numbers(chunks, 10_000)
    power = side.powers(numbers, 10_000) * numbers
    assert power[:, least].sum() < 0.01 * power.sum()


def test_a_flat_picture_needs_no_symbols():
    flat = np.full((40, 60, 3), 77, dtype=np.uint8)
    signal = Softcast().encode(flat, blind(flat), 1_000, 10)
    image = shown(signal, 10, (40, 60)) if len(signal.symbols) else None
    if image is None:
        nothing = torch.zeros(0, dtype=torch.complex64)
        side = [signal.side[0].data]
        image = Softcast().decode(nothing, nothing, torch.zeros(0), side, 40, 60)
    assert np.abs(image.astype(int) - 77).max() <= 4


def test_fading_is_weighed_symbol_by_symbol(photo):
    """Without the gains the picture is lost; with them it is only worse than without fading."""
    signal = Softcast().encode(photo, blind(photo), 14_400, 15)
    side = [signal.side[0].data]
    y, h, noise_var = received(signal, 15, channel=RayleighBlock(block_length=100))
    still, faded, ignorant = (
        psnr_db(photo, image)
        for image in (
            shown(signal, 15, photo.shape[:2]),
            Softcast().decode(y, h, noise_var, side, *photo.shape[:2]),
            Softcast().decode(y, torch.ones_like(h), noise_var, side, *photo.shape[:2]),
        )
    )
    assert still > faded > ignorant + 6


def test_lost_side_information_shows_grey():
    nothing = torch.zeros(0, dtype=torch.complex64)
    assert (
        CODECS.create("softcast").decode(nothing, nothing, nothing.real, [None], 4, 5) == 128
    ).all()
    with pytest.raises(DecodeError, match="one packet, got 2"):
        Softcast().decode(nothing, nothing, nothing.real, [None, None], 4, 5)
