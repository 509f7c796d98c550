"""The sets of schemes, and the code blocks of one length that the papers' set has."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels.catalogue import CHANNELS
from channels.fec.equal_blocks import equal_block_code
from channels.fec.ldpc import ldpc_code
from channels.packets.mcs import CRC_BITS, SCHEMES, find_scheme, header_scheme, thresholds
from channels.packets.packet import (
    decode_packet,
    encode_packet,
    max_packet_bytes,
    num_code_blocks,
    num_packet_symbols,
    packet_accounting,
    packet_code,
)
from channels.packets.packet_errors import block_snr_db
from channels.packets.scheme_sets import BLOCK_BITS, SCHEME_SETS, scheme_set
from channels.packets.selection import select_scheme

AWGN = CHANNELS.create("awgn")
PAPERS = scheme_set("papers")


def test_the_papers_schemes_are_those_of_the_issue_and_two_more():
    of_the_issue = {(2, 1 / 3), (2, 1 / 2), (2, 2 / 3), (4, 1 / 2), (4, 2 / 3), (6, 1 / 2)}
    have = {(scheme.bits_per_symbol, scheme.code_rate) for scheme in PAPERS}
    assert have == of_the_issue | {(6, 2 / 3), (6, 3 / 4)}
    assert {scheme.block_bits for scheme in PAPERS} == {BLOCK_BITS}
    assert [scheme.block_info_bits for scheme in PAPERS[:3]] == [2048, 3072, 4096]


@pytest.mark.parametrize("name", SCHEME_SETS)
def test_names_and_numbers_are_found_in_their_set(name):
    known = scheme_set(name)
    assert len({scheme.name for scheme in known}) == len(known) < 256
    for number, scheme in enumerate(known):
        assert find_scheme(scheme.name, known) == find_scheme(str(number), known) == scheme


def test_what_is_not_in_a_set_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="unknown set of schemes 'lte'; choices: nr, papers"):
        scheme_set("lte")
    with pytest.raises(ValueError, match=r"'16-QAM 0\.602' in this set; choices: 'QPSK 0"):
        find_scheme("16-QAM 0.602", PAPERS)
    with pytest.raises(ValueError, match="scheme must be below 8, got 8"):
        find_scheme("8", PAPERS)
    assert scheme_set("nr") == SCHEMES


@given(st.integers(1, 20_000), st.sampled_from(PAPERS))
def test_a_packet_takes_whole_blocks(num_bytes, scheme):
    blocks = num_code_blocks(num_bytes, scheme)
    k = scheme.block_info_bits
    assert (blocks - 1) * k < 8 * num_bytes + CRC_BITS <= blocks * k
    symbols = num_packet_symbols(num_bytes, scheme)
    assert symbols * scheme.bits_per_symbol == blocks * BLOCK_BITS
    most = max_packet_bytes(symbols, scheme)
    assert num_bytes <= most < num_bytes + k // 8 + 1
    assert num_packet_symbols(most, scheme) == symbols < num_packet_symbols(most + 1, scheme)
    assert max_packet_bytes(symbols - 1, scheme) < num_bytes
    assert sum(packet_accounting(num_bytes, scheme).values()) == symbols


@pytest.mark.parametrize("scheme", PAPERS, ids=lambda s: s.name)
@pytest.mark.parametrize("num_bytes", [1, 253, 254, 2000])
def test_packets_survive_and_damage_is_noticed(scheme, num_bytes):
    data = np.random.default_rng(num_bytes).bytes(num_bytes)
    x = encode_packet(data, scheme)
    assert x.shape == (num_packet_symbols(num_bytes, scheme),)
    rng = torch.Generator().manual_seed(0)
    needs = block_snr_db(AWGN, scheme, num_bytes, 1e-3) + 1
    assert decode_packet(AWGN(x, 10 ** (-needs / 10), rng), num_bytes, scheme) == data
    assert decode_packet(AWGN(x, 10 ** ((6 - needs) / 10), rng), num_bytes, scheme) is None


def test_blocks_are_those_of_the_ldpc_code_and_the_last_is_padded():
    """Against the code itself: a packet of two blocks, the second filled with zeros."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, 5000, dtype=np.uint8)
    code = equal_block_code(5000, 3072, 6144, 2)
    coded = code.encode(bits).reshape(2, 6144)
    alone = ldpc_code(3072, 6144, 2)
    first, ok = alone.decode(8.0 * coded.astype(np.float32) - 4)
    assert ok.all()
    assert (first[0] == bits[:3072]).all()
    assert (first[1][: 5000 - 3072] == bits[3072:]).all()
    assert not first[1][5024 - 3072 :].any()
    assert code.num_crc_bits + code.num_parity_bits + 5000 == code.num_coded_bits


def test_two_receptions_are_combined():
    """3 dB below what one reception needs, two of the same version suffice and one does not."""
    scheme, data = PAPERS[3], np.random.default_rng(1).bytes(900)
    rng = torch.Generator().manual_seed(0)
    snr_db = block_snr_db(AWGN, scheme, 900, 1e-3) - 1.5
    receptions = [AWGN(encode_packet(data, scheme), 10 ** (-snr_db / 10), rng) for _ in range(2)]
    assert decode_packet(receptions[0], 900, scheme) is None
    assert decode_packet(receptions, 900, scheme, rvs=(0, 0)) == data


def test_wrong_sizes_are_refused():
    code = packet_code(10, PAPERS[0])
    with pytest.raises(ValueError, match=r"bits must have shape \(..., 80\)"):
        code.encode(np.zeros(81, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"llr must have shape \(B, 6144\)"):
        code.decode_batch(np.zeros((1, 6143), dtype=np.float32))
    with pytest.raises(ValueError, match="num_bits must be at least 1, got 0"):
        equal_block_code(0, 2048, 6144, 2)


@pytest.mark.parametrize("snr_db", [-3.0, 1.0, 4.0, 10.0, 30.0])
def test_the_choice_by_the_target_stays_in_the_set(snr_db):
    chosen = select_scheme(AWGN, snr_db, 50_000, schemes=PAPERS)
    assert chosen in PAPERS
    below = [s for s in PAPERS if thresholds()[s, s.block_info_bits - CRC_BITS].at(1e-4) <= snr_db]
    assert chosen.efficiency == max((s.efficiency for s in below), default=PAPERS[0].efficiency)


def test_headers_have_no_blocks_of_one_length():
    assert header_scheme(96).block_bits == 0
