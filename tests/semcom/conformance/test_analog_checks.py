"""The checks of analog codecs can fail: for each broken one exactly the right one does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semcom.conformance.analog import checks
from semcom.conformance.analog.checks import ANALOG_CHECKS
from semcom.conformance.runner import open_codec, run_check
from tests.failing import failures, here, importable

ROOT = Path(__file__).parents[3]


@pytest.fixture
def broken(monkeypatch):
    """``broken(name)`` is a candidate that can be built in other processes, too."""
    folders = [Path(__file__).with_name("broken"), ROOT / "docs" / "examples" / "thumbnail-codec"]
    with importable(monkeypatch, "broken_analog", *folders) as module:
        yield module.Broken


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("Shouts", "signal", r"encode the photo, 240x160, into 9,000 .*; got .* mean power 1\.21;"),
        ("Overspends", "signal", r"into 9,000 symbols for -10 dB; got 9,001 symbols"),
        ("Empties", "signal", r"got b'' as packet 2 of side information"),
        ("Shrugs", "picture", r"better in 9,000; got (\d+\.\d\d) and (\d+\.\d\d) dB"),
        ("Quantises", "picture", r"all planned for 10 dB, better each time; got [\d., ]+;"),
        ("Evens", "sizes", r"encode a flat picture, 17x15, .*; got ValueError: height must be ev"),
        ("Dithers", "same-signal", r"photo twice into 9,000 symbols; got a different signal"),
        ("Remembers", "other-process", r"in another process .*|; got DecodeError: which scale"),
        ("Shares", "threads", r"in three threads with the same .*; got different pixels"),
        ("Claims", "map", r"got \+0\.00 dB inside, \+0\.00 dB outside, \+0\.00 dB weighted"),
        ("Denies", "map", r"steerable is False; got a different signal"),
        ("Ignores", "fading", r"rotated by 90 degrees, with known gains; got [\d.]+ dB instead"),
        ("Divides", "fading", r"after \w[\w ]+ came through, above [\d.]+ dB; got"),
        ("Needs", "losses", r"packets of lost bytes; got IndexError: no side information"),
        ("Trips", "garbage", r"random bytes after the first 0 \(\w+…\); got KeyError"),
        ("Counts", "frames", r"from 1001 symbols and its packets .*; got IndexError: no symbol 1,"),
        ("Swells", "memory", r"from the bytes f+ after the first 0; got 1\.[2-5]\d GB of memory"),
    ],
)
def test_exactly_the_right_check_fails(broken, monkeypatch, name, check, words):
    if check != "other-process":  # then it need not be asked of another one, which takes its time
        monkeypatch.setattr(checks, "run", here)
    failed = failures(ANALOG_CHECKS, lambda: broken(name))
    assert list(failed) == [check], failed
    assert re.search(words, str(failed[check]), re.DOTALL), failed[check]


def test_what_would_take_its_process_along_is_told(broken):
    checks = {check.name: check for check in ANALOG_CHECKS}
    report = run_check(checks["garbage"], broken("Exits"))
    assert "the process was ended with exit status 3" in str(report.failure)
    assert run_check(checks["signal"], broken("Exits")).failure is None


def test_the_kind_of_a_codec_is_found(broken):
    assert open_codec(broken("Shouts"))
