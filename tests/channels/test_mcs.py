import itertools
import math

import pytest
import torch

from channels import theory
from channels.channels import CHANNELS
from channels.mcs import (
    HEADER_BYTES,
    HEADER_SYMBOLS,
    SCHEMES,
    Target,
    Threshold,
    effective_snr_db,
    header_scheme,
    select_header,
    select_scheme,
    thresholds,
)
from channels.phy import decode_packet, encode_packet, max_packet_bytes

AWGN = CHANNELS.create("awgn")


def test_every_scheme_was_measured():
    measured = {scheme for scheme, _ in thresholds()}
    assert measured == {*SCHEMES, *map(header_scheme, HEADER_SYMBOLS)}


def test_efficiency_steps_are_fine():
    efficiencies = sorted(scheme.efficiency for scheme in SCHEMES)
    steps = [b - a for a, b in itertools.pairwise(efficiencies)]
    assert max(steps) < 0.22
    assert len(set(SCHEMES)) == len(SCHEMES) < 256


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
def test_thresholds_rise_and_never_beat_the_bicm_limit(scheme):
    for (other, num_bits), threshold in thresholds().items():
        if other != scheme:
            continue
        ordered = threshold.snr_db
        assert ordered[0] < ordered[1] < ordered[2]
        limit = theory.bicm_mutual_information(scheme.bits_per_symbol, ordered[0])
        # At a block error rate of 0.1, 90 % of the bits arrive.
        assert 0.9 * scheme.efficiency < limit
        assert ordered[2] - ordered[0] < (3 if num_bits < 500 else 1.2)


def test_threshold_interpolates_and_extrapolates():
    threshold = Threshold((1.0, 1.4, 1.6))
    for bler, snr_db in ((0.1, 1.0), (0.01, 1.4), (0.001, 1.6), (1e-4, 1.8), (10**-1.5, 1.2)):
        assert threshold.at(bler) == pytest.approx(snr_db)


def test_choice_rises_with_snr_and_stays_below_capacity():
    last = 0.0
    for snr_db in range(-8, 28):
        scheme = select_scheme(AWGN, snr_db, 50_000)
        assert last <= scheme.efficiency < math.log2(1 + 10 ** (snr_db / 10))
        last = scheme.efficiency


def test_carries_enough_at_ten_db():
    assert select_scheme(AWGN, 10.0, 70_000).efficiency > 2.7


def test_short_transmissions_are_more_careful():
    assert select_scheme(AWGN, 10.0, 100).efficiency < select_scheme(AWGN, 10.0, 50_000).efficiency


def test_hopeless_snr_gives_the_most_robust():
    assert select_scheme(AWGN, -30.0, 50_000) == SCHEMES[0]
    assert select_header(AWGN, -30.0) == HEADER_SYMBOLS[-1]
    assert select_header(AWGN, 20.0) == HEADER_SYMBOLS[0]


@pytest.mark.parametrize("snr_db", [math.nan, math.inf])
def test_snr_must_be_finite(snr_db):
    with pytest.raises(ValueError, match="finite"):
        select_scheme(AWGN, snr_db, 1000)


@pytest.mark.parametrize("value", [0, 1, -1, math.nan])
def test_targets_are_probabilities(value):
    with pytest.raises(ValueError, match=r"in \(0, 1\)"):
        Target(bler=value)
    with pytest.raises(ValueError, match=r"in \(0, 1\)"):
        Target(outage=value)


def test_block_fading_is_held_to_its_outage():
    rayleigh, target = CHANNELS.create("rayleigh"), Target(outage=0.1)
    expected = 10 + 10 * math.log10(-math.log(0.9))
    assert effective_snr_db(rayleigh, 10, 2, target) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "snr_db"),
    [("awgn", 3.0), ("awgn", 10.0), ("rayleigh_fast", 12.0), ("rician_fast", 8.0)],
)
def test_the_choice_reaches_its_target(name, snr_db):
    """Packets of the chosen scheme fail no more often than accepted, within 4 sigma."""
    channel, target = CHANNELS.create(name), Target(bler=0.02)
    num_symbols, trials = 2500, 400
    scheme = select_scheme(channel, snr_db, num_symbols, target)
    size = max_packet_bytes(num_symbols, scheme)
    rng = torch.Generator().manual_seed(5)
    lost = 0
    for trial in range(trials):
        data = bytes(torch.randint(256, (size,), generator=rng).tolist())
        received = channel(encode_packet(data, scheme), 10 ** (-snr_db / 10), rng)
        decoded = decode_packet(received, size, scheme)
        assert decoded in (None, data), trial
        lost += decoded is None
    sigma = math.sqrt(target.bler * (1 - target.bler) / trials)
    assert lost / trials <= target.bler + 4 * sigma


@pytest.mark.parametrize("num_symbols", HEADER_SYMBOLS)
def test_headers_hold_at_their_threshold(num_symbols):
    scheme = header_scheme(num_symbols)
    snr_db = thresholds()[scheme, 8 * HEADER_BYTES].at(1e-2)
    rng = torch.Generator().manual_seed(num_symbols)
    trials, lost = 500, 0
    for _ in range(trials):
        x = encode_packet(bytes(range(HEADER_BYTES)), scheme)
        assert len(x) == num_symbols
        received = AWGN(x, 10 ** (-snr_db / 10), rng)
        lost += decode_packet(received, HEADER_BYTES, scheme) is None
    assert lost / trials <= 1e-2 + 4 * math.sqrt(1e-2 / trials)
