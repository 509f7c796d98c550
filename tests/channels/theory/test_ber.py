"""Simulated bit error rates against the closed forms: the whole path from bits to LLRs.

Bits of one symbol share its noise and its gain, so that the standard error is taken over symbols.
"""

import math
from collections.abc import Callable

import pytest
import torch

from channels import theory
from channels.base import Channel
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock, RayleighFast
from channels.models.rician import RicianBlock, RicianFast
from channels.modulation import demodulate, modulate
from channels.packets.pilots import insert_pilots, remove_pilots
from channels.units import BITS_PER_SYMBOL, noise_var_from_snr_db

NUM_SYMBOLS = 200_000
FADES = (40_000, 4)
AWGN_SNR_DB = {1: (-2.0, 6.0), 2: (0.0, 9.0), 4: (3.0, 15.0), 6: (5.0, 21.0), 8: (8.0, 27.0)}


def send(
    channel: Channel, bits_per_symbol: int, snr_db: float, shape: tuple[int, ...] = (NUM_SYMBOLS,)
) -> tuple[float, float]:
    """Bit error rate and its standard error."""
    rng = torch.Generator().manual_seed(100 * bits_per_symbol + round(snr_db))
    bits = torch.randint(
        0, 2, (*shape[:-1], shape[-1] * bits_per_symbol), generator=rng, dtype=torch.uint8
    )
    output = channel(modulate(bits, bits_per_symbol), noise_var_from_snr_db(snr_db), rng)
    wrong = (demodulate(*output, bits_per_symbol) > 0) != (bits == 1)
    # Per leading index if there is one (it shares a gain), else per symbol.
    units = shape[0] if len(shape) > 1 else shape[-1]
    per_unit = wrong.double().reshape(units, -1).mean(dim=-1)
    return float(per_unit.mean()), float(per_unit.std()) / math.sqrt(units)


def assert_is(
    measured: tuple[float, float], expected: Callable[[float], float], snr_db: float
) -> None:
    """Four standard errors around the closed form, and none of those 1 dB away inside."""
    rate, error = measured
    assert abs(rate - expected(snr_db)) < 4 * error
    for other in (snr_db - 1, snr_db + 1):
        assert abs(rate - expected(other)) > 4 * error


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("point", [0, 1])
def test_awgn(bits_per_symbol: int, point: int) -> None:
    snr_db = AWGN_SNR_DB[bits_per_symbol][point]
    measured = send(Awgn(), bits_per_symbol, snr_db)
    assert_is(measured, lambda at: float(theory.ber_awgn(bits_per_symbol, at)), snr_db)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("snr_db", [5.0, 20.0])
def test_rayleigh_fast(bits_per_symbol: int, snr_db: float) -> None:
    measured = send(RayleighFast(), bits_per_symbol, snr_db)
    assert_is(measured, lambda at: float(theory.ber_rayleigh(bits_per_symbol, at)), snr_db)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_rayleigh_block(bits_per_symbol: int) -> None:
    measured = send(RayleighBlock(), bits_per_symbol, 12.0, FADES)
    assert_is(measured, lambda at: float(theory.ber_rayleigh(bits_per_symbol, at)), 12.0)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("k_db", [0.0, 6.0])
def test_rician_fast(bits_per_symbol: int, k_db: float) -> None:
    measured = send(RicianFast(k_db=k_db), bits_per_symbol, 10.0)
    assert_is(measured, lambda at: float(theory.ber_rician(bits_per_symbol, at, k_db)), 10.0)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_rician_block(bits_per_symbol: int) -> None:
    measured = send(RicianBlock(k_db=3.0), bits_per_symbol, 10.0, FADES)
    assert_is(measured, lambda at: float(theory.ber_rician(bits_per_symbol, at, 3.0)), 10.0)


@pytest.mark.parametrize("num_pilots", [1, 4])
def test_qpsk_with_pilots_on_rayleigh(num_pilots: int) -> None:
    """Closed form with a least-squares estimate: ½(1 - ρ/√(2-ρ²)), ρ² = γ²/((1+γ)(γ+1/P)).

    ρ is the correlation of the received symbol with the estimate (Proakis, appendix B).
    """
    snr_db, num_blocks = 12.0, 50_000
    snr = 10 ** (snr_db / 10)
    rng = torch.Generator().manual_seed(11)
    bits = torch.randint(0, 2, (2 * num_blocks,), generator=rng, dtype=torch.uint8)
    frame = insert_pilots(modulate(bits, 2), num_pilots, num_pilots + 1)
    sent = RayleighBlock(block_length=num_pilots + 1)(frame, 1 / snr, rng)
    output = remove_pilots(sent.y, sent.noise_var, num_pilots, num_pilots + 1)
    wrong = (demodulate(*output, 2) > 0) != (bits == 1)
    per_symbol = wrong.double().reshape(-1, 2).mean(dim=-1)
    rho2 = snr**2 / ((1 + snr) * (snr + 1 / num_pilots))
    expected = 0.5 * (1 - math.sqrt(rho2 / (2 - rho2)))
    error = float(per_symbol.std()) / math.sqrt(num_blocks)
    assert abs(float(per_symbol.mean()) - expected) < 4 * error
