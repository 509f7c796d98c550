"""Bursts of the Gilbert-Elliott channel against Markov chains on paper.

Chi-square tests at one in a thousand, or four standard errors, at fixed seeds.
"""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from channels.discrete.gilbert_elliott import GilbertElliott
from channels.discrete.packet_erasure import PacketErasure

# The state stays, is drawn afresh (p_bad + p_good = 1), or toggles between the bounds.
CHAINS = [(0.02, 0.2), (0.3, 0.1), (0.25, 0.75), (0.7, 0.9), (1.0, 0.4), (1.0, 1.0)]
RANDOM = CHAINS[:-1]

chains = pytest.mark.parametrize(("p_bad", "p_good"), RANDOM)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def transitions(p_bad: float, p_good: float) -> NDArray[np.float64]:
    return np.array([[1 - p_bad, p_bad], [p_good, 1 - p_good]])


def runs(lost: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of the bursts and of the gaps between, without those that the ends cut."""
    edges = np.flatnonzero(np.diff(lost)) + 1
    lengths = np.diff(edges)
    starts_lost = lost[edges[:-1]]
    return lengths[starts_lost], lengths[~starts_lost]


def geometric_pvalue(lengths: NDArray[np.int64], p: float) -> float:
    """Chi-square test of geometric lengths, in up to 30 classes of about equal probability."""
    law = stats.geom(p)
    edges = np.unique(law.ppf(np.arange(1, 30) / 30))
    counts = np.bincount(np.searchsorted(edges, lengths), minlength=len(edges) + 1)
    shares = np.diff(law.cdf([0, *edges, np.inf]))
    return float(stats.chisquare(counts, shares * len(lengths)).pvalue)


@pytest.mark.parametrize(("p_bad", "p_good"), RANDOM)
def test_bursts_and_gaps_are_geometric(p_bad: float, p_good: float) -> None:
    channel = GilbertElliott(p_bad=p_bad, p_good=p_good)
    bursts, gaps = runs(~channel((1_000_000,), rng()).numpy())
    assert len(bursts) > 10_000
    for lengths, p in ((bursts, p_good), (gaps, p_bad)):
        if p == 1:
            assert bool((lengths == 1).all())
        else:
            assert geometric_pvalue(lengths, p) > 1e-3
            assert geometric_pvalue(lengths, 0.9 * p) < 1e-3  # the test is sharp enough to fail


@pytest.mark.parametrize(("p_bad", "p_good"), RANDOM)
@pytest.mark.parametrize("losses", [(0.0, 0.5), (0.05, 0.6), (0.3, 1.0)])
def test_bursts_of_partial_losses_follow_the_chain(
    p_bad: float, p_good: float, losses: tuple[float, float]
) -> None:
    """P(length = n) = ``α (P D)^(n-1) (1 - P D 1)``: the state is hidden, the law not geometric."""
    channel = GilbertElliott(p_bad=p_bad, p_good=p_good, loss_good=losses[0], loss_bad=losses[1])
    bursts, _ = runs(~channel((1_000_000,), rng(4)).numpy())
    moves, loss = transitions(p_bad, p_good), np.array(losses)
    first = (np.array([p_good, p_bad]) * (1 - loss)) @ moves * loss
    again = moves * loss
    start, longer = first / first.sum(), again.sum(axis=1)
    law = []
    while not law or (1 - sum(law)) * len(bursts) > 20:
        law.append(float(start @ (1 - longer)))
        start = start @ again
    law.append(1 - sum(law))  # all that are longer
    counts = np.bincount(np.minimum(bursts, len(law)) - 1, minlength=len(law))
    assert stats.chisquare(counts, np.array(law) * len(bursts)).pvalue > 1e-3
    error = bursts.std() / math.sqrt(len(bursts))
    assert abs(bursts.mean() - channel.mean_burst_length) < 4 * error
    assert error < 0.02 * channel.mean_burst_length


def test_independent_losses_make_geometric_bursts() -> None:
    bursts, gaps = runs(~PacketErasure(p=0.3)((1_000_000,), rng()).numpy())
    assert geometric_pvalue(bursts, 0.7) > 1e-3
    assert geometric_pvalue(gaps, 0.3) > 1e-3


def test_a_chain_that_always_moves_alternates() -> None:
    arrived = GilbertElliott(p_bad=1, p_good=1)((1_000, 9), rng())
    assert torch.equal(arrived[:, 1:], ~arrived[:, :-1])
    assert abs(int(arrived[:, 0].sum()) - 500) < 4 * math.sqrt(250)


@chains
def test_the_chain_is_markov_and_stationary(p_bad: float, p_good: float) -> None:
    """All paths of four steps have the probability ``π P P P``."""
    num = 100_000
    channel = GilbertElliott(p_bad=p_bad, p_good=p_good)
    bad = channel.states(torch.Size((num, 4)), rng(1)).numpy()
    moves = transitions(p_bad, p_good)
    start = np.array([p_good, p_bad]) / (p_bad + p_good)
    law = np.einsum("a,ab,bc,cd->abcd", start, moves, moves, moves).ravel()
    observed = np.bincount(bad @ np.array([8, 4, 2, 1]), minlength=16)
    assert not observed[law == 0].any()
    possible = law > 0
    assert law[possible].min() * num > 5
    assert stats.chisquare(observed[possible], law[possible] * num).pvalue > 1e-3


@chains
def test_losses_are_correlated_in_time_as_the_chain_is(p_bad: float, p_good: float) -> None:
    """``E l(t+k) l(t) = ρ² + π_g π_b (loss_bad - loss_good)² (1 - p_bad - p_good)^k``."""
    num_rows = 2_000
    channel = GilbertElliott(p_bad=p_bad, p_good=p_good, loss_good=0.1, loss_bad=0.8)
    lost = (~channel((num_rows, 200), rng(2))).double()
    for lag in (1, 2, 5):
        products = (lost[:, lag:] * lost[:, :-lag]).mean(dim=-1)
        spread = channel.share_bad * (1 - channel.share_bad) * 0.7**2
        expected = channel.loss_rate**2 + spread * (1 - p_bad - p_good) ** lag
        error = 4 * float(products.std()) / math.sqrt(num_rows)
        assert abs(float(products.mean()) - expected) < error


@pytest.mark.parametrize(("p_bad", "p_good"), CHAINS)
@pytest.mark.parametrize("losses", [(0.0, 1.0), (0.0, 0.5), (0.05, 0.6), (0.3, 1.0)])
def test_mean_burst_length_by_absorption(
    p_bad: float, p_good: float, losses: tuple[float, float]
) -> None:
    """``α (I - P D)⁻¹ 1``, D the losses and α the state in which a burst starts."""
    channel = GilbertElliott(p_bad=p_bad, p_good=p_good, loss_good=losses[0], loss_bad=losses[1])
    moves, loss = transitions(p_bad, p_good), np.array(losses)
    stationary = np.array([p_good, p_bad]) / (p_bad + p_good)
    first = (stationary * (1 - loss)) @ moves * loss
    mean = first / first.sum() @ np.linalg.solve(np.eye(2) - moves * loss, np.ones(2))
    assert channel.mean_burst_length == pytest.approx(mean, rel=1e-12)
    assert channel.loss_rate == pytest.approx(stationary @ loss, rel=1e-12)
    if losses == (0.0, 1.0):
        assert channel.mean_burst_length == pytest.approx(1 / p_good, rel=1e-12)


def test_limits_of_independent_losses() -> None:
    none, all_lost = PacketErasure(p=0.0), PacketErasure(p=1.0)
    assert bool(none((1_000,), rng()).all())
    assert not bool(all_lost((1_000,), rng()).any())
    assert none.mean_burst_length == 1
    assert all_lost.mean_burst_length == math.inf
    # A chain that forgets at once loses independently, in bursts of the same mean.
    memoryless = GilbertElliott(p_bad=0.25, p_good=0.75)
    assert memoryless.mean_burst_length == pytest.approx(PacketErasure(p=0.25).mean_burst_length)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"p must be a probability in \[0, 1\]"):
        PacketErasure(p=p)
    for name in ("p_bad", "p_good"):
        with pytest.raises(ValueError, match=rf"{name} must be a probability in \(0, 1\]"):
            GilbertElliott(**{name: p})
    with pytest.raises(ValueError, match="loss_good and loss_bad must be probabilities"):
        GilbertElliott(loss_bad=p)


@pytest.mark.parametrize("name", ["p_bad", "p_good"])
def test_a_chain_that_never_leaves_a_state_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be a probability in \(0, 1\]"):
        GilbertElliott(**{name: 0.0})


@pytest.mark.parametrize("losses", [(0.5, 0.5), (0.8, 0.2), (-0.1, 1.0)])
def test_losses_out_of_order_are_refused(losses: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="the first smaller, got"):
        GilbertElliott(loss_good=losses[0], loss_bad=losses[1])
