"""Unequal protection: the choice of a scheme and a number of copies for each packet.

A sender that does not know the channel's state cannot choose one scheme that is right for all
states. The most important packets should arrive even in bad states, the others in good ones.
Packets i = 1 … n remove the weighted squared error ``gain_i`` when they arrive. In state q, which
has weight ``weight_q``, option k delivers packet i with probability ``a_ikq``; in addition, a copy
may be lost in any state. The options ``k_1 … k_n`` that maximise

    Σ_q weight_q Σ_i gain_i Π_j a_{j k_j q},      j: packet i and all packets that it needs,

within a budget of symbols are found by dynamic programming over the budget. In a nested stream each
packet needs those before it, so no packet has to be more robust than the one before it. The weakest
of them then decides what arrives, and the sum becomes one over packets; losses in the best state
are treated as random. The result is exact if in each state a packet either arrives or does not,
which is nearly true for long codes, and if there is only one state. The remainder left by rounding
the budget is spent by exchanging options one at a time while the exact sum grows.

References
----------
A. Albanese et al., "Priority encoding transmission", IEEE Trans. Inf. Theory 42(6), 1996,
DOI 10.1109/18.556670: the idea. H. Kellerer, U. Pferschy, D. Pisinger, "Knapsack Problems", 2004,
DOI 10.1007/978-3-540-24777-7, chapter 11: choosing one option of each class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semcom.errors import InputError

Array = NDArray[np.float64]

NOT_SENT = -1
_UNITS = 2048  # resolution of the budget in dynamic programming
_ALIKE = 3e-3  # options whose shares of states differ by less count as equally robust


@dataclass(frozen=True, eq=False)
class Choices:
    """The packets of a stream and the ways to send them."""

    gains: Array
    """Weighted squared error that each packet removes, (packets,)."""
    costs: NDArray[np.int64]
    """Symbols of each packet with each option, (packets, options), above 0."""
    arrivals: Array
    """Probability that a packet arrives in each state, (packets, options, states)."""
    weights: Array
    """Weights of the states, (states,); they need not add up to 1."""
    nested: bool
    """Whether a packet is useless without those before it."""

    def expected_gain(self, chosen: NDArray[np.int64]) -> float:
        """Return the weighted squared error that is removed on average.

        ``chosen`` contains the option of each packet, or :data:`NOT_SENT`.
        """
        sent = chosen != NOT_SENT
        arrives = self.arrivals[np.arange(len(chosen)), chosen] * sent[:, None]
        if self.nested:
            arrives = np.cumprod(arrives, axis=0)
        return float(self.gains @ arrives @ self.weights)

    def cost(self, chosen: NDArray[np.int64]) -> int:
        """Return the symbols of all packets that are sent."""
        costs = self.costs[np.arange(len(chosen)), chosen]
        return int(costs[chosen != NOT_SENT].sum())


def allocate(choices: Choices, budget: int) -> NDArray[np.int64]:
    """Choose the option of each packet.

    Parameters
    ----------
    choices
        The packets and their options.
    budget
        Symbols for all packets together.

    Returns
    -------
    NDArray[np.int64]
        The option of each packet, or :data:`NOT_SENT`. In a nested stream, only the last packets
        can be left out.

    Raises
    ------
    ValueError
        No options, or a cost below 1.

    Examples
    --------
    A robust option costs 20 symbols and works in both states; a cheap one costs 10 and works in the
    good state only:

    >>> arrivals = np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> choices = Choices(np.array([9.0, 1.0]), np.array([[20, 10]] * 2),
    ...                   np.array([arrivals] * 2), np.array([0.5, 0.5]), nested=True)
    >>> allocate(choices, 30), allocate(choices, 20)
    (array([0, 1]), array([ 0, -1]))
    """
    if not choices.costs.size or choices.costs.min() < 1:
        raise InputError("every packet needs options, and every option costs at least 1 symbol")
    order = np.argsort(-_in_state(choices).mean(axis=0), kind="stable")
    ranked = Choices(
        choices.gains,
        choices.costs[:, order],
        choices.arrivals[:, order],
        choices.weights,
        choices.nested,
    )
    chosen = _polish(ranked, _plan(ranked, budget), budget)
    return np.where(chosen == NOT_SENT, NOT_SENT, order[chosen])


def _by_chance(choices: Choices) -> Array:
    """Return the probability of arrival in the best state, (packets, options)."""
    best: Array = np.maximum(choices.arrivals.max(axis=2), 1e-12)
    return best


def _in_state(choices: Choices) -> Array:
    """Return the weight of the states in which a packet arrives unless lost at random."""
    return choices.arrivals @ choices.weights / _by_chance(choices)


def _plan(ranked: Choices, budget: int) -> NDArray[np.int64]:
    """Plan by dynamic programming, from the last packet to the first; options lose robustness.

    ``value[k, b]`` is the best value of the packets from i on with ``b`` units, if those before
    arrive. In a nested stream their options are then k, equally robust ones, or weaker ones; with
    one state all options are allowed.
    """
    packets, options = ranked.costs.shape
    unit = max(budget / _UNITS, 1.0)
    costs = np.ceil(ranked.costs / unit - 1e-9).astype(np.int64)
    units = int(budget / unit)
    worth = ranked.gains[:, None] * _in_state(ranked)
    chance = _by_chance(ranked)
    first = _first_allowed(ranked)
    value = np.zeros((options + 1, units + 1))
    taken = np.full((packets, options + 1, units + 1), NOT_SENT, dtype=np.int16)
    for i in reversed(range(packets)):
        rest, value = value, np.zeros_like(value)
        if not ranked.nested:
            value[options] = rest[0]  # this packet is not sent, and the others stay the same
        for k in reversed(range(options)):
            value[k], taken[i, k] = value[k + 1], taken[i, k + 1]
            cost = costs[i, k]
            if cost > units:
                continue
            after = rest[first[k], : units + 1 - cost]
            if ranked.nested:
                total = chance[i, k] * (worth[i, k] + after)
            else:
                total = chance[i, k] * worth[i, k] + after
            better = total > value[k, cost:]
            value[k, cost:][better] = total[better]
            taken[i, k, cost:][better] = k
    return _read_off(taken, costs, units, ranked.nested, first)


def _first_allowed(ranked: Choices) -> NDArray[np.int64]:
    """Return, for each option, the first one that a later packet may have, (options,)."""
    robust = np.minimum.accumulate(_in_state(ranked).mean(axis=0))
    if not ranked.nested:
        return np.zeros(len(robust), dtype=np.int64)
    return np.searchsorted(-robust, -robust * (1 + _ALIKE) - 1e-300)


def _read_off(
    taken: NDArray[np.int16],
    costs: NDArray[np.int64],
    units: int,
    nested: bool,
    first: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Trace the choices back, starting with the first packet."""
    chosen = np.full(len(taken), NOT_SENT, dtype=np.int64)
    k, b = 0, units
    for i in range(len(taken)):
        chosen[i] = taken[i, k, b]
        if chosen[i] != NOT_SENT:
            b -= int(costs[i, chosen[i]])
            k = int(first[chosen[i]])
        elif nested:
            break
    return chosen


def _polish(choices: Choices, chosen: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """Exchange one option at a time, the best exchange first, while that helps and fits."""
    chosen = chosen.copy()
    gain = choices.expected_gain(chosen)
    everyone = np.arange(len(chosen))
    while True:
        paid = np.where(chosen == NOT_SENT, 0, choices.costs[everyone, chosen])
        fits = choices.costs <= budget - paid.sum() + paid[:, None]
        gains = np.where(fits, _exchanged(choices, chosen), -np.inf)
        i, k = np.unravel_index(gains.argmax(), gains.shape)
        if not gains[i, k] > gain * (1 + 1e-9):  # so that it ends even for NaN
            return chosen
        chosen[i], gain = k, gains[i, k]


def _exchanged(choices: Choices, chosen: NDArray[np.int64]) -> Array:
    """Return the expected gain after giving packet i option k, (packets, options)."""
    now = choices.arrivals[np.arange(len(chosen)), chosen] * (chosen != NOT_SENT)[:, None]
    total = choices.expected_gain(chosen)
    if not choices.nested:
        others = total - choices.gains * (now @ choices.weights)
        exchanged: Array = others[:, None] + choices.gains[:, None] * (
            choices.arrivals @ choices.weights
        )
        return exchanged
    before = np.vstack([np.ones_like(now[:1]), np.cumprod(now, axis=0)[:-1]])
    earlier = np.cumsum(choices.gains * (np.cumprod(now, axis=0) @ choices.weights))
    behind = np.zeros_like(now)  # error removed by packet i and those after it, once i arrives
    for i in reversed(range(len(now))):
        behind[i] = choices.gains[i] + (now[i + 1] * behind[i + 1] if i + 1 < len(now) else 0)
    through = before * behind * choices.weights
    with_i: Array = np.einsum("ikq,iq->ik", choices.arrivals, through)
    with_i += np.concatenate([[0.0], earlier[:-1]])[:, None]
    return with_i
