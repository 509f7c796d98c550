"""What every registered bit channel must do, also a third party's.

A bit channel may know its ``capacity``, in bits per use: then no more must arrive.
"""

import math

import pytest
import torch

from channels.base import BitChannel
from channels.catalogue import BIT_CHANNELS

NUM_BITS = 200
NUM_ROWS = 1_000
NAMES = [entry.name for entry in BIT_CHANNELS.entries() if not entry.missing]
SPECS = [*NAMES, "bsc:p=0.3", "bsc:p=0.9", "bec:p=0.7"]
CAPABLE = [spec for spec in SPECS if hasattr(BIT_CHANNELS.create(spec), "capacity")]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

every = pytest.mark.parametrize("channel", SPECS, indirect=True)


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> BitChannel:
    created: BitChannel = BIT_CHANNELS.create(request.param)
    return created


def rng(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def random_bits(*shape: int) -> torch.Tensor:
    return torch.randint(0, 2, shape, dtype=torch.uint8, generator=rng(99))


def information(bits: torch.Tensor, llr: torch.Tensor) -> torch.Tensor:
    """Information in the LLRs if these are right, in bits per use, for every transmission."""
    loss = torch.nn.functional.softplus((1 - 2.0 * bits) * llr.double()) / math.log(2)
    return (1 - loss).mean(dim=-1)


@every
@pytest.mark.parametrize("drawn_on", DEVICES)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(1,), (NUM_BITS,), (3, NUM_BITS), (2, 3, NUM_BITS), (0, 4)])
def test_shapes_types_and_devices(
    channel: BitChannel, shape: tuple[int, ...], device: str, drawn_on: str
) -> None:
    bits = random_bits(*shape).to(device)
    before = bits.clone()
    llr = channel(bits, rng(device=drawn_on))
    assert llr.shape == shape
    assert llr.dtype == torch.float32
    assert llr.device.type == device
    assert bool(llr.isfinite().all())
    assert torch.equal(bits, before)


@every
def test_llrs_are_calibrated(channel: BitChannel) -> None:
    """``P(b = 1 | LLR) = 1/(1 + e^-LLR)``: what is left has mean 0, weighted in either way.

    The weight tells LLRs that are too bold from such as are too timid; without it only their sum
    counts.
    """
    bits = random_bits(NUM_ROWS, NUM_BITS)
    llr = channel(bits, rng()).double()
    rest = bits - llr.sigmoid()
    for weight in (torch.ones_like(llr), llr.div(2).tanh(), llr.sign()):
        means = (rest * weight).mean(dim=-1)
        error = 4 * float(means.std()) / math.sqrt(NUM_ROWS)
        assert abs(float(means.mean())) <= error + 1e-12  # certain bits leave rounding alone


@every
def test_positive_means_one(channel: BitChannel) -> None:
    bits = random_bits(NUM_ROWS, NUM_BITS)
    agreement = ((2.0 * bits - 1) * channel(bits, rng())).double().mean(dim=-1)
    assert float(agreement.mean()) > 4 * float(agreement.std()) / math.sqrt(NUM_ROWS)


@pytest.mark.parametrize("channel", CAPABLE, indirect=True)
def test_no_more_than_the_capacity_arrives(channel: BitChannel) -> None:
    bits = random_bits(NUM_ROWS, NUM_BITS)
    arrived = information(bits, channel(bits, rng()))
    capacity: float = channel.capacity  # type: ignore[attr-defined]
    assert 0 <= capacity <= 1
    error = 4 * float(arrived.std()) / math.sqrt(NUM_ROWS)
    assert 0 < float(arrived.mean()) <= capacity + error


@every
def test_elements_of_a_batch_are_independent(channel: BitChannel) -> None:
    llr = channel(torch.zeros(NUM_ROWS, 2, dtype=torch.uint8), rng())[:, 0].double()
    centred = llr - llr.mean()
    power = float(centred.square().mean())
    assert power > 0
    assert abs(float((centred[1:] * centred[:-1]).mean())) <= 4 * power / math.sqrt(NUM_ROWS)


@every
def test_same_generator_same_numbers(channel: BitChannel) -> None:
    bits = random_bits(4, NUM_BITS)
    first, again, other = (channel(bits, rng(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every
def test_the_global_generator_is_not_touched(channel: BitChannel) -> None:
    before = torch.get_rng_state()
    channel(random_bits(NUM_BITS), rng())
    assert torch.equal(torch.get_rng_state(), before)


@every
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.ones(4), "bits must be uint8, got torch.float32"),
        (torch.ones(4, dtype=torch.int64), "bits must be uint8, got torch.int64"),
        (torch.ones(2, 0, dtype=torch.uint8), r"bits must have shape .*, got \(2, 0\)"),
        (torch.tensor(1, dtype=torch.uint8), r"bits must have shape .*, got \(\)"),
        (torch.tensor([0, 1, 2], dtype=torch.uint8), "bits must be 0 or 1, got 2"),
    ],
)
def test_bad_bits_are_refused(channel: BitChannel, bad: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        channel(bad, rng())


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no option"):
        BIT_CHANNELS.create(f"{name}:no_such_option=1")
