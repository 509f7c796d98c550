"""The real gain of the papers' public code: its law, and what a receiver without it can do."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from channels.models.rayleigh_real import GAIN_VAR, MEAN_GAIN, RayleighReal
from channels.modulation import demodulate, modulate
from channels.packets.adaptation import effective_snr_db
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

    An outer coordinate 3/√10 becomes an inner one if 3r < 2·E r in the demapper's view, and an
    inner one an outer one if r > 2·E r.
    """
    rng = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (400_000,), generator=rng, dtype=torch.uint8)
    received = RayleighReal()(modulate(bits, 4), 0.0, rng)
    rate = float(((demodulate(*received, 4) > 0) != bits.bool()).double().mean())
    below, above = 1 - math.exp(-((2 * MEAN_GAIN / 3) ** 2)), math.exp(-((2 * MEAN_GAIN) ** 2))
    expected = (below + above) / 2 / 2  # of half of the bits, for which the amplitude decides
    assert abs(rate - expected) < 6 * math.sqrt(expected / len(bits))


def test_the_sender_counts_the_gain_as_noise():
    """An equivalent SNR of (π/4)/(N0 + 1 - π/4), 5.6 dB at most."""
    target = Target()
    for snr_db in (0.0, 10.0, 60.0):
        expected = 10 * math.log10(MEAN_GAIN**2 / (10 ** (-snr_db / 10) + GAIN_VAR))
        found = effective_snr_db(RayleighReal(), snr_db, 2, target, 500)
        assert found == pytest.approx(expected, abs=0.05)
