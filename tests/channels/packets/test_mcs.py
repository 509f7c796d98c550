import itertools
import json
import math
from importlib.resources import files

import numpy as np
import pytest
import torch
from scipy.stats import beta

from channels import theory
from channels.catalogue import CHANNELS
from channels.fec.ldpc import ldpc_code
from channels.packets.adaptation import NUM_DRAWS, effective_snr_db
from channels.packets.block_chain import run_chain
from channels.packets.mcs import (
    CLASSES,
    CRC_BITS,
    HEADER_BYTES,
    HEADER_SYMBOLS,
    LEVELS,
    SCHEMES,
    Threshold,
    find_scheme,
    header_scheme,
    packet_scheme,
    thresholds,
)
from channels.packets.packet import (
    decode_packet,
    encode_packet,
    max_packet_bytes,
    num_packet_symbols,
)
from channels.packets.packet_errors import block_snr_db
from channels.packets.scheme_sets import scheme_set
from channels.packets.selection import select_header, select_scheme
from channels.packets.target import Target

AWGN = CHANNELS.create("awgn")


@pytest.mark.parametrize("table", CLASSES)
def test_every_scheme_was_measured(table):
    measured = {scheme for scheme, _ in thresholds(table)}
    short = {packet_scheme(scheme, 8) for scheme in SCHEMES}
    papers = scheme_set("papers")
    assert measured == {*SCHEMES, *short, *papers, *map(header_scheme, HEADER_SYMBOLS)}
    most = {"awgn": (0.4, 0.35, 1.1), "rayleigh_fast": (0.8, 0.8, 1.8)}[table]
    rows = json.loads(files("channels").joinpath("data/thresholds.json").read_text("utf-8"))["rows"]
    for row in (row for row in rows if row["channel"] == table):
        # At 1e-3 few errors are left to count; curves on fading are less steep.
        ends = zip(row["snr_db"], row["interval_db"], most, strict=True)
        for snr_db, (low, high), widest in ends:
            assert low <= snr_db <= high
            assert high - low < widest, row


@pytest.mark.parametrize("table", CLASSES)
def test_packets_of_any_length_have_a_threshold(table):
    """From one byte on, none better than what was measured for longer ones beside it."""
    channel = CHANNELS.create(table)
    for scheme in SCHEMES[::7]:
        needs = [block_snr_db(channel, scheme, size, 1e-3) for size in range(1, 1051)]
        assert np.isfinite(needs).all()
        assert needs[0] > needs[35] + 1  # base graph 2, which short packets take, and
        assert needs[36] > needs[1049] + 0.4  # either, but rates above 2/3
        for (other, num_bits), threshold in thresholds(table).items():
            if other == packet_scheme(scheme, num_bits):
                need = block_snr_db(channel, scheme, num_bits // 8, 1e-3)
                assert need == pytest.approx(threshold.snr_db[2])


def test_unmeasured_classes_are_refused():
    with pytest.raises(ValueError, match="measured on awgn, rayleigh_fast, not 'tdl'"):
        thresholds("tdl")


@pytest.mark.parametrize(("table", "most"), [("awgn", 0.15), ("rayleigh_fast", 0.33)])
@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_no_snr_wastes_more_than_the_steps_allow(table, most, level):
    """Between the best scheme that fits and the next one, long blocks; in bits per use.

    Fading punishes high code rates, so that there the modulations hardly overlap.
    """
    longest = {}
    for (scheme, num_bits), threshold in thresholds(table).items():
        if scheme in SCHEMES:
            longest[scheme] = max(
                longest.get(scheme, (0, 0.0)), (num_bits, threshold.snr_db[level])
            )
    by_need = sorted((need, scheme.efficiency) for scheme, (_, need) in longest.items())
    best = list(itertools.accumulate((efficiency for _, efficiency in by_need), max))
    steps = [b - a for a, b in itertools.pairwise(best)]
    assert max(steps) <= most
    assert best[0] < 0.16
    assert best[-1] > 7.4
    assert len(set(SCHEMES)) == len(SCHEMES) < 256


def test_standard_rows_are_there():
    """TS 38.214 Table 5.1.3.1-2 from its third row on, whose rates are whole 1024ths."""
    rows = {2: (193, 308, 449, 602), 4: (378, 434, 490, 553, 616, 658)}
    rows |= {6: (466, 517, 567, 616, 666, 719, 772, 822, 873), 8: (711, 754, 797, 841, 885, 948)}
    have = {(scheme.bits_per_symbol, round(1024 * scheme.code_rate)) for scheme in SCHEMES}
    assert {(bits, rate) for bits, rates in rows.items() for rate in rates} <= have


@pytest.mark.parametrize("table", CLASSES)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
def test_thresholds_rise_and_never_beat_the_bicm_limit(scheme, table):
    for (other, num_bits), threshold in thresholds(table).items():
        if other != scheme:
            continue
        ordered = threshold.snr_db
        assert ordered[0] < ordered[1] < ordered[2]
        snr_db = ordered[0]
        if table != "awgn":
            quantile = CHANNELS.create(table).gain_quantile
            snr_db = theory.effective_snr_db(scheme.bits_per_symbol, snr_db, quantile)
        limit = theory.bicm_mutual_information(scheme.bits_per_symbol, snr_db)
        # At a block error rate of 0.1, 90 % of the bits arrive.
        efficiency = (num_bits + CRC_BITS) / num_packet_symbols(num_bits // 8, scheme)
        assert 0.9 * efficiency < limit
        assert ordered[2] - ordered[0] < (9 if num_bits < 100 else 6 if num_bits < 500 else 3)


def test_schemes_are_found_by_name_and_number():
    for number, scheme in enumerate(SCHEMES):
        assert find_scheme(scheme.name) == find_scheme(str(number)) == scheme
    with pytest.raises(ValueError, match=r"closest matches: '16-QAM 0\.499', '16-QAM 0\.479'"):
        find_scheme("16-QAM 0.49")
    with pytest.raises(ValueError, match="closest matches: 'QPSK"):
        find_scheme("QPSKK")


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


def test_carries_three_information_bits_at_ten_db():
    """Long blocks on AWGN, BLER at most 1e-2; capacity is 3.46. CRC bits do not count."""
    scheme = select_scheme(AWGN, 10.0, 2750, Target(bler=1e-2))
    code = ldpc_code(8424, num_packet_symbols(8400 // 8, scheme) * 4, 4)
    assert scheme.bits_per_symbol == 4
    assert 8400 / (code.num_coded_bits / 4) >= 3.0
    count = run_chain(code, AWGN, 10.0, 1000, seed=3, max_iterations=50)
    assert beta.ppf(1e-3, count.block_errors, 1001 - count.block_errors) <= 1e-2


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
    for num_symbols in (1, 5000):
        effective = effective_snr_db(rayleigh, 10, 2, target, num_symbols)
        assert effective == pytest.approx(expected)


def test_a_sampled_channel_agrees_with_its_closed_form():
    """Motion so slow that a gain lasts, and so fast that every symbol has its own."""
    target, bits = Target(outage=0.1), 4
    slow = CHANNELS.create("jakes:doppler=1e-7")
    sampled = effective_snr_db(slow, 10, bits, target, 300)
    # The sample's quantile, 4 sigma either way, of the law of |h|².
    low, high = (
        10 + 10 * math.log10(-math.log1p(-p))
        for p in (0.1 - 4 * math.sqrt(0.09 / NUM_DRAWS), 0.1 + 4 * math.sqrt(0.09 / NUM_DRAWS))
    )
    assert low < sampled < high
    fast = CHANNELS.create("rayleigh_fast")
    ergodic = effective_snr_db(fast, 10, bits, target, 8000)
    blocks = CHANNELS.create("rayleigh:block_length=1")
    assert effective_snr_db(blocks, 10, bits, target, 8000) == pytest.approx(ergodic, abs=0.2)


def test_diversity_helps_and_code_blocks_share_it():
    target = Target(outage=0.1)
    few, many = (
        effective_snr_db(CHANNELS.create(f"rayleigh:block_length={n}"), 10, 4, target, 4000)
        for n in (2000, 100)
    )
    assert few < many - 1
    channel = CHANNELS.create("rayleigh:block_length=100")
    split = effective_snr_db(channel, 10, 4, target, 4000, shares=(1,) * 8)
    assert split < many - 0.5


@pytest.mark.parametrize(
    "spec", ["ofdm", "mimo", "jakes", "clipping:backoff_db=6", "middleton:state_known=true"]
)
def test_the_choice_on_sampled_channels_reaches_its_outage(spec):
    """Packets of the chosen scheme are lost no more often than accepted, within 4 sigma."""
    channel, target = CHANNELS.create(spec), Target(bler=1e-2, outage=0.1)
    scheme = select_scheme(channel, 12.0, 1500, target)
    assert scheme.efficiency > 0.3
    size = max_packet_bytes(1500, scheme)
    rng = torch.Generator().manual_seed(11)
    trials, lost = 200, 0
    for _ in range(trials):
        received = channel(encode_packet(bytes(size), scheme), 10**-1.2, rng)
        lost += decode_packet(received, size, scheme) is None
    p = target.bler + target.outage
    assert lost / trials <= p + 4 * math.sqrt(p * (1 - p) * (1 / trials + 1 / NUM_DRAWS))


@pytest.mark.parametrize(
    ("name", "snr_db"),
    [
        ("awgn", 3.0),
        ("awgn", 10.0),
        ("rayleigh_fast", 12.0),
        ("rician_fast", 8.0),
        ("rayleigh_real", 5.2),
        ("rayleigh_real", 10.0),
    ],
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
