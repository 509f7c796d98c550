import functools

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import gammainc
from scipy.stats import binomtest

from channels.base import ChannelOutput, max_symbols, num_uses
from channels.catalogue import CHANNELS
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock
from channels.ofdm.channel import Ofdm
from channels.packets.harq import Harq, send_harq, send_harq_batch
from channels.packets.mcs import Scheme
from channels.packets.packet import decode_packet, encode_bits, num_packet_symbols

SCHEME = Scheme(2, 0.5)
BYTES = 4
SYMBOLS = num_packet_symbols(BYTES, SCHEME)


def packets(num_packets, num_bytes=BYTES, seed=0):
    shape = (num_packets, 8 * num_bytes)
    return np.random.default_rng(seed).integers(0, 2, shape, dtype=np.uint8)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Erasing:
    """Every transmission arrives without noise, or not at all (gain 0)."""

    coherence = "block"

    def __init__(self, loss):
        self.loss = loss

    def __call__(self, x, noise_var, rng):
        arrives = torch.rand(x.shape[:-1], generator=rng) >= self.loss
        return pass_some(x, noise_var, arrives)


class Scripted:
    """The rounds arrive that the script says."""

    coherence = "block"

    def __init__(self, *arrives):
        self.arrives = torch.tensor([arrives])

    def __call__(self, x, noise_var, _rng):
        return pass_some(x, noise_var, self.arrives)


def pass_some(x, noise_var, arrives):
    h = arrives[..., None].to(x.dtype).expand(x.shape)
    return ChannelOutput(h * x, h, torch.tensor(noise_var))


def assert_mean(values, expected, *, sigmas=4):
    """Within the sampling error."""
    error = values.std() / np.sqrt(len(values))
    assert error > 0
    assert abs(values.mean() - expected) < sigmas * error


@pytest.mark.parametrize(
    "options", [Harq(rvs=(0,)), Harq(3, rvs=(0, 3)), Harq(rvs=(0,), combining=False)]
)
def test_rounds_and_throughput_follow_renewal_reward(options):
    """Geometric law cut off at L rounds: E[T] = (1 - q^L)/(1 - q), P(lost) = q^L."""
    loss, most = 0.4, options.max_rounds
    trace = send_harq_batch(
        packets(1500), SCHEME, Erasing(loss), 0.05, generator(), options=options
    )
    delivered = trace.delivered_in > 0
    mean_rounds = (1 - loss**most) / (1 - loss)
    assert_mean(trace.rounds, mean_rounds)
    assert_mean(~delivered, loss**most)
    # Renewal-reward: bits per use. The error is that of Σ (reward - throughput·cost).
    expected = 8 * BYTES * (1 - loss**most) / (SYMBOLS * mean_rounds)
    assert_mean(8 * BYTES * delivered - expected * SYMBOLS * trace.rounds, 0.0)
    assert (trace.acknowledged == delivered).all()
    assert (trace.bits[delivered] == packets(1500)[delivered]).all()


@pytest.mark.parametrize(("ack_as_nack", "nack_as_ack"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_feedback_errors_follow_closed_forms(ack_as_nack, nack_as_ack):
    """A chain of two states while the sender goes on: the packet is missing (u) or there (v).

    With s = q(1-b), where b misreads a NACK: u_r = s^(r-1); an ACK that came in round j is misread
    (a) until round r: v_r = Σ_j u_j (1-q) a^(r-j).
    """
    q, a, b, most = 0.5, ack_as_nack, nack_as_ack, 4
    options = Harq(most, rvs=(0,), feedback_error=(a, b))
    trace = send_harq_batch(packets(2000), SCHEME, Erasing(q), 0.05, generator(1), options=options)
    missing = [(q * (1 - b)) ** (r - 1) for r in range(1, most + 1)]
    there = [
        sum(missing[j - 1] * (1 - q) * a ** (r - j) for j in range(1, r))
        for r in range(1, most + 1)
    ]
    assert_mean(trace.rounds, sum(missing) + sum(there))
    lost = trace.delivered_in == 0
    assert_mean(lost, 1 - (1 - q) * sum(missing))
    # The sender is wrong about a packet: lost but acknowledged, or there and never acknowledged.
    if b:
        assert_mean(lost & trace.acknowledged, q * b * sum(missing))
    if a:
        never = sum(missing[j - 1] * (1 - q) * a ** (most - j + 1) for j in range(1, most + 1))
        assert_mean(~lost & ~trace.acknowledged, never)
    assert (lost & trace.acknowledged).any() == (b > 0)
    assert (~lost & ~trace.acknowledged).any() == (a > 0)


@pytest.mark.parametrize(
    ("arrives", "feedback_error", "received", "rounds", "acknowledged", "waited"),
    [
        ((True, True, True), 0.0, True, 1, True, 0),
        ((False, True, True), 0.0, True, 2, True, 1),
        ((False, False, False), 0.0, False, 3, False, 2),
        ((False, False, True), (0.0, 1.0), False, 1, True, 0),  # NACK → ACK: given up
        ((False, True, True), (1.0, 0.0), True, 3, False, 1),  # ACK → NACK: one round too many
        ((True, False, False), 1.0, True, 3, False, 0),
    ],
)
def test_one_packet_and_all_that_it_costs(
    arrives, feedback_error, received, rounds, acknowledged, waited
):
    options = Harq(3, rvs=(0,), feedback_delay=100, feedback_error=feedback_error, feedback_uses=7)
    data = bytes(range(BYTES))
    result = send_harq(data, SCHEME, Scripted(*arrives), 0.05, generator(), options=options)
    assert result.data == (data if received else None)
    assert (result.rounds, result.acknowledged) == (rounds, acknowledged)
    assert (result.sent_uses, result.feedback_uses) == (rounds * SYMBOLS, rounds * 7)
    assert result.uses == rounds * (SYMBOLS + 7)
    assert result.delay == SYMBOLS + waited * (SYMBOLS + 100)


@pytest.mark.parametrize(
    "spec", ["awgn", "rayleigh", "rician:block_length=50", "jakes", "rayleigh_fast", "ofdm"]
)
@pytest.mark.parametrize("continuous", [False, True])
def test_goes_over_every_kind_of_channel(spec, continuous):
    channel = CHANNELS.create(spec)
    data = np.random.default_rng(0).bytes(100)
    options = Harq(continuous=continuous, feedback_delay=30, feedback_uses=3)
    result = send_harq(data, SCHEME, channel, 1e-3, generator(), options=options)
    assert result.data == data
    per_round = num_uses(channel, num_packet_symbols(100, SCHEME))
    assert result.uses == result.rounds * (per_round + 3)
    assert result.delay == result.rounds * (per_round + 30) - 30


class Recording:
    """Keeps what was sent."""

    coherence = "none"

    def __init__(self, channel):
        self.channel = channel
        if hasattr(channel, "num_uses"):
            self.num_uses = channel.num_uses

    def __call__(self, x, noise_var, rng):
        self.x, self.output = x, self.channel(x, noise_var, rng)
        return self.output


@pytest.mark.parametrize(
    "channel", [RayleighBlock(), Ofdm(subcarriers=12, slot=7)], ids=lambda c: type(c).__name__
)
def test_continuous_rounds_wait_in_silence(channel):
    """Symbols of OFDM rounds start with a slot, as they are paid for."""
    options, recording = Harq(2, rvs=(0,), continuous=True, feedback_delay=200), Recording(channel)
    bits = packets(3, 40)
    send_harq_batch(bits, SCHEME, recording, 0.1, generator(), options=options)
    word = encode_bits(bits, SCHEME)
    period = max_symbols(channel, num_uses(channel, word.shape[1]) + 200)
    assert recording.x.shape == (3, 2 * period)
    assert torch.equal(recording.x[:, : word.shape[1]], word)
    assert torch.equal(recording.x[:, period : period + word.shape[1]], word)
    assert int((recording.x != 0).sum()) == 2 * word.numel()
    if isinstance(channel, RayleighBlock):
        assert period == word.shape[1] + 200
        assert (recording.output.h == recording.output.h[:, :1]).all()


def test_second_round_decodes_both_versions_jointly():
    bits, scheme, noise_var = packets(60, 60), Scheme(4, 0.75), 10**-0.39
    x = torch.stack([encode_bits(bits, scheme, rv=rv) for rv in (0, 2)], dim=1)
    y, h, noise = Awgn()(x, noise_var, generator())
    trace = send_harq_batch(bits, scheme, Awgn(), noise_var, generator(), options=Harq(2))
    lost = 0
    for i, packet in enumerate(np.packbits(bits, axis=1)):
        receptions = [ChannelOutput(y[i, r], h[i, r], noise) for r in range(2)]
        alone = decode_packet(receptions[0], 60, scheme)
        both = decode_packet(receptions, 60, scheme, rvs=(0, 2))
        expected = 1 if alone is not None else 2 if both is not None else 0
        assert trace.delivered_in[i] == expected
        assert both in (None, packet.tobytes())
        lost += both is None
    assert 6 < lost < 54  # otherwise the test says nothing


@pytest.mark.parametrize(
    ("channel", "snr_db"), [(Awgn(), 6.8), (RayleighBlock(), 10.0)], ids=["awgn", "rayleigh"]
)
def test_new_parity_beats_repetition_beats_trying_again(channel, snr_db):
    """The same bits, fades and noise, so that the differences are counted packet by packet."""
    receivers = [Harq(2), Harq(2, rvs=(0,)), Harq(2, rvs=(0,), combining=False)]
    incremental, chase, alone = (
        send_harq_batch(
            packets(300, 60),
            Scheme(4, 0.75),
            channel,
            10 ** (-snr_db / 10),
            generator(2),
            options=options,
        ).delivered_in
        > 0
        for options in receivers
    )
    for better, worse in ((incremental, chase), (chase, alone)):
        gain = better.astype(float) - worse
        assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain)) > 0


def outage(rate, snr, *, incremental, continuous):
    """P(two rounds of Rayleigh block fading, Gaussian symbols, cannot carry ``rate`` bits/use)."""
    needed = 2**rate - 1
    if continuous:
        return -np.expm1(-(2 ** (rate / 2) - 1 if incremental else needed / 2) / snr)
    if not incremental:
        return gammainc(2, needed / snr)  # the sum of two exponential gains

    def second_fails(gain):
        return np.exp(-gain) * -np.expm1(-(2**rate / (1 + gain * snr) - 1) / snr)

    return quad(second_fails, 0, needed / snr)[0]


@pytest.mark.parametrize("incremental", [True, False], ids=["incremental", "chase"])
@pytest.mark.parametrize("continuous", [True, False], ids=["one-fade", "two-fades"])
def test_outage_of_what_accumulates_bounds_the_loss(incremental, continuous):
    """Below by outage at this SNR; above by outage 2 dB lower, since a 5G code is that good."""
    scheme, num_bytes, snr = Scheme(2, 0.75), 60, 2.0
    options = Harq(2, rvs=(0, 2) if incremental else (0,), continuous=continuous)
    trace = send_harq_batch(
        packets(800, num_bytes), scheme, RayleighBlock(), 1 / snr, generator(3), options=options
    )
    lost = binomtest(int((trace.delivered_in == 0).sum()), 800).proportion_ci(0.999)
    rate = 8 * num_bytes / num_packet_symbols(num_bytes, scheme)
    bound = functools.partial(outage, rate, incremental=incremental, continuous=continuous)
    assert bound(snr) < lost.high
    assert lost.low < bound(snr / 10**0.2)


def test_receiver_and_feedback_change_neither_fading_nor_noise():
    send = functools.partial(
        send_harq_batch, packets(200), SCHEME, RayleighBlock(), 1.0, options=Harq()
    )
    trace = send(rng=generator())
    noisy = send(rng=generator(), options=Harq(feedback_error=(0.5, 0.0), feedback_uses=3))
    assert (trace.delivered_in == noisy.delivered_in).all()
    assert (noisy.rounds >= trace.rounds).all()
    assert noisy.rounds.sum() > trace.rounds.sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_rounds": 0}, "max_rounds must be a whole number of at least 1, got 0"),
        ({"max_rounds": 1.5}, r"max_rounds must be a whole number of at least 1, got 1\.5"),
        ({"feedback_delay": -1}, "feedback_delay must be a whole number of at least 0, got -1"),
        ({"feedback_uses": True}, "feedback_uses must be a whole number of at least 0, got True"),
        ({"feedback_error": [0.1, 0.2]}, "one or two probabilities, got"),
        ({"rvs": ()}, "rvs must be redundancy versions from 0 to 3"),
        ({"rvs": (0, 4)}, r"from 0 to 3, got \(0, 4\)"),
        ({"feedback_error": 1.1}, "one or two probabilities, got 1.1"),
        ({"feedback_error": (0.1, float("nan"))}, "one or two probabilities"),
        ({"feedback_error": (0.1, 0.1, 0.1)}, "one or two probabilities"),
    ],
)
def test_refuses_options_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        Harq(**options)


def test_versions_come_again_and_again():
    assert Harq(6).round_rvs == (0, 2, 3, 1, 0, 2)
    assert Harq(3, rvs=(0,)).round_rvs == (0, 0, 0)
