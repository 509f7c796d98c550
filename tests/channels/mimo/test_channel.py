"""Spatial multiplexing: the law of its gains, error rates, blocks, pilots and cost."""

import math

import pytest
import torch
from scipy import stats

from channels import theory
from channels.base import Channel, max_symbols
from channels.catalogue import CHANNELS
from channels.mimo.channel import Mimo
from channels.modulation import demodulate, modulate
from channels.theory.mimo import ber_zf

NUM_USES = 40_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ones(*shape: int, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.ones(shape, dtype=dtype)


def send(
    channel: Channel, num_streams: int, bits_per_symbol: int, snr_db: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """LLRs and wrong bits, (uses, bits of a use), of independent uses."""
    generator = rng(8)
    shape = (NUM_USES, num_streams * bits_per_symbol)
    bits = torch.randint(0, 2, shape, generator=generator, dtype=torch.uint8)
    output = channel(modulate(bits, bits_per_symbol), 10 ** (-snr_db / 10), generator)
    llrs = demodulate(*output, bits_per_symbol)
    return llrs.double(), ((llrs > 0) != (bits == 1)).double()


def check_rate(wrong: torch.Tensor, expected: float) -> None:
    """The bits of a use share its matrix."""
    per_use = wrong.mean(dim=-1)
    assert abs(float(per_use.mean()) - expected) < 4 * float(per_use.std()) / math.sqrt(NUM_USES)
    assert expected > 1e-3  # enough errors for the bound to mean something


@pytest.mark.parametrize(
    ("options", "shape", "scale"),
    [
        ("antennas=1x1", 1, 1),
        ("antennas=1x1,detector=zf", 1, 1),
        ("antennas=1x3", 3, 1),
        ("antennas=2x2,detector=zf", 1, 1 / 2),
        ("antennas=2x4,detector=zf", 3, 1 / 2),
        ("antennas=4x4,detector=zf", 1, 1 / 4),
        ("antennas=3x8,detector=zf", 6, 1 / 3),
    ],
)
def test_law_of_the_gain(options: str, shape: int, scale: float) -> None:
    """Gamma(nr - nt + 1) over nt for zero forcing, every stream; Gamma(nr) for one stream.

    So the SNR is that of one receive antenna and the total transmit power: 1x1 has mean gain 1.
    """
    channel = CHANNELS.create(f"mimo:{options}")
    h = channel(ones(20_000, channel.num_streams), 0.3, rng(2)).h
    assert not bool(h.imag.any())
    assert bool((h.real > 0).all())
    for stream in h.real.double().square().T.numpy():
        assert stats.kstest(stream, stats.gamma(shape, scale=scale).cdf).pvalue > 1e-3


@pytest.mark.parametrize("bits_per_symbol", [2, 4])
@pytest.mark.parametrize("antennas", ["2x2", "2x3", "4x4"])
def test_error_rate_of_zero_forcing(bits_per_symbol: int, antennas: str) -> None:
    num_tx, num_rx = int(antennas[0]), int(antennas[2])
    channel = Mimo(antennas=antennas, detector="zf")
    _, wrong = send(channel, num_tx, bits_per_symbol, 12.0)
    check_rate(wrong, float(ber_zf(bits_per_symbol, num_tx, num_rx, 12.0)))


def test_zero_forcing_of_two_by_two_is_rayleigh_at_half_the_snr() -> None:
    _, wrong = send(Mimo(antennas="2x2", detector="zf"), 2, 2, 15.0)
    check_rate(wrong, float(theory.ber_rayleigh(2, 15.0 - 10 * math.log10(2))))


@pytest.mark.parametrize("detector", ["lmmse", "zf"])
@pytest.mark.parametrize("num_rx", [1, 2, 4])
def test_one_stream_is_combined_by_maximum_ratio(detector: str, num_rx: int) -> None:
    _, wrong = send(Mimo(antennas=f"1x{num_rx}", detector=detector), 1, 4, 6.0)
    check_rate(wrong, float(theory.ber_mrc(4, num_rx, 6.0)))


@pytest.mark.parametrize("bits_per_symbol", [2, 6])
def test_llrs_tell_how_often_they_are_wrong(bits_per_symbol: int) -> None:
    """Behind zero forcing the noise is Gaussian: exact LLRs are wrong as often as they say."""
    channel = Mimo(antennas="2x3", detector="zf")
    bits = torch.randint(0, 2, (NUM_USES, 2 * bits_per_symbol), generator=rng(), dtype=torch.uint8)
    output = channel(modulate(bits, bits_per_symbol), 0.1, rng(1))
    llrs = demodulate(*output, bits_per_symbol, "exact").double()
    wrong = ((llrs > 0) != (bits == 1)).double()
    surplus = wrong - torch.sigmoid(-llrs.abs())
    for low, high in ((0.0, 1.0), (1.0, 3.0), (3.0, 6.0)):
        chosen = (llrs.abs() >= low) & (llrs.abs() < high)
        per_use = (surplus * chosen).sum(dim=-1)
        assert float((wrong * chosen).sum()) > 30
        assert abs(float(per_use.mean())) < 4 * float(per_use.std()) / math.sqrt(NUM_USES)


@pytest.mark.parametrize("antennas", ["2x2", "4x4", "8x8"])
def test_lmmse_reports_the_sinr_that_it_has(antennas: str) -> None:
    """Noise and interference behind the detector, in four classes of the reported gain."""
    num_tx, noise_var = int(antennas[0]), 0.1
    x = torch.randn(20_000, num_tx, dtype=torch.complex64, generator=rng(4))
    y, h, reported = Mimo(antennas=antennas)(x, noise_var, rng(5))
    assert reported.shape == (20_000, 1)
    assert bool((reported == noise_var).all())
    error, gain = (y - h * x).abs().square().double(), h.real.square()
    for part in error.flatten()[gain.flatten().argsort()].chunk(4):
        bound = 4 * float(part.std()) / math.sqrt(len(part))
        assert abs(float(part.mean()) - noise_var) < bound


def test_lmmse_makes_fewer_errors_than_zero_forcing() -> None:
    for antennas, num_tx in (("2x2", 2), ("4x4", 4)):
        lmmse, zf = (
            send(Mimo(antennas=antennas, detector=detector), num_tx, 2, 10.0)[1].mean(dim=-1)
            for detector in ("lmmse", "zf")
        )
        gap = zf - lmmse  # under the same matrices and noise
        assert float(gap.mean()) > 8 * float(gap.std()) / math.sqrt(NUM_USES)


@pytest.mark.parametrize("antennas", ["1x1", "1x2", "2x2", "2x4"])
def test_error_rate_with_pilots_is_that_of_the_effective_snr(antennas: str) -> None:
    """Zero forcing of the MMSE estimate, of power 1/(1+N0), in noise of N0·(2+N0)/(1+N0): QPSK has
    the rate of perfect knowledge at SNR 1/(N0(2+N0)). For 1x1 this is Proakis, appendix B."""
    num_tx, num_rx, noise_var = int(antennas[0]), int(antennas[2]), 10**-0.9
    channel = Mimo(antennas=antennas, detector="zf", csi="pilots")
    _, wrong = send(channel, num_tx, 2, 9.0)
    effective_db = -10 * math.log10(noise_var * (2 + noise_var))
    check_rate(wrong, float(ber_zf(2, num_tx, num_rx, effective_db)))
    if antennas == "1x1":
        rho2 = 1 / ((1 + noise_var) * (1 + noise_var))
        expected = 0.5 * (1 - math.sqrt(rho2 / (2 - rho2)))
        assert float(ber_zf(2, 1, 1, effective_db)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("block_length", "num_blocks"), [(0, 1), (1, 12), (5, 3), (12, 1), (50, 1)]
)
def test_matrices_last_for_a_block(block_length: int, num_blocks: int) -> None:
    """12 uses of 2 symbols; the gain of a stream in a block is one number."""
    h = Mimo(block_length=block_length)(ones(2, 24), 0.1, rng()).h.real
    assert len(set(h.flatten().tolist())) == 2 * 2 * num_blocks
    for block in h.unflatten(-1, (12, 2)).split(block_length or 12, dim=1):
        assert bool((block == block[:, :1]).all())


def test_pilots_leave_less_room_in_a_block() -> None:
    h = Mimo(csi="pilots", block_length=5)(ones(24), 0.1, rng()).h.real
    assert len(set(h.tolist())) == 2 * 4  # 12 data uses by 3
    for block in h.unflatten(-1, (12, 2)).split(3):
        assert bool((block == block[:1]).all())


@pytest.mark.parametrize(
    ("options", "costs"),
    [
        ("antennas=2x2", {1: 1, 2: 1, 3: 2, 100: 50}),
        ("antennas=4x4,block_length=3", {1: 1, 4: 1, 5: 2, 101: 26}),
        ("antennas=2x2,csi=pilots", {1: 3, 100: 52}),
        ("antennas=2x2,csi=pilots,block_length=5", {6: 5, 7: 8, 12: 10, 13: 13}),
        ("antennas=1x4,csi=pilots,block_length=2", {1: 2, 10: 20}),
    ],
)
def test_cost(options: str, costs: dict[int, int]) -> None:
    channel = CHANNELS.create(f"mimo:{options}")
    for num_symbols, uses in costs.items():
        assert channel.num_uses(num_symbols) == uses
        assert channel(ones(num_symbols), 0.1, rng()).y.shape == (num_symbols,)


def test_symbols_that_uses_carry() -> None:
    assert [max_symbols(Mimo(antennas="2x2"), uses) for uses in (0, 1, 5)] == [0, 2, 10]
    pilots = Mimo(antennas="2x2", csi="pilots", block_length=5)
    assert [max_symbols(pilots, uses) for uses in (2, 3, 5, 7, 8)] == [0, 2, 6, 6, 8]


def test_streams_do_not_leak_without_noise() -> None:
    """A symbol changes its own received value and no other."""
    x = torch.randn(40, dtype=torch.complex128, generator=rng(3))
    other = x.clone()
    other[7] += 1
    channel = Mimo(antennas="4x4", block_length=2)
    change = (channel(other, 0.0, rng()).y - channel(x, 0.0, rng()).y).abs()
    assert int(change.argmax()) == 7
    change[7] = 0
    assert float(change.max()) < 1e-9


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("antennas=2", "antennas must be transmit x receive, such as 2x2 or 2x4.*got '2'"),
        ("antennas=4x2", "no more transmit than receive, got '4x2'"),
        ("antennas=2x9", "of 1 to 8 .*got '2x9'"),
        ("antennas=0x2", "antennas must be"),
        ("antennas=2x2x2", "antennas must be"),
        ("detector=ml", "detector must be one of lmmse, zf, got 'ml'"),
        ("csi=genie", "csi must be one of perfect, pilots, got 'genie'"),
        ("block_length=-1", "block_length must be 0 .* got -1"),
        ("block_length=2,csi=pilots", "or exceed the 2 pilots that head it, .* got 2"),
    ],
)
def test_bad_options_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CHANNELS.create(f"mimo:{spec}")


def test_noise_must_not_vary_within_a_transmission() -> None:
    with pytest.raises(ValueError, match="constant within a transmission"):
        Mimo()(ones(2, 4), torch.ones(2, 4), rng())


def test_other_channels_do_not_go_over_it() -> None:
    for spec in ("ofdm:over=mimo", "clipping:over=mimo"):
        with pytest.raises(ValueError, match="goes over a flat fading channel, not Mimo"):
            CHANNELS.create(spec)
