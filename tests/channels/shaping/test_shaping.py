"""Shaped blocks and packets: LLRs against their definition, power, and the way there and back."""

import itertools
import json
import math
from importlib.resources import files

import numpy as np
import pytest
import torch

from channels.base import ChannelOutput
from channels.errors import InputError
from channels.kernels.shaped import demap_shaped
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock, RayleighFast
from channels.modulation import demodulate, modulate
from channels.packets.mcs import SCHEMES, Scheme, find_scheme
from channels.packets.packet import (
    decode_packet,
    encode_bits,
    encode_packet,
    max_packet_bytes,
    num_code_blocks,
    num_packet_symbols,
    packet_accounting,
    packet_code,
)
from channels.packets.packet_errors import packet_error_rates
from channels.packets.scheme_sets import scheme_set
from channels.packets.selection import select_scheme
from channels.shaping.block import shaped_block
from channels.shaping.packet import block_symbols, least_symbols
from channels.shaping.schemes import (
    MAX_SYMBOLS,
    MEASURED,
    capacity_db,
    shaped_efficiencies,
    shaped_snr_db,
)
from channels.units import awgn_capacity
from experiments.benchmarks.mcs_thresholds import crossings
from experiments.benchmarks.shaped.thresholds import jobs, send_blocks

SHAPED = [scheme for scheme in scheme_set("shaped") if scheme.shaped]


def test_llrs_are_quotients_of_sums_over_all_levels() -> None:
    rng = np.random.default_rng(0)
    amplitudes = np.array([0.2, 0.7, 1.1, 1.6], dtype=np.float32)
    priors = np.array([0.5, 0.3, 0.15, 0.05])
    labels = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=np.uint8)
    u, g = rng.normal(0, 4, 50).astype(np.float32), rng.uniform(0, 6, 50).astype(np.float32)
    found = demap_shaped(u, g, amplitudes, np.log(priors).astype(np.float32), labels)
    for i in range(50):
        sums = np.zeros((3, 2))
        for (a, label), sign in itertools.product(enumerate(labels), (0, 1)):
            level = amplitudes[a] * (-1 if sign else 1)
            likelihood = priors[a] * math.exp(u[i] * level - g[i] * level**2)
            for bit, value in enumerate((sign, *label)):
                sums[bit, value] += likelihood
        assert found[i] == pytest.approx(np.log(sums[:, 1] / sums[:, 0]), abs=2e-4)


def test_equal_priors_give_the_exact_llrs_of_plain_qam() -> None:
    rng = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (600,), generator=rng, dtype=torch.uint8)
    y, h, noise_var = Awgn()(modulate(bits, 6), 0.2, rng)
    expected = demodulate(y, h, noise_var, 6, "exact").view(-1, 3, 2)
    odd = np.arange(1, 9, 2.0)
    amplitudes = (odd / math.sqrt(2 * (odd**2).mean())).astype(np.float32)
    axes = torch.view_as_real(y).flatten().numpy() * 10
    # TS 38.211 labels the amplitudes 1, 3, 5, 7 of 64-QAM as 01, 00, 10 and 11.
    labels = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], dtype=np.uint8)
    gain = np.full(axes.shape, 5, dtype=np.float32)
    found = demap_shaped(axes, gain, amplitudes, np.zeros(4, dtype=np.float32), labels)
    assert found.reshape(-1, 2, 3) == pytest.approx(expected.swapaxes(1, 2).numpy(), abs=1e-3)


@pytest.mark.parametrize(("bits", "efficiency"), [(4, 1.4), (4, 2.2), (6, 3.2), (8, 5.8)])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.77])
def test_blocks_come_back_and_have_unit_power(bits: int, efficiency: float, share: float) -> None:
    symbols = int(share * MAX_SYMBOLS[bits])
    block = shaped_block(bits, math.ceil(symbols * efficiency), symbols)
    message = np.random.default_rng(0).integers(0, 2, (2, block.num_bits), dtype=np.uint8)
    x = block.encode(message)
    assert x.abs().square().mean(-1).numpy() == pytest.approx(1.0, abs=1e-5)
    received = Awgn()(
        x, 10 ** (-capacity_db(efficiency) / 10 - 0.2), torch.Generator().manual_seed(0)
    )
    decided, ok = block.decode(*block.matched(*received))
    assert ok.all()
    assert (decided == message).all()


def test_a_lost_block_is_no_message() -> None:
    block = shaped_block(6, 3200, 1000)
    axes = np.random.default_rng(0).normal(0, 1, (2, 2000)).astype(np.float32)
    _, ok = block.decode(axes, np.ones_like(axes), max_iterations=2)
    assert not ok.any()


@pytest.mark.parametrize("num_bytes", [1, 300, 1500, 4001])
@pytest.mark.parametrize("number", [0, 40, -1])
def test_packets_come_back(num_bytes: int, number: int) -> None:
    scheme = SHAPED[number]
    data = bytes(num_bytes)  # the worst case without scrambling
    x = encode_packet(data, scheme)
    assert x.shape == (num_packet_symbols(num_bytes, scheme),)
    assert float(x.abs().square().mean()) == pytest.approx(1, abs=1e-4)
    noise_var = 10 ** (-capacity_db(scheme.efficiency) / 10 - 0.2)
    received = Awgn()(x, noise_var, torch.Generator().manual_seed(1))
    assert decode_packet(received, num_bytes, scheme) == data
    assert sum(packet_accounting(num_bytes, scheme).values()) == len(x)
    assert len(block_symbols(len(x), scheme.bits_per_symbol)) == num_code_blocks(num_bytes, scheme)


def test_two_receptions_add_up_and_a_bad_one_is_lost() -> None:
    scheme, rng = find_scheme("shaped 64-QAM 0.533", scheme_set("shaped")), torch.Generator()
    data = bytes(range(200)) * 3
    x = encode_packet(data, scheme)
    receptions = [Awgn()(x, 10**-0.75, rng.manual_seed(seed)) for seed in (1, 2)]
    assert decode_packet(receptions[0], len(data), scheme) is None
    assert decode_packet(receptions, len(data), scheme, rvs=(0, 0)) == data


def test_lengths_are_inverse() -> None:
    for scheme in SHAPED[::9]:
        for symbols in (least_symbols(scheme.bits_per_symbol), 5000, 73_728):
            size = max_packet_bytes(symbols, scheme)
            assert num_packet_symbols(size, scheme) <= symbols
            assert num_packet_symbols(size + 1, scheme) > symbols
        assert max_packet_bytes(100, scheme) < 0


def test_schemes_are_a_set_that_a_header_can_name() -> None:
    every = scheme_set("shaped")
    assert every[: len(SCHEMES)] == SCHEMES
    assert len(set(every)) == len(every) <= 256
    assert len({scheme.name for scheme in every}) == len(every)
    efficiencies = [efficiency for _, efficiency in shaped_efficiencies()]
    assert efficiencies == sorted(set(efficiencies))
    assert np.diff(efficiencies).max() == pytest.approx(0.04)


def test_the_table_is_complete_and_follows_from_its_counts() -> None:
    table = json.loads(files("channels").joinpath("data/shaped.json").read_text("utf-8"))
    found = [
        (row["bits_per_symbol"], row["efficiency"], row["num_symbols"]) for row in table["rows"]
    ]
    assert found == jobs()
    for row in table["rows"]:
        points = [tuple(point) for point in row["points"]]
        assert row["snr_db"] == pytest.approx(crossings(points), abs=1e-3)


def test_thresholds_lie_above_capacity_and_rise() -> None:
    for bits, known in MEASURED.items():
        for efficiency in known:
            for symbols in (MAX_SYMBOLS[bits], MAX_SYMBOLS[bits] // 2, 3 * MAX_SYMBOLS[bits] // 4):
                one, two, three = shaped_snr_db(bits, efficiency, symbols)
                assert capacity_db(efficiency) + 0.4 < one < two < three < one + 0.5
    needed = [
        shaped_snr_db(bits, efficiency, 1664)[2]
        for bits, efficiency in shaped_efficiencies()
        if bits == 6
    ]
    assert (np.diff(needed) > 0).all()


def test_the_link_carries_more_than_with_plain_qam() -> None:
    for snr_db, gain in ((7.0, 1.015), (10.0, 1.05), (13.0, 1.05)):
        plain = select_scheme(Awgn(), snr_db, 73_728)
        shaped = select_scheme(Awgn(), snr_db, 73_728, schemes=scheme_set("shaped"))
        assert gain * plain.efficiency < shaped.efficiency < awgn_capacity(snr_db)


def test_short_packets_use_plain_qam() -> None:
    assert not select_scheme(Awgn(), 10.0, 200, schemes=scheme_set("shaped")).shaped


@pytest.mark.slow
def test_an_efficiency_in_between_is_as_safe_as_the_table_says() -> None:
    """At the SNR of 1e-2 by interpolation, at most 1e-2 of the blocks are lost."""
    symbols = 1664
    snr_db = shaped_snr_db(6, 2.6, symbols)[1]
    block = shaped_block(6, math.ceil(2.6 * symbols), symbols)
    rng, noise = np.random.default_rng(0), torch.Generator().manual_seed(0)
    wrong = sum(send_blocks(block, Awgn(), snr_db, 50, rng, noise) for _ in range(20))
    assert wrong <= 20  # 10 expected at the most; 20 are beyond 99.7 %


def test_what_does_not_fit_is_refused() -> None:
    scheme = SHAPED[30]
    with pytest.raises(InputError, match="redundancy version 0"):
        encode_bits(np.zeros(800, dtype=np.uint8), scheme, rv=2)
    with pytest.raises(InputError, match="is shaped"):
        packet_code(100, scheme)
    with pytest.raises(InputError, match="use the schemes nr"):
        select_scheme(RayleighFast(), 20.0, 5000, schemes=[scheme])
    with pytest.raises(InputError, match="use the schemes nr"):
        select_scheme(RayleighBlock(block_length=100), 20.0, 5000, schemes=[scheme])
    with pytest.raises(InputError, match=r"carry 2\.2 to 3\.8"):
        shaped_snr_db(6, 4.0, 1664)
    with pytest.raises(InputError, match="832 to 1664 symbols"):
        shaped_snr_db(6, 3.0, 700)
    with pytest.raises(InputError, match="at least 960 bits"):
        shaped_block(8, 900, 1248)


def test_fading_for_the_whole_frame_is_known() -> None:
    shaped = select_scheme(RayleighBlock(), 20.0, 73_728, schemes=scheme_set("shaped"))
    assert shaped.shaped
    rates = packet_error_rates(
        RayleighBlock(), np.array([0.0, 30.0]), Scheme(6, 0.5, shaped=True), 5000
    )
    assert rates[0] == 1
    assert rates[1] < 1e-6


def test_a_reception_of_another_length_is_refused() -> None:
    y = torch.zeros(10, dtype=torch.complex64)
    with pytest.raises(InputError, match="must have shape"):
        decode_packet(ChannelOutput(y, torch.ones(1), torch.tensor(1.0)), 5000, SHAPED[30])
