"""What every registered packet channel must do, also a third party's.

What a packet channel may know of itself, as attributes: ``loss_rate``, the share of packets that
are lost, at any time; and ``mean_burst_length``, the mean number of losses in a row.
"""

import math

import pytest
import torch

from channels.base import PacketChannel
from channels.catalogue import PACKET_CHANNELS

NUM_PACKETS = 50
NUM_ROWS = 4_000
NAMES = [entry.name for entry in PACKET_CHANNELS.entries() if not entry.missing]
SPECS = [
    *NAMES,
    "packet_erasure:p=0.6",
    "gilbert_elliott:p_bad=0.7,p_good=0.9",
    "gilbert_elliott:p_bad=1,p_good=0.4",
    "gilbert_elliott:p_bad=0.1,p_good=0.3,loss_good=0.05,loss_bad=0.6",
]


def knowing(attribute: str) -> pytest.MarkDecorator:
    specs = [spec for spec in SPECS if hasattr(PACKET_CHANNELS.create(spec), attribute)]
    return pytest.mark.parametrize("channel", specs, indirect=True)


every = pytest.mark.parametrize("channel", SPECS, indirect=True)


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> PacketChannel:
    created: PacketChannel = PACKET_CHANNELS.create(request.param)
    return created


def rng(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


@every
@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
@pytest.mark.parametrize("shape", [(1,), (NUM_PACKETS,), (3, NUM_PACKETS), (2, 3, 7), (0, 4)])
def test_shapes_types_and_devices(
    channel: PacketChannel, shape: tuple[int, ...], device: str
) -> None:
    arrived = channel(shape, rng(device=device))
    assert arrived.shape == shape
    assert arrived.dtype == torch.bool
    assert arrived.device.type == device


@knowing("loss_rate")
def test_loss_rate(channel: PacketChannel) -> None:
    """Over all packets, and of the first and the last alone: the law does not change in time."""
    rate: float = channel.loss_rate  # type: ignore[attr-defined]
    lost = (~channel((NUM_ROWS, NUM_PACKETS), rng())).double()
    for share in (lost.mean(dim=-1), lost[:, 0], lost[:, -1]):
        assert 0 < float(share.mean()) < 1
        assert abs(float(share.mean()) - rate) < 4 * float(share.std()) / math.sqrt(NUM_ROWS)


@knowing("mean_burst_length")
def test_mean_burst_length(channel: PacketChannel) -> None:
    """Losses over ends of bursts; ``losses - mean·ends`` of a transmission has mean 0."""
    mean: float = channel.mean_burst_length  # type: ignore[attr-defined]
    arrived = channel((NUM_ROWS, NUM_PACKETS), rng(1))
    lost, ends = ~arrived[:, :-1], ~arrived[:, :-1] & arrived[:, 1:]
    assert bool(ends.any())
    rest = lost.double().sum(dim=-1) - mean * ends.double().sum(dim=-1)
    assert abs(float(rest.mean())) < 4 * float(rest.std()) / math.sqrt(NUM_ROWS)


@every
def test_elements_of_a_batch_are_independent(channel: PacketChannel) -> None:
    lost = (~channel((NUM_ROWS, NUM_PACKETS), rng())).double()
    for sequence in (lost[:, 0], lost.mean(dim=-1)):
        centred = sequence - sequence.mean()
        power = float(centred.square().mean())
        assert power > 0
        assert abs(float((centred[1:] * centred[:-1]).mean())) <= 4 * power / math.sqrt(NUM_ROWS)


@every
def test_same_generator_same_numbers(channel: PacketChannel) -> None:
    shape = (40, NUM_PACKETS)
    first, again, other = (channel(shape, rng(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every
def test_the_global_generator_is_not_touched(channel: PacketChannel) -> None:
    before = torch.get_rng_state()
    channel((NUM_PACKETS,), rng())
    assert torch.equal(torch.get_rng_state(), before)


@every
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (-1,), (-1, 4), (2.5,)])
def test_bad_shapes_are_refused(channel: PacketChannel, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape must be \(..., num_packets\)"):
        channel(shape, rng())


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no option"):
        PACKET_CHANNELS.create(f"{name}:no_such_option=1")
