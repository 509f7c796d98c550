"""The real gain of the papers' public code: its law, and what a receiver without it can do."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from channels import theory
from channels.base import ChannelOutput
from channels.catalogue import CHANNELS
from channels.models.rayleigh_real import GAIN_VAR, MEAN_GAIN, RayleighReal
from channels.modulation import constellation, demodulate, modulate
from channels.packets.adaptation import effective_snr_db
from channels.packets.packet import decode_packet, encode_packet
from channels.packets.scheme_sets import scheme_set
from channels.packets.target import Target


def test_the_gain_is_that_of_the_public_code():
    """``sqrt(a² + b²)/√2``, written out again, and the Rayleigh law with mean power 1."""
    x = torch.ones(20_000, dtype=torch.complex128)
    gain = RayleighReal()(x, 0.0, torch.Generator().manual_seed(3)).y
    assert (gain.imag == 0).all()
    law = stats.rayleigh(scale=math.sqrt(0.5))
    assert stats.kstest(gain.real.numpy(), law.cdf).pvalue > 1e-3
    a, b = np.random.default_rng(0).normal(size=(2, 20_000))
    theirs = np.sqrt(a**2 + b**2) / math.sqrt(2)
    assert stats.ks_2samp(gain.real.numpy(), theirs).pvalue > 1e-3
    assert pytest.approx(law.mean()) == MEAN_GAIN
    assert pytest.approx(law.var()) == GAIN_VAR


@pytest.mark.parametrize("snr_db", [2.0, 8.0])
def test_signs_survive_the_gain_that_is_not_known(snr_db):
    """The bit error rate of QPSK is that of known gains: ½(1 - √(γ/(2+γ))) with γ = Es/N0."""
    rng = torch.Generator().manual_seed(int(snr_db))
    bits = torch.randint(0, 2, (400_000,), generator=rng, dtype=torch.uint8)
    noise_var = 10 ** (-snr_db / 10)
    received = RayleighReal()(modulate(bits, 2), noise_var, rng)
    rate = float(((demodulate(*received, 2) > 0) != bits.bool()).double().mean())
    gamma = 1 / noise_var
    expected = 0.5 * (1 - math.sqrt(gamma / (2 + gamma)))
    assert abs(rate - expected) < 4 * math.sqrt(expected / len(bits))


def test_amplitudes_do_not():
    """16-QAM without noise still errs: the outer points are read as inner ones by their gain.

    For a receiver that knows no more than the mean gain, an outer coordinate 3/√10 becomes an inner
    one if 3r < 2·E r, and an inner one an outer one if r > 2·E r.
    """
    rng = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (400_000,), generator=rng, dtype=torch.uint8)
    received = RayleighReal()(modulate(bits, 4), 0.0, rng)
    rate = float(((demodulate(*received, 4) > 0) != bits.bool()).double().mean())
    below, above = 1 - math.exp(-((2 * MEAN_GAIN / 3) ** 2)), math.exp(-((2 * MEAN_GAIN) ** 2))
    expected = (below + above) / 2 / 2  # of half of the bits, for which the amplitude decides
    assert abs(rate - expected) < 6 * math.sqrt(expected / len(bits))


def _likelihood(y, point, noise_var):
    """``p(y|x)`` up to a factor: the integral over the gain, by quadrature."""

    def density(r):
        return 2 * r * math.exp(-(r**2) - abs(y - r * point) ** 2 / noise_var)

    top = max((y * point.conjugate()).real / (noise_var + abs(point) ** 2), 0.0)
    return integrate.quad(density, 0, 8, points=[top], epsabs=0, limit=200)[0]


@pytest.mark.parametrize("bits_per_symbol", [1, 2, 4, 6])
@pytest.mark.parametrize("snr_db", [-3.0, 11.3, 25.0])
def test_llrs_are_those_of_the_law(bits_per_symbol, snr_db):
    points, noise_var = constellation(bits_per_symbol), 10 ** (-snr_db / 10)
    rng = torch.Generator().manual_seed(7)
    x = points[torch.randint(len(points), (2, 6), generator=rng)]
    received = RayleighReal()(x, noise_var, rng)
    llr = received.llr(bits_per_symbol)
    assert llr.shape == (2, 6 * bits_per_symbol)
    for y, found in zip(received.y.flatten(), llr.reshape(-1, bits_per_symbol), strict=True):
        likelihood = [_likelihood(complex(y), complex(point), noise_var) for point in points]
        for bit, value in enumerate(found.tolist()):
            sums = [0.0, 0.0]
            for i, one in enumerate(likelihood):
                sums[i >> (bits_per_symbol - 1 - bit) & 1] += one
            expected = math.log(sums[1] / sums[0]) if min(sums) > 0 else math.nan
            if abs(expected) < 80:  # beyond that, it is clipped
                assert value == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_llrs_are_finite_and_those_of_every_part_alone():
    for snr_db in (-40.0, 0.0, 100.0):
        rng = torch.Generator().manual_seed(3)
        x = constellation(6)[torch.randint(64, (10_000,), generator=rng)]
        received = RayleighReal()(x, 10 ** (-snr_db / 10), rng)
        llr = received.llr(6)
        assert llr.dtype == torch.float32
        assert llr.isfinite().all()
        alone = received.part(5000, 9000).llr(6)
        assert torch.allclose(alone, llr[30_000:54_000], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("bits_per_symbol", [2, 4])
def test_the_sender_counts_with_the_information_of_these_llrs(bits_per_symbol):
    """``h(Y) - h(Y|bit)`` is ``E log2`` of a ratio of likelihoods; other draws, by quadrature."""
    noise_var, count = 10**-0.8, 200
    rng = np.random.default_rng(5)
    points = constellation(bits_per_symbol).numpy().astype(complex)
    sent = rng.integers(len(points), size=count)
    noise = rng.normal(scale=math.sqrt(noise_var / 2), size=(2, count))
    y = stats.rayleigh(scale=math.sqrt(0.5)).rvs(count, random_state=rng) * points[sent]
    y = y + noise[0] + 1j * noise[1]
    carried = []
    for one, label in zip(y, sent, strict=True):
        likelihood = np.array([_likelihood(one, point, noise_var) for point in points])
        index = np.arange(len(points))
        agrees = (index[None] ^ label) >> np.arange(bits_per_symbol)[:, None] & 1 == 0
        share = (agrees * likelihood).sum(axis=1) / likelihood.sum()
        carried.append(bits_per_symbol + np.log2(share).sum())
    found = RayleighReal().information(bits_per_symbol, 8.0)
    assert abs(np.mean(carried) - found) < 4 * np.std(carried) / math.sqrt(count)
    snr_db = effective_snr_db(RayleighReal(), 8.0, bits_per_symbol, Target(), 500)
    assert theory.bicm_mutual_information(bits_per_symbol, snr_db) == pytest.approx(found, abs=1e-3)


def test_16_qam_of_rate_1_2_is_decoded_at_11_3_db():
    """As published; a receiver that takes the variation of the gain for Gaussian noise loses it."""
    scheme, *_ = (s for s in scheme_set("papers") if s.bits_per_symbol == 4)
    data = np.random.default_rng(1).bytes(5000)
    for seed in range(3):
        rng = torch.Generator().manual_seed(seed)
        received = RayleighReal()(encode_packet(data, scheme), 10**-1.13, rng)
        assert decode_packet(received, 5000, scheme) == data
        assert decode_packet(ChannelOutput(*received), 5000, scheme) is None


@pytest.mark.parametrize(
    "spec",
    [
        "ofdm:over=rayleigh_real",
        "ofdm:over=middleton",
        "carrier_error:over=rayleigh_real",
        "clipping:over=rayleigh_real",
    ],
)
def test_what_would_lose_a_law_is_refused(spec):
    with pytest.raises(ValueError, match=r"would lose the (law of the gain|impulses)"):
        CHANNELS.create(spec)
