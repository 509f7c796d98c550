"""Coefficients survive, in about as many bits as their shares say, in whole numbers throughout."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.codecs.base import DecodeError
from semcom.codecs.parts.range_coder import COUNT, DECODE, ENCODE, finish, is_read, start
from semcom.codecs.tiny import coding, quantised
from semcom.codecs.tiny.coding import decode, encode
from semcom.codecs.tiny.context_kernels import CLASSES, FEATURES, PHASES, UNIT, choose, places
from semcom.codecs.tiny.number_kernels import DEAD, LENGTHS, REACH, code_details, code_number
from semcom.codecs.tiny.quantised import BLOCK, MAX_LEVEL, offsets_of, steps_of
from semcom.codecs.tiny.transform import Source
from semcom.codecs.tiny.wavelet import LEVELS, ORIENTATIONS, PLANES
from semcom.codecs.tiny.weights import load


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.details, other.details, strict=True)) and (
        np.array_equal(one.coarsest, other.coarsest) and np.array_equal(one.offsets, other.offsets)
    )


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, MAX_LEVEL),
    st.sampled_from([0.0, 1.0, 30.0, 3000.0]),
    st.booleans(),
)
def test_any_coefficients_survive(seed, blocks, level, spread, even):
    rng, tables = np.random.default_rng(seed), load().tables
    image = np.clip(rng.normal(128, spread, (BLOCK * blocks[0], BLOCK * blocks[1], 3)), 0, 255)
    w = np.ones(image.shape[:2], np.float32) if even else rng.gamma(0.2, 5, image.shape[:2])
    source = Source.of(image.astype(np.uint8), w.astype(np.float32))
    data, sent = encode(source.wavelet, level, source.offsets, tables)
    got = decode(data, blocks, level, tables, even=not source.offsets.any())
    assert same(sent, got)


def test_values_beyond_all_tables_survive():
    shares = load().tables.detail_shares[-1, 0, 1]
    values = np.array([[0, 1, -1, REACH, -REACH - 1, REACH + 2, 99, -4096, 1 << 20]], np.int32)
    classes = np.full(values.shape, CLASSES - 1, np.uint8)
    state = start(ENCODE, room=200)
    code_details(ENCODE, state, classes, shares, values)
    state, got = start(DECODE, finish(state)), np.zeros_like(values)
    code_details(DECODE, state, classes, shares, got)
    assert np.array_equal(got, values)
    assert is_read(state)


@given(st.integers(-(1 << 22) + 1, (1 << 22) - 1))
@settings(max_examples=50)
def test_other_numbers_survive(value):
    shares = np.linspace(0, 1 << 15, LENGTHS + 1).astype(np.int64)
    tally = coding.new_tally()
    state = start(ENCODE, room=50)
    assert code_number(ENCODE, state, shares, value, tally) == value
    assert code_number(DECODE, start(DECODE, finish(state)), shares, 0, tally) == value
    assert tally[abs(value).bit_length()] == 2


def test_details_take_the_bits_of_their_shares():
    rng, shares = np.random.default_rng(0), load().tables.detail_shares[-1, 0, 1]
    classes = rng.integers(8, 20, (40, 500)).astype(np.uint8)
    p = np.diff(shares, axis=1) / (1 << 15)
    values = np.array([[rng.choice(REACH + 2, p=p[c]) for c in row] for row in classes])
    values = (np.minimum(values, REACH) * rng.choice([-1, 1], values.shape)).astype(np.int32)
    state = start(ENCODE, room=100_000)
    code_details(ENCODE, state, classes, shares, values)
    bits = -np.log2(p[classes, np.abs(values)]).sum() + np.count_nonzero(values)
    assert 8 * len(finish(state)) == pytest.approx(bits, rel=2e-3)
    counted = start(COUNT)
    code_details(COUNT, counted, classes, shares, values)
    assert counted[1][0] == pytest.approx(bits)


@pytest.mark.skipif(find_spec("compressai") is None, reason="needs the extra learned")
def test_the_range_coder_needs_as_many_bytes_as_that_of_compressai():
    from semcom.checkpoints.compressai import import_zoo

    import_zoo()
    from compressai.ans import RansEncoder

    rng, shares = np.random.default_rng(5), load().tables.detail_shares[-1, 0, 1]
    classes = rng.integers(6, 20, (60, 500)).astype(np.uint8)
    p = np.diff(shares, axis=1) / (1 << 15)
    sizes = np.array(
        [[rng.choice(REACH + 1, p=p[c][:-1] / p[c][:-1].sum()) for c in r] for r in classes]
    )
    state = start(ENCODE, room=100_000)
    code_details(ENCODE, state, classes, shares, sizes.astype(np.int32))
    signs = np.count_nonzero(sizes) / 8  # they are coded here, and not there
    cdfs = (2 * shares).tolist()  # of 2^16
    theirs = RansEncoder().encode_with_indexes(
        sizes.ravel().tolist(),
        classes.ravel().tolist(),
        cdfs,
        [len(c) for c in cdfs],
        [0] * len(cdfs),
    )
    assert len(finish(state)) - signs == pytest.approx(len(theirs), rel=5e-3)


def test_a_class_of_zeros_only_costs_nothing():
    shares = load().tables.detail_shares[-1, 0, 1].copy()
    shares[0, 1:] = (1 << 15) - np.arange(shares.shape[1] - 2, -1, -1)
    assert shares[0, 1] >= DEAD
    values = np.ones((4, 4), np.int32)
    state = start(ENCODE, room=100)
    code_details(ENCODE, state, np.zeros((4, 4), np.uint8), shares, values)
    assert finish(state) == b""
    assert not values.any()


def expected_sizes(phase, band, known, parents, before, weights, unit):
    """Say the same as the kernel, place by place, from the description of the features."""
    found = {}
    height, width = band.shape
    rows, columns = (range(height)[places(phase)[0]], range(width)[places(phase)[1]])

    def at(values, y, x):
        return int(values[y, x]) if 0 <= y < values.shape[0] and 0 <= x < values.shape[1] else 0

    for y in rows:
        for x in columns:
            beside = [(y, x - 1), (y, x + 1)]
            above = [(y - 1, x), (y + 1, x)]
            diagonal = [(y + i, x + j) for i in (-1, 1) for j in (-1, 1)]
            sums = [sum(at(known, *p) for p in group) for group in (beside, above, diagonal)]
            row, column = y // 2, x // 2
            sums.append(at(parents, row, column))
            sums.append(
                at(parents, row + (1 if y % 2 else -1), column)
                + at(parents, row, column + (1 if x % 2 else -1))
            )
            for total in before:
                sums += [at(total, y, x), sum(at(total, *p) for p in beside + above)]
            total = sum(int(w) * s for w, s in zip(weights, sums, strict=True))
            found[y, x] = total // int(unit[y, x]) >> 3
    return found


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 6)])
def test_contexts_are_sums_of_what_is_known(size):
    rng = np.random.default_rng(4)
    shape = PLANES, ORIENTATIONS, *size
    whole = rng.integers(-3, 4, shape).astype(np.int32)
    units = rng.choice([8, 16, 38], size).astype(np.int32)
    sizes = np.abs(whole) * units
    parents = rng.integers(0, 99, (PLANES, ORIENTATIONS, *(-(-n // 2) for n in size)))
    weights = rng.integers(0, 400, (LEVELS, *shape[:2], PHASES, FEATURES)).astype(np.int32)
    tables, level, seen = load().tables._replace(weights=weights), 2, 0

    def take(phase, _):
        nonlocal seen
        _, plane, orientation, number = phase.place
        band = whole[plane, orientation]
        known = np.zeros_like(band)
        for earlier in range(number):
            known[places(earlier)] = sizes[plane, orientation][places(earlier)]
        before = [sizes[plane, :orientation].sum(axis=0), sizes[:plane, orientation].sum(axis=0)]
        about = parents[plane, orientation], before, weights[phase.place], units
        expected = expected_sizes(number, band, known, *about)
        classes = phase.classes(tables)
        for (y, x), value in expected.items():
            doubled = value.bit_length() - 1
            upper = 2 * value >= 3 << max(doubled, 0)
            right = value if value < 2 else min(2 * doubled + upper, CLASSES - 1)
            assert classes[y // 2, x // 2] == right
            seen += 1
        return np.ascontiguousarray(band[places(number)])

    coding._code_level(level, units, parents.astype(np.int32), take, None, np.zeros_like(whole))
    assert seen == whole.size


def test_the_choice_is_the_cheapest_of_all():
    rng = np.random.default_rng(2)
    costs = load().tables.costs()[-1, 0, 1]
    values = rng.laplace(0, 1.5, (50, 60)).astype(np.float32)
    classes = rng.integers(0, CLASSES, values.shape).astype(np.uint8)
    found = np.empty(values.shape, np.int32)
    choose(values, classes, costs, 0.1155, found)
    sizes = np.arange(20)
    bits = costs[classes][..., np.minimum(sizes, REACH + 1)]
    total = (np.abs(values)[..., None] - sizes) ** 2 + 0.1155 * bits
    least = np.take_along_axis(total, np.abs(found)[..., None], -1)[..., 0]
    # Only 0 and the two nearest sizes are tried; another one is hardly ever cheaper.
    assert np.mean(least <= total.min(axis=-1) + 1e-6) > 0.99
    assert (np.sign(found) * np.sign(values) >= 0).all()


def test_steps_follow_the_weight():
    w = np.ones((64, 64), np.float32)
    w[:, 32:] = 4
    offsets = offsets_of(w / w.mean())
    steps = steps_of(320, offsets)
    assert steps[0, 0] / steps[0, 1] == pytest.approx(2, rel=1e-3)
    assert steps_of(320, np.zeros((1, 1), int))[0, 0] / 16 == pytest.approx(4 * 2**5)
    assert offsets_of(np.zeros((32, 32), np.float32)).max() == 16


def test_steps_are_exact_powers():
    exponents = np.arange(1300)
    assert np.array_equal(quantised._POWERS, np.rint(2 ** (exponents / 64)).astype(int))
    assert quantised._POWERS[64 * 4] == UNIT


def test_bytes_that_do_not_belong_are_refused():
    source = Source.of(np.full((32, 32, 3), 90, np.uint8), np.ones((32, 32), np.float32))
    data, _ = encode(source.wavelet, 300, source.offsets, load().tables)
    with pytest.raises(DecodeError, match="bytes that do not belong"):
        decode(data + bytes(range(200)), (1, 1), 300, load().tables, even=True)
