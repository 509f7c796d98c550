"""Counting packets with retransmissions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import experiments.link_level.harq
from channels.base import ChannelOutput, Coherence
from channels.packets.harq import Harq
from channels.packets.mcs import Scheme
from channels.packets.packet import num_packet_symbols
from experiments.link_level.harq import HarqPackets
from experiments.link_level.montecarlo import Limits, collect
from experiments.link_level.task import Task

SCHEME = Scheme(2, 0.5)


class HalfLost:
    """Half of all transmissions arrive without noise, the others not at all."""

    coherence: Coherence = "block"

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        arrives = torch.rand(x.shape[:-1], generator=rng) >= 0.5
        h = arrives[..., None].to(x.dtype).expand(x.shape)
        return ChannelOutput(h * x, h, torch.as_tensor(noise_var))


def test_throughput_is_that_of_renewal_reward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E[T] = (1 - q^L)/(1 - q) and P(lost) = q^L with q = 1/2, L = 3."""
    monkeypatch.setattr(experiments.link_level.harq, "create_channel", lambda _: HalfLost())
    packets = HarqPackets(4, SCHEME, options=Harq(3, rvs=(0,), feedback_uses=5))
    tasks = [Task(one, 10.0) for one in (packets, packets.retransmissions)]
    limits = Limits(max_errors=10**6, max_trials=1500)
    lost, extra = collect(tasks, tmp_path / "rows.jsonl", limits=limits, progress=False)
    low, high = lost.interval(0.999)
    assert low < 1 / 8 < high
    low, high = extra.interval(0.999)
    assert low < (1.75 - 1) / 2 < high
    per_round = num_packet_symbols(4, SCHEME) + 5
    assert packets.mean_uses(0.375) == 1.75 * per_round
    estimate, low, high = packets.throughput(lost, extra, confidence=0.999)
    expected = 32 * (7 / 8) / (1.75 * per_round)
    assert low < expected < high
    assert estimate == pytest.approx(expected, rel=0.1)
    assert high - low < 0.3 * expected


def test_both_counts_see_the_same_packets() -> None:
    """Without errors of feedback, the lost are those that took all rounds and failed the last."""
    packets = HarqPackets(20, SCHEME, "rayleigh", Harq(3))
    lost, extra = (Task(one, 0.0).run(0) for one in (packets, packets.retransmissions))
    assert lost.trials == lost.groups == extra.groups == 512
    assert extra.trials == 2 * lost.trials
    assert 0 < 2 * lost.errors < extra.errors <= 2 * extra.wrong_groups
    # Each packet has 0, 1 or 2: sums and squares tell how many have how many.
    both = (extra.squares - extra.errors) // 2
    assert both + extra.wrong_groups == extra.errors
    assert lost.errors < both


def test_receivers_and_feedback_are_compared_on_the_same_noise() -> None:
    base = HarqPackets(20, SCHEME, "rayleigh")
    for options in (
        Harq(rvs=(0,)),
        Harq(combining=False),
        Harq(feedback_error=0.1, feedback_uses=3, feedback_delay=9),
    ):
        other = HarqPackets(20, SCHEME, "rayleigh", options)
        assert other.stream() == base.stream()
        assert Task(other, 0.0).point != Task(base, 0.0).point
    for options in (Harq(3), Harq(continuous=True)):
        assert HarqPackets(20, SCHEME, "rayleigh", options).stream() != base.stream()
    gap = HarqPackets(20, SCHEME, "jakes", Harq(continuous=True, feedback_delay=9))
    assert gap.stream() != HarqPackets(20, SCHEME, "jakes", Harq(continuous=True)).stream()


def test_a_batch_is_bounded() -> None:
    """2²⁰ coded bits of all rounds: 41 kbit · 4 rounds leave 6 packets."""
    packets = HarqPackets(2570, SCHEME, options=Harq(4))
    assert packets.run(20.0, torch.Generator().manual_seed(0)).trials == 6


def test_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="counts must be one of lost packets, retransmissions"):
        HarqPackets(20, SCHEME, counts="bits")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one round has no retransmissions"):
        HarqPackets(20, SCHEME, options=Harq(1), counts="retransmissions")
    with pytest.raises(ValueError, match="unknown channel"):
        HarqPackets(20, SCHEME, "ether")
    with pytest.raises(ValueError, match="num_bits must be at least 1, got 0"):
        HarqPackets(0, SCHEME)
