import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import ChannelOutput
from channels.mcs import SCHEMES
from channels.phy import (
    decode_packet,
    encode_packet,
    max_packet_bytes,
    num_packet_symbols,
    packet_accounting,
)


def perfect(x):
    return ChannelOutput(x, torch.ones_like(x), torch.tensor(1e-3))


@settings(max_examples=60, deadline=None)
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
