"""What every registered channel must do, also a third party's: see ``semcom check-channel``."""

import math
from pathlib import Path

import pytest
import torch

from channels.base import Channel, Costed, max_symbols, num_uses
from channels.catalogue import CHANNELS
from channels.conformance.base import Candidate
from channels.conformance.checks import CHANNEL_CHECKS
from channels.conformance.trial import rng, symbols

NEEDED = {"trace": f"file={Path(__file__).with_name('trace.csv')}"}
"""Options that a channel cannot do without."""
NAMES = [name for name in CHANNELS.names() if not CHANNELS.entry(name).missing]
SPECS = [
    *(f"{name}:{NEEDED[name]}" if name in NEEDED else name for name in NAMES),
    "rayleigh:block_length=7",
    "ofdm:estimation=ls",
    "ofdm:estimation=perfect",
    "ofdm:over=awgn",
    "middleton:state_known=true",
    "carrier_error:over=rayleigh,cfo=0.01,random_phase=true",
    "carrier_error:linewidth=1e-3,known=true",
    "clipping:over=rayleigh_fast,smoothness=2,backoff_db=0",
    "mimo:antennas=4x4,detector=zf,block_length=1",
    "mimo:antennas=2x3,csi=pilots,block_length=5",
]
REMARKS = {
    "power": ("", "not applicable to a channel with its attributes"),
    "noise": ("", "not applicable to a channel with its attributes"),
    "gain": ("", "not applicable to a channel with its attributes"),
    "quantile": ("", "no closed form"),
    "cost": ("", "one channel use per symbol"),
}

every = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.partition(":file")[0])


@every
@pytest.mark.parametrize("check", CHANNEL_CHECKS, ids=lambda check: check.name)
def test_check(spec: str, check) -> None:
    assert check.function(Candidate(spec)) in REMARKS.get(check.name, ("",))


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        ("rayleigh", {"power", "noise", "gain", "quantile"}),
        ("ofdm", {"power", "noise", "cost"}),
        ("carrier_error", {"power", "noise"}),
        ("clipping", set()),
        ("mimo", {"noise", "gain", "cost"}),
    ],
)
def test_what_is_asked_follows_from_what_a_channel_says_of_itself(spec, made) -> None:
    checks = {check.name: check for check in CHANNEL_CHECKS}
    assert {name for name in REMARKS if not checks[name].function(Candidate(spec))} == made


@every
def test_most_symbols_that_fit(spec: str) -> None:
    """The largest number whose cost is within the uses."""
    channel: Channel = CHANNELS.create(spec)
    for uses in (0, 1, 2, 3, 7, 100, 1_092, 5_000):
        most = max_symbols(channel, uses)
        assert isinstance(channel, Costed) or most == uses
        assert most == 0 or num_uses(channel, most) <= uses
        assert num_uses(channel, most + 1) > uses


@every
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.ones(4), "symbols must be complex, got dtype torch.float32"),
        (torch.ones(2, 0, dtype=torch.complex64), r"symbols must have shape .*, got \(2, 0\)"),
        (torch.full((4,), complex(math.nan, 0)), "symbols must be finite"),
    ],
)
def test_bad_symbols_are_refused_in_our_words(spec: str, bad: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CHANNELS.create(spec)(bad, 0.1, rng())


@every
def test_bad_noise_is_refused_in_our_words(spec: str) -> None:
    channel = CHANNELS.create(spec)
    with pytest.raises(ValueError, match=r"noise_var must be finite and at least 0, got -0\.1"):
        channel(symbols(4), -0.1, rng())
    with pytest.raises(ValueError, match="does not broadcast"):
        channel(symbols(2, 60), torch.ones(5, 1), rng())


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no option"):
        CHANNELS.create(f"{name}:no_such_option=1")
