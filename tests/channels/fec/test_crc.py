import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.fec.crc import GENERATORS, crc_attach, crc_check, crc_length

NAMES = list(GENERATORS)


def long_division(bits: list[int], name: str) -> list[int]:
    """Divide bits·x^L by the generator as on paper."""
    degree = GENERATORS[name][0]
    divisor = [int(degree - i in GENERATORS[name]) for i in range(degree + 1)]
    rest = bits + [0] * degree
    for i in range(len(bits)):
        if rest[i]:
            rest[i : i + degree + 1] = [
                a ^ b for a, b in zip(rest[i : i + degree + 1], divisor, strict=True)
            ]
    return rest[-degree:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [1, 5, 24, 333])
def test_check_bits_are_the_remainder_of_a_long_division(name, length):
    rng = np.random.default_rng(length)
    for _ in range(5):
        bits = rng.integers(0, 2, length, dtype=np.uint8)
        assert crc_attach(bits, name)[length:].tolist() == long_division(bits.tolist(), name)


@pytest.mark.parametrize(
    ("name", "value"),
    # "123456789" in ASCII: the check values of CRC-24/LTE-A, CRC-24/LTE-B and CRC-16/XMODEM in
    # Greg Cook's catalogue of CRC algorithms.
    [("24A", 0xCDE703), ("24B", 0x23EF52), ("16", 0x31C3)],
)
def test_catalogued_check_values(name, value):
    bits = np.unpackbits(np.frombuffer(b"123456789", dtype=np.uint8))
    check = crc_attach(bits, name)[72:]
    assert int("".join(map(str, check)), 2) == value


@given(st.integers(1, 300), st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_is_linear_and_batched(length, name, seed):
    a, b = np.random.default_rng(seed).integers(0, 2, (2, length), dtype=np.uint8)
    together = crc_attach(np.stack([[a], [b], [a ^ b]]), name)
    assert together.shape == (3, 1, length + crc_length(name))
    assert (together[0] ^ together[1] == together[2]).all()
    assert (together[0, 0] == crc_attach(a, name)).all()
    assert crc_check(together, name).all()


@pytest.mark.parametrize("name", NAMES)
def test_finds_every_burst_up_to_its_own_length(name):
    rng = np.random.default_rng(0)
    degree = crc_length(name)
    word = crc_attach(rng.integers(0, 2, 200, dtype=np.uint8), name)
    spoilt = np.repeat(word[None], 500, axis=0)
    for row in spoilt:
        length = rng.integers(1, degree + 1)
        start = rng.integers(0, word.size - length + 1)
        burst = rng.integers(0, 2, length, dtype=np.uint8)
        burst[0] = burst[-1] = 1
        row[start : start + length] ^= burst
    assert not crc_check(spoilt, name).any()


def test_batches_that_need_several_steps_agree_with_single_rows():
    bits = np.random.default_rng(1).integers(0, 2, (300, 40_000), dtype=np.uint8)
    together = crc_attach(bits)
    assert (together[[0, 150, 299]] == np.stack([crc_attach(bits[i]) for i in (0, 150, 299)])).all()


@pytest.mark.parametrize(
    ("bits", "name", "message"),
    [
        (np.zeros(8, np.uint8), "32", "unknown CRC '32'; choices: 24A, 24B"),
        (np.zeros(8, np.int64), "16", "uint8"),
        (np.full(8, 2, np.uint8), "16", "0 or 1, got 2"),
        (np.zeros((3, 0), np.uint8), "16", "shape"),
    ],
)
def test_refuses_by_name(bits, name, message):
    with pytest.raises(ValueError, match=message):
        crc_attach(bits, name)


def test_refuses_words_without_a_message():
    with pytest.raises(ValueError, match="more than 24 bits, got 24"):
        crc_check(np.zeros(24, np.uint8))
