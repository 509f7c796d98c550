"""How often packets are lost, against what is said of them."""

import math

import numpy as np
import pytest
import torch

from channels.catalogue import CHANNELS
from channels.modulation import demodulate, modulate
from channels.packets.block_chain import random_bits
from channels.packets.mcs import SCHEMES, find_scheme
from channels.packets.packet import num_code_blocks, packet_code
from channels.packets.packet_errors import block_snr_db, packet_error_rates

AWGN = CHANNELS.create("awgn")


def loss_rate(scheme, size, snr_db, trials):
    """Send random packets over AWGN, and return the share that is lost; none may be wrong."""
    rng, code = torch.Generator().manual_seed(size), packet_code(size, scheme)
    bits = random_bits((trials, 8 * size), rng)
    x = modulate(torch.from_numpy(code.encode(bits)), scheme.bits_per_symbol)
    llr = demodulate(*AWGN(x, 10 ** (-snr_db / 10), rng), scheme.bits_per_symbol).numpy()
    decided, ok = code.decode_batch(llr)
    assert (decided[ok] == bits[ok]).all()
    return (~ok).mean()


@pytest.mark.parametrize("size", [1, 2, 5, 12, 22, 38, 100])
@pytest.mark.parametrize("place", [10, 40, 75])
def test_short_packets_hold_at_their_threshold(size, place):
    """At the SNR that is said to lose one in a hundred, within 4 sigma."""
    scheme = SCHEMES[place]
    snr_db = block_snr_db(AWGN, scheme, size, 1e-2)
    trials = 3000
    losses = loss_rate(scheme, size, snr_db, trials)
    assert losses <= 1e-2 + 4 * math.sqrt(1e-2 / trials)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("QPSK 0.301", 479),
        ("QPSK 0.301", 520),
        ("16-QAM 0.424", 479),
        ("16-QAM 0.424", 700),
        ("64-QAM 0.472", 479),
        ("16-QAM 0.424", 1200),  # in two blocks
    ],
)
def test_the_shortest_blocks_of_base_graph_1_hold_at_their_threshold(name, size):
    """Where it takes over from base graph 2, within 4 sigma and a tenth."""
    scheme = find_scheme(name)
    snr_db = block_snr_db(AWGN, scheme, size, 1e-2)
    trials = 1000
    losses = loss_rate(scheme, size, snr_db, trials)
    expected = packet_error_rates(AWGN, np.array([snr_db]), scheme, size)[0]
    assert losses < 1.1 * expected + 4 * math.sqrt(expected / trials)


@pytest.mark.parametrize(("name", "size"), [("16-QAM 0.729", 2103), ("64-QAM 0.702", 2103)])
def test_blocks_with_a_crc_of_their_own_are_lost_as_often_as_is_said(name, size):
    """A packet of two blocks, within 4 sigma and a fifth; without their CRCs it would be half."""
    scheme = find_scheme(name)
    assert num_code_blocks(size, scheme) == 2
    snr_db = block_snr_db(AWGN, scheme, size, 0.03)
    trials = 1000
    losses = loss_rate(scheme, size, snr_db, trials)
    expected = packet_error_rates(AWGN, np.array([snr_db]), scheme, size)[0]
    assert expected == pytest.approx(1 - 0.97**2)
    sigma = math.sqrt(expected / trials)
    assert 0.8 * expected - 4 * sigma < losses < 1.2 * expected + 4 * sigma
