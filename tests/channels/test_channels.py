"""Every channel against its law, at fixed seeds; bounds are four standard errors."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from channels.base import ChannelOutput
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock, RayleighFast
from channels.models.rician import RicianBlock, RicianFast

K_DBS = (-20.0, 0.0, 6.0, 15.0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.complex64)


def rice(k_db: float) -> stats.rv_continuous:
    """Law of |h|, from scipy's Rice distribution: not the code under test."""
    k = 10 ** (k_db / 10)
    return stats.rice(b=math.sqrt(2 * k), scale=math.sqrt(1 / (2 * (k + 1))))


def test_awgn_noise_is_circular_gaussian() -> None:
    noise_var = 0.4
    y, h, reported = Awgn()(ones(100_000), noise_var, rng())
    assert bool((h == 1).all())
    assert float(reported) == pytest.approx(noise_var)
    noise = (y - 1).numpy()
    for part in (noise.real, noise.imag):
        assert stats.kstest(part, stats.norm(scale=math.sqrt(noise_var / 2)).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(noise.real, noise.imag)[0, 1]) < 4 / math.sqrt(noise.size)


@pytest.mark.parametrize("noise_var", [0.01, 1.0, 10.0])
def test_received_power_is_signal_plus_noise(noise_var: float) -> None:
    x = torch.polar(torch.ones(200_000), torch.linspace(0, 100, 200_000))
    for channel in (Awgn(), RayleighFast(), RicianFast(k_db=3.0)):
        power = channel(x, noise_var, rng()).y.abs().square().double()
        error = 4 * float(power.std()) / math.sqrt(power.numel())
        assert abs(float(power.mean()) - (1 + noise_var)) < error


def gains(output: ChannelOutput) -> np.ndarray:
    return output.h.abs().square().flatten().double().numpy()


def test_rayleigh_gain_is_exponential() -> None:
    fast = gains(RayleighFast()(ones(20_000), 1.0, rng(1)))
    per_transmission = gains(RayleighBlock()(ones(20_000, 1), 1.0, rng(2)))
    per_block = gains(RayleighBlock(block_length=1)(ones(20_000), 1.0, rng(3)))
    for sample in (fast, per_transmission, per_block):
        assert stats.kstest(sample, stats.expon.cdf).pvalue > 1e-3


@pytest.mark.parametrize("k_db", K_DBS)
def test_rician_gain_follows_the_rice_law(k_db: float) -> None:
    fast = gains(RicianFast(k_db=k_db)(ones(20_000), 1.0, rng(1)))
    block = gains(RicianBlock(k_db=k_db)(ones(20_000, 1), 1.0, rng(2)))
    for sample in (fast, block):
        assert stats.kstest(np.sqrt(sample), rice(k_db).cdf).pvalue > 1e-3
        assert abs(sample.mean() - 1) < 4 * sample.std() / math.sqrt(sample.size)


def test_rayleigh_phase_is_uniform() -> None:
    phase = RayleighFast()(ones(20_000), 1.0, rng()).h.angle().numpy()
    assert stats.kstest(phase, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3


def test_line_of_sight_has_phase_zero() -> None:
    h = RicianFast(k_db=40.0)(ones(1000), 1.0, rng()).h
    assert float(h.angle().abs().max()) < 0.05


@pytest.mark.parametrize("p", [1e-6, 0.01, 0.5, 0.9, 1 - 1e-6])
def test_quantiles_are_exact(p: float) -> None:
    assert RayleighFast().gain_quantile(p) == pytest.approx(stats.expon.ppf(p), rel=1e-12)
    for k_db in K_DBS:
        expected = rice(k_db).ppf(p) ** 2
        assert RicianBlock(k_db=k_db).gain_quantile(p) == pytest.approx(expected, rel=1e-6)
    assert Awgn().gain_quantile(p) == 1.0


def test_rician_without_line_of_sight_is_rayleigh() -> None:
    for p in (0.001, 0.3, 0.99):
        assert RicianFast(k_db=-100.0).gain_quantile(p) == pytest.approx(
            RayleighFast().gain_quantile(p), rel=1e-6
        )


@pytest.mark.parametrize("kind", [RayleighBlock, RicianBlock])
@pytest.mark.parametrize(("block_length", "num_symbols"), [(7, 24), (8, 24), (1, 5), (50, 24)])
def test_gain_is_constant_within_a_block_only(
    kind: type, block_length: int, num_symbols: int
) -> None:
    h = kind(block_length=block_length)(ones(3, num_symbols), 0.1, rng()).h
    assert h.shape == (3, num_symbols)
    blocks = h.split(block_length, dim=-1)
    assert len(blocks) == math.ceil(num_symbols / block_length)
    for block in blocks:
        assert bool((block == block[..., :1]).all())
    heads = torch.stack([block[..., 0] for block in blocks]).flatten()
    assert len(set(heads.tolist())) == heads.numel()


@pytest.mark.parametrize("kind", [RayleighBlock, RicianBlock])
def test_block_length_zero_is_one_gain_per_transmission(kind: type) -> None:
    h = kind()(ones(2, 3, 10), 0.1, rng()).h
    assert bool((h == h[..., :1]).all())
    assert len(set(h[..., 0].flatten().tolist())) == 6


def test_blocks_and_noise_are_independent() -> None:
    output = RayleighBlock(block_length=4)(ones(2, 80_000), 1.0, rng())
    noise = output.y - output.h
    bound = 4 / math.sqrt(20_000)
    first, second = output.h[:, ::4]
    lagged = (first[1:] * first[:-1].conj()).mean()
    across = (first * second.conj()).mean()
    with_noise = (output.h * noise.conj()).mean()
    for correlation in (lagged, across, with_noise, (noise[0] * noise[1].conj()).mean()):
        assert float(correlation.abs()) < bound


@pytest.mark.parametrize("channel", [Awgn(), RayleighBlock(block_length=3), RicianFast()])
def test_noise_per_transmission(channel: Awgn) -> None:
    noise_var = torch.tensor([[0.0], [1.0], [100.0]])
    y, h, reported = channel(ones(3, 50_000), noise_var, rng())
    assert reported.shape == (3, 1)
    power = (y - h).abs().square().mean(dim=-1)
    assert float(power[0]) == 0.0
    for row, variance in ((1, 1.0), (2, 100.0)):
        assert float(power[row]) == pytest.approx(variance, rel=4 / math.sqrt(50_000))


def test_noise_of_the_wrong_shape_is_refused() -> None:
    for shape in ((3,), (2, 1, 1), (2, 5, 1)):
        with pytest.raises(ValueError, match="does not broadcast"):
            Awgn()(ones(2, 10), torch.ones(shape), rng())


@pytest.mark.parametrize("make", [Awgn, RayleighBlock, RayleighFast, RicianBlock, RicianFast])
def test_gradient_through_symbols(make: type) -> None:
    channel = make()
    x = torch.randn(2, 5, dtype=torch.complex128, generator=rng(5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: channel(v, 0.3, rng(6)).y, (x,))
    output = channel(x, 0.3, rng(6))
    output.y.real.sum().backward()
    torch.testing.assert_close(x.grad, output.h.conj())


@pytest.mark.parametrize("k_db", [math.nan, math.inf, -math.inf, 1e4])
def test_rice_factor_out_of_range(k_db: float) -> None:
    for kind in (RicianBlock, RicianFast):
        with pytest.raises(ValueError, match=r"k_db must be between -100 and 100 dB"):
            kind(k_db=k_db)


@pytest.mark.parametrize("block_length", [-1, 2.5])
def test_block_length_out_of_range(block_length: int) -> None:
    for kind in (RayleighBlock, RicianBlock):
        with pytest.raises(ValueError, match=f"block_length must be 0 .* got {block_length}"):
            kind(block_length=block_length)
