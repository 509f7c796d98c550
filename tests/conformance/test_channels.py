"""What every registered channel must do, also a third party's.

What a channel may say of itself, as attributes:

- ``estimated = True``, if its ``h`` is the receiver's estimate, so that ``y - h·x`` has the
  reported variance on average only;
- ``mismatched = True``, if the receiver is not told of an error in ``h``, so that ``y - h·x`` has
  more than the reported variance;
- ``noise_varies = True``, if ``noise_var`` is told symbol by symbol, so that it is as asked for in
  the mean only;
- ``linear = False``, if ``y`` is no multiple of ``x`` plus noise;
- ``num_streams``, if that many symbols share a channel use and a detector takes them apart, so that
  ``h`` is the gain behind it: without noise ``y = h·x`` but for rounding, and its mean is not 1.
"""

import math
from pathlib import Path

import pytest
import torch

from channels.base import Channel, Costed, KnownLaw, max_symbols, num_uses
from channels.channels import CHANNELS

NUM_SYMBOLS = 60
NUM_ROWS = 2_000


def available(names: list[str]) -> list[str]:
    """Those whose extras are installed."""
    return [name for name in names if not CHANNELS.entry(name.partition(":")[0]).missing]


def create(spec: str) -> Channel:
    """Build a channel, with the options that it cannot do without."""
    needed = NEEDED.get(spec)
    channel: Channel = CHANNELS.create(f"{spec}:{needed}" if needed else spec)
    return channel


NEEDED = {"trace": f"file={Path(__file__).with_name('trace.csv')}"}
NAMES = available(CHANNELS.names())
SPECS = [
    *NAMES,
    "ofdm:estimation=ls",
    "ofdm:estimation=perfect",
    "ofdm:over=awgn",
    "middleton:state_known=true",
    "carrier_error:over=rayleigh,cfo=0.01,random_phase=true",
    "carrier_error:linewidth=1e-3,known=true",
    "clipping:over=rayleigh_fast,smoothness=2,backoff_db=0",
    "mimo:antennas=4x4,detector=zf,block_length=1",
    "mimo:antennas=2x3,csi=pilots,block_length=5",
]
MODELS: dict[str, Channel] = {spec: create(spec) for spec in SPECS}
LINEAR = [spec for spec, model in MODELS.items() if getattr(model, "linear", True)]
MISMATCHED = [spec for spec in LINEAR if getattr(MODELS[spec], "mismatched", False)]
TOLD = [spec for spec in LINEAR if spec not in MISMATCHED]
DETECTED = [spec for spec in LINEAR if hasattr(MODELS[spec], "num_streams")]
SINGLE = [spec for spec in LINEAR if spec not in DETECTED]
KNOWN_GAIN = [spec for spec in TOLD if not getattr(MODELS[spec], "estimated", False)]
EXACT = [spec for spec in KNOWN_GAIN if spec in SINGLE]
KNOWN = [spec for spec, model in MODELS.items() if isinstance(model, KnownLaw)]
COSTED = [spec for spec, model in MODELS.items() if isinstance(model, Costed)]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

every = pytest.mark.parametrize("channel", SPECS, indirect=True)
told = pytest.mark.parametrize("channel", TOLD, indirect=True)
mismatched = pytest.mark.parametrize("channel", MISMATCHED, indirect=True)
single = pytest.mark.parametrize("channel", SINGLE, indirect=True)
exact = pytest.mark.parametrize("channel", EXACT, indirect=True)
known = pytest.mark.parametrize("channel", KNOWN, indirect=True)


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> Channel:
    return create(request.param)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def symbols(*shape: int, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=rng(99))


@every
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("shape", [(1,), (NUM_SYMBOLS,), (3, NUM_SYMBOLS), (2, 3, NUM_SYMBOLS)])
def test_shapes_types_and_devices(
    channel: Channel, shape: tuple[int, ...], dtype: torch.dtype, device: str
) -> None:
    y, h, noise_var = channel(symbols(*shape, dtype=dtype).to(device), 0.1, rng())
    assert y.shape == h.shape == shape
    assert y.dtype == h.dtype == dtype
    assert y.device.type == h.device.type == noise_var.device.type == device
    assert not noise_var.is_complex()
    assert noise_var.expand(shape).shape == shape


@every
def test_input_is_left_alone(channel: Channel) -> None:
    x = symbols(NUM_SYMBOLS)
    before = x.clone()
    channel(x, 0.1, rng())
    assert torch.equal(x, before)


@exact
def test_without_noise_the_output_is_h_times_x(channel: Channel) -> None:
    x = symbols(2, NUM_SYMBOLS)
    y, h, noise_var = channel(x, 0.0, rng())
    assert torch.equal(y, h * x)
    assert not bool(noise_var.any())


@pytest.mark.parametrize(
    "channel", [spec for spec in KNOWN_GAIN if spec in DETECTED], indirect=True
)
def test_without_noise_a_detector_takes_the_symbols_apart(channel: Channel) -> None:
    """In double precision: what is left is rounding, magnified by ill-conditioned matrices."""
    x = symbols(20, NUM_SYMBOLS, dtype=torch.complex128)
    y, h, noise_var = channel(x, 0.0, rng())
    torch.testing.assert_close(y, h * x, rtol=1e-9, atol=1e-9)
    assert not bool(noise_var.any())


@told
@pytest.mark.parametrize("noise_var", [0.01, 1.0])
def test_noise_has_the_variance_that_is_reported(channel: Channel, noise_var: float) -> None:
    """Per transmission first: an estimate errs alike for symbols that stand together."""
    x = symbols(NUM_ROWS, NUM_SYMBOLS)
    y, h, reported = channel(x, noise_var, rng())
    if getattr(channel, "noise_varies", False):
        told = reported.double().mean(dim=-1)
        assert abs(float(told.mean()) - noise_var) < 4 * float(told.std()) / math.sqrt(len(told))
    else:
        assert bool((reported >= noise_var * (1 - 1e-6)).all())
    ratio = ((y - h * x).abs().square() / reported).double().mean(dim=-1)
    assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / math.sqrt(len(ratio))


@mismatched
def test_a_mismatch_adds_to_the_variance_that_is_reported(channel: Channel) -> None:
    x = symbols(NUM_ROWS, NUM_SYMBOLS)
    y, h, reported = channel(x, 1e-3, rng())
    ratio = ((y - h * x).abs().square() / reported).double().mean(dim=-1)
    assert float(ratio.mean()) - 1 > 4 * float(ratio.std()) / math.sqrt(len(ratio))


@every
def test_noise_per_transmission(channel: Channel) -> None:
    """Every row has the noise that it would have alone."""
    x = symbols(3, NUM_SYMBOLS)
    noise_var = torch.tensor([[0.0], [0.1], [10.0]])
    together = channel(x, noise_var, rng())
    for row in range(3):
        alone = channel(x, float(noise_var[row]), rng())
        torch.testing.assert_close(together.y[row], alone.y[row])
        torch.testing.assert_close(together.h[row], alone.h[row], rtol=1e-4, atol=1e-5)


@every
def test_gain_moves_as_coherence_says(channel: Channel) -> None:
    h = channel(symbols(4, NUM_SYMBOLS), 0.0, rng()).h
    if channel.coherence == "none":
        assert bool((h == h[0, 0]).all())
    elif channel.coherence == "fast":
        assert len(set(h.flatten().tolist())) == h.numel()
    elif channel.coherence == "block":
        length = channel.block_length or NUM_SYMBOLS  # type: ignore[attr-defined]
        for block in h.split(length, dim=-1):
            assert bool((block == block[:, :1]).all())
        assert len(set(h[:, 0].tolist())) == 4
    else:
        assert channel.coherence == "varying"


@single
def test_mean_power_gain_is_one(channel: Channel) -> None:
    x = torch.ones(NUM_ROWS, 2, dtype=torch.complex64)
    gain = channel(x, 0.0, rng()).y[:, 0].abs().square().double()
    error = 4 * float(gain.std()) / math.sqrt(gain.numel())
    assert abs(float(gain.mean()) - 1) <= max(error, 1e-6)


@known
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


@known
@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_quantile_refuses_what_is_no_probability(channel: Channel, p: float) -> None:
    with pytest.raises(ValueError, match=r"probability must be in \(0, 1\)"):
        channel.gain_quantile(p)


@pytest.mark.parametrize("channel", COSTED, indirect=True)
def test_cost_covers_the_symbols_and_never_falls(channel: Channel) -> None:
    uses = [channel.num_uses(num) for num in range(1, 3_000)]
    per_use = getattr(channel, "num_streams", 1)
    assert all(isinstance(cost, int) for cost in uses)
    assert all(cost * per_use >= num for num, cost in enumerate(uses, start=1))
    assert uses == sorted(uses)


@pytest.mark.parametrize("channel", COSTED, indirect=True)
def test_most_symbols_that_fit(channel: Channel) -> None:
    """The largest number whose cost is within the uses."""
    for uses in (0, 1, 2, 3, 7, 100, 1_092, 5_000):
        most = max_symbols(channel, uses)
        assert most == 0 or num_uses(channel, most) <= uses
        assert num_uses(channel, most + 1) > uses


@every
def test_same_generator_same_numbers(channel: Channel) -> None:
    x = symbols(2, NUM_SYMBOLS)
    first, again, other = (channel(x, 0.1, rng(seed)) for seed in (7, 7, 8))
    assert torch.equal(first.y, again.y)
    assert torch.equal(first.h, again.h)
    assert not torch.equal(first.y, other.y)


@every
def test_the_global_generator_is_not_touched(channel: Channel) -> None:
    before = torch.get_rng_state()
    channel(symbols(NUM_SYMBOLS), 0.1, rng())
    assert torch.equal(torch.get_rng_state(), before)


@every
def test_elements_of_a_batch_are_independent(channel: Channel) -> None:
    """Neighbours share neither fading (seen without noise) nor noise."""
    x = torch.ones(NUM_ROWS, 2, dtype=torch.complex64)
    quiet, noisy = (channel(x, noise_var, rng()).y[:, 0] for noise_var in (0.0, 1.0))
    for sequence in (quiet - quiet.mean(), noisy - noisy.mean()):
        power = float(sequence.abs().square().mean())
        lagged = float((sequence[1:] * sequence[:-1].conj()).mean().abs())
        assert lagged <= 4 * power / math.sqrt(NUM_ROWS)


@every
def test_gradient_reaches_the_symbols(channel: Channel) -> None:
    """Along one direction, against the difference quotient under the same fading and noise."""
    x = symbols(2, NUM_SYMBOLS, dtype=torch.complex128).requires_grad_()
    channel(x, 0.1, rng()).y.real.sum().backward()
    assert x.grad is not None
    step = 1e-5 * torch.randn(x.shape, dtype=x.dtype, generator=rng(5))
    up, down = (channel(x.detach() + move, 0.1, rng()).y.real.sum() for move in (step, -step))
    slope = (x.grad.conj() * step).real.sum()
    torch.testing.assert_close(slope, (up - down) / 2, rtol=1e-4, atol=1e-9)
    assert bool(x.grad.abs().sum() > 0)


@every
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


@every
@pytest.mark.parametrize("noise_var", [-0.1, math.nan, math.inf])
def test_bad_noise_is_refused(channel: Channel, noise_var: float) -> None:
    with pytest.raises(ValueError, match="noise_var must be finite and at least 0"):
        channel(symbols(4), noise_var, rng())


@every
@pytest.mark.parametrize("shape", [(5, 1), (2, 2, 1)])
def test_noise_of_the_wrong_shape_is_refused(channel: Channel, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="does not broadcast"):
        channel(symbols(2, NUM_SYMBOLS), torch.ones(shape), rng())


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no option"):
        CHANNELS.create(f"{name}:no_such_option=1")
