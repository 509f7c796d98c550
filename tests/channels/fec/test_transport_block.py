import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.fec.crc import crc_attach
from channels.fec.equal_blocks import equal_block_code
from channels.fec.ldpc import ldpc_code
from channels.fec.transport_block import TransportCode, transport_code


def packet(num_bits: int, seed: int = 0):
    return np.random.default_rng(seed).integers(0, 2, num_bits, dtype=np.uint8)


def clean(coded):
    """LLRs of a channel without noise."""
    return 20 * coded.astype(np.float32) - 10


@given(
    st.integers(1, 30_000),
    st.floats(0.05, 0.7),
    st.sampled_from([1, 2, 4, 6, 8, 10]),
    st.integers(0, 99),
)
@settings(max_examples=60)
def test_comes_back_without_noise(num_bits, rate, bits_per_symbol, seed):
    total = num_bits + 24 * (2 + num_bits // 3000)
    num_coded = bits_per_symbol * math.ceil(total / rate / bits_per_symbol)
    code = TransportCode(num_bits, num_coded, bits_per_symbol)
    bits = packet(num_bits, seed)
    coded = code.encode(bits)
    assert coded.shape == (num_coded,)
    received = code.decode(clean(coded), 50)
    assert received is not None
    assert (received == bits).all()
    assert num_bits + code.num_crc_bits + code.num_parity_bits == num_coded


@pytest.mark.parametrize(
    ("num_bits", "num_coded", "base_graph", "num_blocks"),
    [
        (292, 340, 2, 1),
        (293, 400, 1, 1),
        (3824, 5600, 1, 1),  # rate 0.68
        (3816, 6000, 2, 1),  # rate 0.64, 3840 bits with the CRC
        (3824, 6000, 2, 2),  # 3848 bits with the CRC
        (3825, 8000, 1, 1),
        (8424, 12_000, 1, 1),  # 8448 with its CRC
        (8425, 12_000, 1, 2),
        (16_824, 24_000, 1, 2),  # 16 848 = 2 · 8424
        (16_825, 24_000, 1, 3),
        (9000, 36_000, 2, 3),  # rate 1/4
    ],
)
def test_segments_as_the_standard_does(num_bits, num_coded, base_graph, num_blocks):
    code = transport_code(num_bits, num_coded, 1)
    assert (code.base_graph, code.num_blocks) == (base_graph, num_blocks)
    assert code.num_crc_bits == (24 if num_blocks == 1 else 24 * (1 + num_blocks))


def test_blocks_share_the_symbols_within_one():
    # §5.4.2.1: E_r is Qm·floor or Qm·ceil of the symbols per block, the smaller first.
    code = transport_code(30_000, 6 * 10_001, 6)
    sizes = [code.block_sizes[i][1] for i in range(code.num_blocks)]
    assert sizes == [15_000, 15_000, 15_000, 15_006]
    assert sum(k for k, _ in code.block_sizes) == 30_000 + code.num_crc_bits


def test_nothing_received_is_lost():
    for num_bits in (100, 20_000):
        code = transport_code(num_bits, 4 * num_bits, 2)
        assert code.decode(np.zeros(4 * num_bits, np.float32)) is None


def test_one_lost_block_loses_the_packet():
    code = transport_code(20_000, 40_000, 2)
    coded = clean(code.encode(packet(20_000)))
    start = code.block_sizes[0][1]
    coded[start : start + code.block_sizes[1][1]] = 0
    assert code.decode(coded) is None


def test_what_is_accepted_is_what_was_sent():
    """Around the waterfall; without CRC, about one block in 20,000 would be wrong."""
    code = transport_code(100, 200, 2)
    rng = np.random.default_rng(1)
    accepted = 0
    for seed in range(1500):
        bits = packet(100, seed)
        x = 2.0 * code.encode(bits) - 1
        y = x + 0.75 * rng.standard_normal(x.shape)
        received = code.decode((2 * y / 0.75**2).astype(np.float32))
        if received is not None:
            accepted += 1
            assert (received == bits).all()
    assert 200 < accepted < 1400  # otherwise the test says nothing


def test_noise_alone_is_never_a_packet():
    code = transport_code(16, 64, 2)
    rng = np.random.default_rng(2)
    assert all(code.decode(rng.standard_normal(64).astype(np.float32)) is None for _ in range(2000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 100, 2), "num_bits must be at least 1, got 0"),
        ((10, 101, 2), "multiple of bits_per_symbol, got 101 and 2"),
        ((1000, 1030, 2), "1000 bits and 24 CRC bits are too many for 1030 coded bits"),
        ((20_000, 20_100, 1), "20000 bits and 96 CRC bits are too many for 20100 coded bits"),
    ],
)
def test_refuses_sizes_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        TransportCode(*arguments)


@pytest.mark.parametrize("num_bits", [1000, 8424, 11_179, 16_800, 40_001])
@pytest.mark.parametrize("bits_per_symbol", [1, 2, 4, 6, 8])
def test_the_number_of_coded_bits_that_is_suggested_works(num_bits, bits_per_symbol):
    for short in range(1, 9):
        asked = (num_bits // bits_per_symbol + short) * bits_per_symbol
        with pytest.raises(ValueError, match="coded bits are enough") as refused:
            TransportCode(num_bits, asked, bits_per_symbol)
        enough = int(re.search(r"(\d+) coded bits are enough", str(refused.value))[1])
        assert TransportCode(num_bits, enough, bits_per_symbol).num_coded_bits == enough


@pytest.mark.parametrize("decoder", ["listed", "int8", "float32", "boxplus", "cascade"])
def test_of_nothing_no_packet_is_made(decoder):
    """A word of zeros is a codeword, and its CRC holds."""
    for code in (transport_code(1000, 3000, 2), equal_block_code(1000, 3072, 6144, 2)):
        silence = np.zeros(code.num_coded_bits, np.float32)
        assert code.decode(silence, decoder=decoder) is None
        silence[:500] = -8.0  # fewer bits than the packet has
        assert code.decode(silence, decoder=decoder) is None
    _, ok = ldpc_code(100, 200).decode(np.zeros((2, 200), np.float32), 50, decoder="listed")
    assert not ok.any()


def test_no_packets_are_no_packets():
    code = equal_block_code(1000, 3072, 6144, 2)
    assert code.encode(np.zeros((0, 1000), np.uint8)).shape == (0, 6144)
    packets, ok = code.decode_batch(np.zeros((0, 6144), np.float32))
    assert packets.shape == (0, 1000)
    assert ok.shape == (0,)


def test_refuses_input_by_name():
    code = transport_code(100, 300, 2)
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 100\), got \(99,\)"):
        code.encode(np.zeros(99, np.uint8))
    with pytest.raises(ValueError, match=r"shape \(300,\), got \(1, 300\)"):
        code.decode(np.zeros((1, 300), np.float32))


@pytest.mark.parametrize("num_bits", [100, 20_000, 20_003])  # 1 block, 3 equal ones, 3 of two sizes
@pytest.mark.parametrize("rvs", [(0, 0), (0, 2), (0, 2, 3, 1), (3, 0)])
def test_receptions_of_several_versions_come_back(num_bits, rvs):
    code = transport_code(num_bits, 2 * num_bits, 2)
    bits = packet(num_bits)
    llr = np.concatenate([clean(code.encode(bits, rv=rv)) for rv in rvs])
    received = code.decode(llr, rvs=rvs)
    assert received is not None
    assert (received == bits).all()


def test_versions_are_those_of_the_block():
    code = transport_code(100, 300, 2)
    block = crc_attach(packet(100), "24A")[None]
    for rv in range(4):
        expected = ldpc_code(124, 300, 2, base_graph=code.base_graph).encode(block, rv=rv)[0]
        assert (code.encode(packet(100), rv=rv) == expected).all()


@pytest.mark.parametrize("num_bits", [20_000, 20_003])
def test_blocks_lost_in_different_receptions_are_found_together(num_bits):
    """Each reception alone lacks a block; side by side they lack none."""
    code = transport_code(num_bits, 2 * num_bits, 2)
    bits = packet(num_bits)
    ends = np.cumsum([0, *(n for _, n in code.block_sizes)])
    receptions = [clean(code.encode(bits)), clean(code.encode(bits, rv=3))]
    for lost, llr in enumerate(receptions):
        llr[ends[lost] : ends[lost + 1]] = 0
        assert code.decode(llr, rvs=((0, 3)[lost],)) is None
    received = code.decode(np.concatenate(receptions), rvs=(0, 3))
    assert received is not None
    assert (received == bits).all()
    assert code.decode(np.concatenate(receptions[::-1]), rvs=(0, 3)) is None


def test_chase_combining_adds_up():
    """Two receptions of version 0 are one whose LLRs are the sums; exact in binary fractions."""
    code = transport_code(200, 400, 2)
    rng = np.random.default_rng(3)
    accepted = 0
    for seed in range(100):
        x = 2.0 * code.encode(packet(200, seed)) - 1
        y = x + 1.1 * rng.standard_normal((2, 400))
        llr = (np.round(2 * y / 1.1**2 * 64) / 64).astype(np.float32)
        both = code.decode(llr.ravel(), rvs=(0, 0))
        summed = code.decode(llr.sum(axis=0))
        assert (both is None) == (summed is None)
        assert both is None or (both == summed).all()
        accepted += both is not None
    assert 20 < accepted < 100  # otherwise the test says nothing


@pytest.mark.parametrize("num_bits", [100, 17_002])
def test_a_batch_is_its_packets(num_bits):
    code = transport_code(num_bits, 3 * num_bits, 2)
    bits = np.stack([packet(num_bits, seed) for seed in range(6)])
    coded = code.encode(bits)
    assert (coded == np.stack([code.encode(one) for one in bits])).all()
    rng = np.random.default_rng(4)
    noise = np.array([[1.6], [3.2], [1.6], [1.8], [2.0], [2.2]]) * rng.standard_normal(coded.shape)
    llr = (4 * (coded - 0.5) + noise).astype(np.float32)
    llr[2] = 0
    packets, ok = code.decode_batch(llr)
    for one, decoded, fine in zip(llr, packets, ok, strict=True):
        alone = code.decode(one)
        assert fine == (alone is not None)
        assert not fine or (decoded == alone).all()
    assert ok[0]
    assert not ok[1:3].any()


def test_refuses_receptions_by_name():
    code = transport_code(100, 300, 2)
    with pytest.raises(ValueError, match=r"shape \(600,\), got \(300,\)"):
        code.decode(np.zeros(300, np.float32), rvs=(0, 2))
    with pytest.raises(ValueError, match=r"shape \(B, 600\), got \(2, 300\)"):
        code.decode_batch(np.zeros((2, 300), np.float32), rvs=(0, 2))
    with pytest.raises(ValueError, match="at least one redundancy version"):
        code.decode_batch(np.zeros((2, 0), np.float32), rvs=())
    with pytest.raises(ValueError, match="must be 0, 1, 2 or 3, got 4"):
        code.encode(packet(100), rv=4)


def long_packet(num_stuck: int):
    """A packet of 17 blocks, LLRs of which some are of a block that the default decoder misses.

    ``data/stuck_long.npz`` has the LLRs of that block, 256-QAM 0.726 at 19.75 dB, rounded to half
    precision, and the bits that were sent, with their CRC.
    """
    stuck = np.load(Path(__file__).parent / "data" / "stuck_long.npz")
    info, llr = np.unpackbits(stuck["sent"])[:-24], stuck["llr"].astype(np.float32)
    bits = packet(17 * len(info) - 24)
    for i in range(num_stuck):
        bits[i * len(info) : (i + 1) * len(info)] = info
    code = transport_code(len(bits), 17 * len(llr), 8)
    assert set(code.block_sizes) == {(len(info) + 24, len(llr))}
    received = clean(code.encode(bits))
    received[: num_stuck * len(llr)] = np.tile(llr, num_stuck)
    return code, bits, received


@pytest.mark.parametrize(("num_stuck", "repaired"), [(1, True), (2, True), (3, False)])
def test_a_wrong_block_of_a_long_packet_is_repaired(num_stuck, repaired):
    code, bits, received = long_packet(num_stuck)
    found = code.decode(received)
    assert (found is not None) == repaired
    assert found is None or (found == bits).all()
    assert code.decode(received, decoder="boxplus") is None


def test_a_short_packet_is_not_repaired():
    """One block in a hundred thousand is far below what is accepted of a short packet."""
    stuck = np.load(Path(__file__).parent / "data" / "stuck_long.npz")
    llr = stuck["llr"].astype(np.float32)
    code = transport_code(8 * len(stuck["sent"]) - 24, len(llr), 8)
    assert code.num_blocks == 1
    assert code.decode(llr) is None


@pytest.mark.parametrize("decoder", ["cascade", "listed"])
def test_a_packet_of_which_nothing_came_is_not_decided(decoder):
    """A word of zeros fits whatever was not received, and its CRC holds."""
    code = transport_code(400, 800, 2)
    _, ok = code.decode_batch(np.zeros((2, 800), np.float32), decoder=decoder)
    assert not ok.any()
