"""The checks of channels can fail: for each broken one exactly the right one does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from channels.conformance.base import Candidate
from channels.conformance.checks import CHANNEL_CHECKS
from semcom.conformance.runner import open_channel, run_check
from tests.failing import failures, importable

CHECKS = {check.name: check for check in CHANNEL_CHECKS}


@pytest.fixture
def broken(monkeypatch):
    """``broken(name)`` is a candidate that can be built in other processes, too."""
    folders = [Path(__file__).with_name("broken")]
    with importable(monkeypatch, "broken_channels", *folders) as module:
        yield module.Broken


@pytest.mark.parametrize("check", CHANNEL_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("name", ["Blockage", "FastBlockage"])
def test_a_law_of_two_gains_passes(broken, name, check):
    assert check.function(broken(name)) in ("", "one channel use per symbol")


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("Cuts", "shapes", r"send complex64 \(1,\) with .* 0\.1; got y of shape \(0,\) and h of"),
        ("Singles", "shapes", r"send complex128 \(1,\) .*; got y of torch.complex64, h of torch.c"),
        ("Detaches", "gradient", r"pass a gradient back to the symbols; got none; promised: Grad"),
        (
            "Halves",
            "gradient",
            r"a slope of \S+, while the difference quotient is \S+; promised: G",
        ),
        ("Shares", "batch", r"with independent gain; got a correlation of 0\.\d\d between"),
        ("Amplifies", "power", r"a gain of mean power 1 over 2,000 .*; got 1\.\d+ ± 0\.\d+"),
        ("Hushes", "noise", r"a noise variance of 0\.01; got 0\.\d+ ± 0\.\d+ times the reported"),
        ("Averages", "noise-apart", r"a transmission of noise 0 among others .*; got different nu"),
        (
            "Mirrors",
            "gain",
            r"give y = h·x without noise; got up to [\d.]+ more; promised: Nothing",
        ),
        ("Sticks", "coherence", r"coherence 'fast' says; got correlated gains of neighbouring s"),
        ("Repeats", "coherence", r"coherence 'block' says; got correlated gains of neighbouring b"),
        ("Drifts", "coherence", r"coherence 'block' says; got several gains within 60 symbols"),
        (
            "Guesses",
            "quantile",
            r"return the quantile of \|h\|² at 0\.5; got 0\.5, the one at 0\.\d",
        ),
        ("Answers", "quantile", r"refuse the probability 0\.0 with a ValueError; got 1"),
        ("Discounts", "cost", r"count the uses of 1000 symbols, after 999 uses of 999; got 999 c"),
        ("Globals", "randomness", r"got draws from torch's own generator; promised: Randomness"),
        ("Counts", "randomness", r"got different numbers from the same seed; promised: Random"),
        ("Overwrites", "randomness", r"got a change of its input; promised: Rando"),
        ("Accepts", "bad-input", r"refuse symbols with NaN with a ValueError that names symbols; "),
        ("Mutters", "bad-input", r"refuse real symbols .*; got ValueError: bad input; promised: B"),
        ("Trips", "bad-input", r"refuse a number for symbols .*; got IndexError: "),
    ],
)
def test_exactly_the_right_check_fails(broken, name, check, words):
    failed = failures(CHANNEL_CHECKS, lambda: broken(name))
    assert list(failed) == [check], failed
    assert re.search(words, str(failed[check]), re.DOTALL), failed[check]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Hangs", r"asked to send 2,000 transmissions, which .*; got no result within \d+ s; prom"),
        ("Crashes", r"got the process was ended by SIGSEGV in __call__ \(broken_channels.py, l"),
    ],
)
def test_what_takes_its_process_along_is_told(broken, name, words):
    assert run_check(CHECKS["shapes"], broken(name)).failure is None
    limit_s = 8 if name == "Hangs" else 60
    report = run_check(CHECKS["batch"], broken(name, check_limit_s=limit_s))
    assert report.failure is not None
    assert re.search(words, str(report.failure), re.DOTALL), report.failure


def test_a_channel_that_cannot_be_built_is_refused_in_one_line(broken):
    with pytest.raises(ValueError, match=r"^channel 'Lacks': coherence must be one of none, bl"):
        open_channel(broken("Lacks"))
    with pytest.raises(ValueError, match=r"^channel 'Dies' cannot be built: .* SIGSEGV in __init"):
        open_channel(broken("Dies"))
    with pytest.raises(ValueError, match=r"^channel 'awgn' has no option 'k_db=3'"):
        open_channel(Candidate("awgn:k_db=3"))
    with pytest.raises(ValueError, match=r"^the limit must be above 0 s"):
        Candidate("awgn", check_limit_s=0)
