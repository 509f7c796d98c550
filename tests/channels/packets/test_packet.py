import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import ChannelOutput
from channels.models.awgn import Awgn
from channels.packets.mcs import SCHEMES, Scheme
from channels.packets.packet import (
    decode_packet,
    encode_packet,
    max_packet_bytes,
    num_packet_symbols,
    packet_accounting,
)


def perfect(x):
    return ChannelOutput(x, torch.ones_like(x), torch.tensor(1e-3))


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=3000), st.sampled_from(SCHEMES))
def test_bytes_survive_a_clean_channel(data, scheme):
    x = encode_packet(data, scheme)
    assert x.shape == (num_packet_symbols(len(data), scheme),)
    assert decode_packet(perfect(x), len(data), scheme) == data


@given(st.integers(0, 200_000), st.sampled_from(SCHEMES))
def test_most_bytes_that_fit(num_symbols, scheme):
    size = max_packet_bytes(num_symbols, scheme)
    if size >= 0:
        assert num_packet_symbols(size, scheme) <= num_symbols
    assert num_packet_symbols(max(size, -1) + 1, scheme) > num_symbols


@pytest.mark.parametrize("scheme", SCHEMES[::5], ids=lambda s: s.name)
@pytest.mark.parametrize("size", [1, 100, 3000, 20_000])
def test_accounting_adds_up_exactly(scheme, size):
    items = packet_accounting(size, scheme)
    assert sum(items.values()) == num_packet_symbols(size, scheme)
    assert items["payload"] * scheme.bits_per_symbol == 8 * size
    assert items["crc"] * scheme.bits_per_symbol in {24 * n for n in range(1, 60)}
    assert items["parity"] > 0


@pytest.mark.parametrize("byte", [0x00, 0xFF, 0xAA])
def test_dull_bytes_have_unit_power(byte):
    """Scrambling: without it, 256-QAM of equal bits would be far from unit power."""
    x = encode_packet(bytes([byte]) * 4000, SCHEMES[-1])
    power = x.abs().square()
    sigma = power.std() / np.sqrt(len(x))
    assert abs(power.mean() - 1) < 4 * sigma


def test_noise_alone_is_lost_not_accepted():
    rng = torch.Generator().manual_seed(0)
    for trial in range(200):
        y = torch.view_as_complex(torch.randn(400, 2, generator=rng))
        received = ChannelOutput(y, torch.ones_like(y), torch.tensor(1.0))
        size = max_packet_bytes(400, SCHEMES[10])
        part = ChannelOutput(
            *(v[: num_packet_symbols(size, SCHEMES[10])] for v in received[:2]), received.noise_var
        )
        assert decode_packet(part, size, SCHEMES[10]) is None, trial


def test_receptions_are_combined():
    """At 0 dB, 1.2 bits per use fail alone; half of it over two receptions arrives."""
    scheme, rng = Scheme(2, 0.6), torch.Generator().manual_seed(1)
    data = bytes(range(200))
    receptions = [Awgn()(encode_packet(data, scheme, rv=rv), 1.0, rng) for rv in (0, 2, 0)]
    assert decode_packet(receptions[:1], len(data), scheme) is None
    assert decode_packet(receptions[0], len(data), scheme) is None
    assert decode_packet(receptions[:2], len(data), scheme, rvs=(0, 2)) == data
    # The receiver takes them for what they are said to be.
    assert decode_packet(receptions[:2], len(data), scheme, rvs=(2, 0)) is None
    assert decode_packet(receptions[::2], len(data), scheme, rvs=(0, 2)) is None
    with pytest.raises(ValueError, match=r"rvs must name 2 redundancy versions, got \(0,\)"):
        decode_packet(receptions[:2], len(data), scheme)


@pytest.mark.parametrize("byte", [0x00, 0xFF, 0xAA])
@pytest.mark.parametrize("rv", [1, 2, 3])
def test_every_version_has_unit_power(byte, rv):
    x = encode_packet(bytes([byte]) * 2000, SCHEMES[-1], rv=rv)
    power = x.abs().square()
    assert x.shape == (num_packet_symbols(2000, SCHEMES[-1]),)
    assert abs(power.mean() - 1) < 4 * power.std() / np.sqrt(len(x))
