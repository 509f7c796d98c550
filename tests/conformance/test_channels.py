"""What every registered channel must do, also a third party's."""

import math

import pytest
import torch

from channels.base import Channel
from channels.channels import CHANNELS

NUM_SYMBOLS = 60


@pytest.fixture(params=CHANNELS.names())
def channel(request: pytest.FixtureRequest) -> Channel:
    created: Channel = CHANNELS.create(request.param)
    return created


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def symbols(*shape: int, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=rng(99))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("shape", [(1,), (NUM_SYMBOLS,), (3, NUM_SYMBOLS), (2, 3, NUM_SYMBOLS)])
def test_shapes_and_dtypes(channel: Channel, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    y, h, noise_var = channel(symbols(*shape, dtype=dtype), 0.1, rng())
    assert y.shape == h.shape == shape
    assert y.dtype == h.dtype == dtype
    assert not noise_var.is_complex()
    assert noise_var.expand(shape).shape == shape


def test_input_is_left_alone(channel: Channel) -> None:
    x = symbols(NUM_SYMBOLS)
    before = x.clone()
    channel(x, 0.1, rng())
    assert torch.equal(x, before)


def test_without_noise_the_output_is_h_times_x(channel: Channel) -> None:
    x = symbols(2, NUM_SYMBOLS)
    y, h, noise_var = channel(x, 0.0, rng())
    assert torch.equal(y, h * x)
    assert not bool(noise_var.any())


def test_noise_has_the_variance_that_is_reported(channel: Channel) -> None:
    x = symbols(4, 20_000)
    y, h, noise_var = channel(x, 0.25, rng())
    ratio = ((y - h * x).abs().square() / noise_var).double()
    assert abs(float(ratio.mean()) - 1) < 4 / math.sqrt(ratio.numel())


def test_gain_moves_as_coherence_says(channel: Channel) -> None:
    h = channel(symbols(4, NUM_SYMBOLS), 0.1, rng()).h
    if channel.coherence == "none":
        assert bool((h == h[0, 0]).all())
    elif channel.coherence == "fast":
        assert len(set(h.flatten().tolist())) == h.numel()
    else:
        assert channel.coherence == "block"
        length = channel.block_length or NUM_SYMBOLS  # type: ignore[attr-defined]
        for block in h.split(length, dim=-1):
            assert bool((block == block[:, :1]).all())
        assert len(set(h[:, 0].tolist())) == 4


def test_mean_power_gain_is_one(channel: Channel) -> None:
    gain = channel(symbols(20_000, 2), 0.1, rng()).h[:, 0].abs().square().double()
    error = 4 * float(gain.std()) / math.sqrt(gain.numel())
    assert abs(float(gain.mean()) - 1) <= max(error, 1e-6)


def test_quantile_matches_the_sample(channel: Channel) -> None:
    gain = channel(symbols(20_000, 2), 0.1, rng(1)).h[:, 0].abs().square().double()
    previous = 0.0
    for p in (0.01, 0.1, 0.5, 0.9, 0.99):
        quantile = channel.gain_quantile(p)
        assert quantile >= previous
        previous = quantile
        below = float((gain < quantile * (1 - 1e-5)).double().mean())
        up_to = float((gain <= quantile * (1 + 1e-5)).double().mean())
        error = 4 * math.sqrt(p * (1 - p) / gain.numel())
        assert below - error < p < up_to + error


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_quantile_refuses_what_is_no_probability(channel: Channel, p: float) -> None:
    with pytest.raises(ValueError, match=r"probability must be in \(0, 1\)"):
        channel.gain_quantile(p)


def test_same_generator_same_numbers(channel: Channel) -> None:
    x = symbols(2, NUM_SYMBOLS)
    first, again, other = (channel(x, 0.1, rng(seed)) for seed in (7, 7, 8))
    assert torch.equal(first.y, again.y)
    assert torch.equal(first.h, again.h)
    assert not torch.equal(first.y, other.y)


def test_the_global_generator_is_not_touched(channel: Channel) -> None:
    before = torch.get_rng_state()
    channel(symbols(NUM_SYMBOLS), 0.1, rng())
    assert torch.equal(torch.get_rng_state(), before)


def test_elements_of_a_batch_are_independent(channel: Channel) -> None:
    num_rows = 20_000
    x = torch.ones(num_rows, 2, dtype=torch.complex64)
    y, h, _ = channel(x, 1.0, rng())
    noise = (y - h * x)[:, 0]
    scatter = h[:, 0] - h[:, 0].mean()
    for sequence in (noise, scatter):
        power = float(sequence.abs().square().mean())
        lagged = float((sequence[1:] * sequence[:-1].conj()).mean().abs())
        assert lagged <= 4 * power / math.sqrt(num_rows)


def test_gradient_reaches_the_symbols(channel: Channel) -> None:
    x = symbols(2, NUM_SYMBOLS).requires_grad_()
    output = channel(x, 0.1, rng())
    output.y.real.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, output.h.detach().conj())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.ones(4), "complex"),
        (torch.ones(2, 0, dtype=torch.complex64), "shape"),
        (torch.tensor(1.0 + 0j), "shape"),
        (torch.full((4,), complex(math.nan, 0)), "finite"),
        (torch.full((4,), complex(0, math.inf)), "finite"),
    ],
)
def test_bad_symbols_are_refused(channel: Channel, bad: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        channel(bad, 0.1, rng())


@pytest.mark.parametrize("noise_var", [-0.1, math.nan, math.inf])
def test_bad_noise_is_refused(channel: Channel, noise_var: float) -> None:
    with pytest.raises(ValueError, match="noise_var must be finite and at least 0"):
        channel(symbols(4), noise_var, rng())


@pytest.mark.parametrize("name", CHANNELS.names())
def test_a_wrong_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no option"):
        CHANNELS.create(f"{name}:no_such_option=1")
