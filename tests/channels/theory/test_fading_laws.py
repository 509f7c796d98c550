"""What is worked out from the quantiles of any law agrees with the closed forms of known laws."""

import numpy as np
import pytest

from channels import theory
from channels.catalogue import CHANNELS
from channels.units import BITS_PER_SYMBOL

SNR_DB = np.array([-10.0, 0.0, 10.0, 25.0, 50.0])


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_ber(bits_per_symbol: int) -> None:
    for spec, expected in (
        ("rayleigh", theory.ber_rayleigh(bits_per_symbol, SNR_DB)),
        ("rician:k_db=3", theory.ber_rician(bits_per_symbol, SNR_DB, 3.0)),
    ):
        quantile = CHANNELS.create(spec).gain_quantile
        ber = theory.ber_fading(bits_per_symbol, SNR_DB, quantile)
        assert ber == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("rate", [0.3, 2.0, 6.0])
def test_outage(rate: float) -> None:
    for spec, expected in (
        ("rayleigh", theory.outage_rayleigh(SNR_DB, rate)),
        ("rician:k_db=9", theory.outage_rician(SNR_DB, rate, 9.0)),
    ):
        quantile = CHANNELS.create(spec).gain_quantile
        outage = theory.outage_fading(SNR_DB, rate, quantile)
        assert outage == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("snr_db", "too_high_db"), [(20, 0.0), (30, 0.2), (40, 3.0)])
def test_the_midpoint_rule_misses_the_deepest_fades(snr_db: float, too_high_db: float) -> None:
    """By as much as its docstring says, for QPSK over Rayleigh fading, against 100,000 quantiles.

    The quantile of an exponential law with mean 1 is -ln(1 - p).
    """
    p = (np.arange(100_000) + 0.5) / 100_000
    exact = theory.equivalent_snr_db(2, snr_db + 10 * np.log10(-np.log1p(-p)))
    found = theory.effective_snr_db(2, snr_db, CHANNELS.create("rayleigh_fast").gain_quantile)
    assert found - float(exact) == pytest.approx(too_high_db, abs=max(0.02, 0.2 * too_high_db))
