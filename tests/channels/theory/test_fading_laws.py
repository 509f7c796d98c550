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
