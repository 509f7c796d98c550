"""The range coder: symbols survive, in as many bits as information theory says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.codecs.parts.range_coder import (
    COUNT,
    DECODE,
    ENCODE,
    TOTAL_BITS,
    code,
    finish,
    is_read,
    start,
)


def shares_of(rng, symbols):
    """Return random cumulative shares, some of them as small as can be."""
    spare = (1 << TOTAL_BITS) - symbols
    wanted = np.cumsum(rng.dirichlet(np.full(symbols, 0.2)))
    edges = np.rint(spare * wanted).astype(np.int64) + np.arange(1, symbols + 1)
    edges[-1] = 1 << TOTAL_BITS
    return np.concatenate([[0], edges]).astype(np.int64)


def encoded(symbols, merged, shares):
    state = start(ENCODE, room=2 * len(symbols) + 16)
    sent = [code(ENCODE, state, shares, m, s) for m, s in zip(merged, symbols, strict=True)]
    return sent, finish(state)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(0, 300))
def test_symbols_survive_in_the_bits_that_they_are_worth(seed, symbols, count):
    rng = np.random.default_rng(seed)
    shares = shares_of(rng, symbols)
    drawn = rng.choice(symbols, count, p=np.diff(shares) / (1 << TOTAL_BITS))
    merged = rng.integers(-3, symbols, count)
    sent, data = encoded(drawn, merged, shares)
    assert sent == np.maximum(drawn, np.maximum(merged, 0)).tolist()
    state = start(DECODE, data)
    assert [code(DECODE, state, shares, m, 0) for m in merged] == sent
    assert is_read(state)
    counted = start(COUNT)
    for m, s in zip(merged, drawn, strict=True):
        code(COUNT, counted, shares, m, s)
    low = np.where(np.array(sent) == np.maximum(merged, 0), 0, shares[sent])
    share = (shares[np.array(sent, int) + 1] - low) / (1 << TOTAL_BITS)
    certain = np.maximum(merged, 0) >= symbols - 1
    bits = -np.log2(np.where(certain, 1, share)).sum()
    assert counted[1][0] == pytest.approx(bits)
    assert 8 * len(data) <= bits + 16


def test_a_carry_runs_through_many_bytes():
    """Symbols at the upper end of the range make long runs of 0xFF, which a carry then clears."""
    shares = np.array([0, 1, (1 << TOTAL_BITS) - 1, 1 << TOTAL_BITS])
    for tail in ([2], [1, 2], [0], [1]):
        symbols = [1] + [2] * 40 + tail + [1] * 5
        sent, data = encoded(symbols, [-1] * len(symbols), shares)
        state = start(DECODE, data)
        assert [code(DECODE, state, shares, -1, 0) for _ in symbols] == sent == symbols


def test_bytes_that_are_left_over_are_noticed():
    shares = np.array([0, 1 << (TOTAL_BITS - 1), 1 << TOTAL_BITS])
    _, data = encoded([1, 0, 1], [-1] * 3, shares)
    state = start(DECODE, data + bytes(range(1, 9)))
    for _ in range(3):
        code(DECODE, state, shares, -1, 0)
    assert not is_read(state)
