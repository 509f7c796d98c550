"""The real gain of the papers' public code: its law, and what a receiver without it can do."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import erfcx, log_ndtr

from channels.models.rayleigh_real import GAIN_VAR, MEAN_GAIN, RayleighReal
from channels.modulation import demodulate, modulate
from channels.packets.adaptation import effective_snr_db
from channels.packets.packet import packet_code
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


def _exact_llr(y, noise_var):
    """LLRs of 16-QAM from the law of the gain, by the formula in the model's docstring."""
    labels = np.array([[i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(16)])
    points = modulate(torch.from_numpy(labels.reshape(1, -1).astype(np.uint8)), 4).numpy().ravel()
    a = 1 + np.abs(points) ** 2 / noise_var
    t = (y[:, None] * points.conj()).real / (noise_var * np.sqrt(a))
    with np.errstate(all="ignore"):  # each side of 0 has a form of its own that does not overflow
        below = np.log1p(math.sqrt(math.pi) * t * erfcx(-t))
        above = np.log(math.sqrt(math.pi) * t) + t**2 + math.log(2) + log_ndtr(t * math.sqrt(2))
        log = np.where(t < 0, below, np.logaddexp(0, above)) - np.log(a)
    ones, zeros = (
        np.stack([np.logaddexp.reduce(log[:, bit == b], axis=1) for bit in labels.T], axis=1)
        for b in (1, 0)
    )
    return (ones - zeros).astype(np.float32).ravel()


def test_a_receiver_with_the_exact_law_decodes_16_qam_where_this_one_loses_all():
    """The rate 1/2 of the papers, at 11.3 dB, as published; this receiver needs some 14 dB."""
    scheme, *_ = (s for s in scheme_set("papers") if s.bits_per_symbol == 4)
    code, noise_var = packet_code(5000, scheme), 10**-1.13
    for seed in range(3):
        bits = np.random.default_rng(seed).integers(0, 2, (1, 40_000), dtype=np.uint8)
        x = modulate(torch.from_numpy(code.encode(bits)), 4)
        received = RayleighReal()(x, noise_var, torch.Generator().manual_seed(seed))
        assert not code.decode_batch(demodulate(*received, 4).numpy())[1].any()
        decided, ok = code.decode_batch(_exact_llr(received.y.numpy().ravel(), noise_var)[None])
        assert ok.all()
        assert (decided == bits).all()
