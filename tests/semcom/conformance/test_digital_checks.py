"""The checks can fail: for each broken codec exactly the right one says in words what is wrong."""

from __future__ import annotations

import importlib
import os
import re
import time
from pathlib import Path

import pytest

from semcom.conformance import isolated_process as elsewhere
from semcom.conformance.base import Candidate
from semcom.conformance.digital import other_process
from semcom.conformance.digital.checks import CODEC_CHECKS
from semcom.conformance.runner import open_codec, run_check
from tests.failing import failures, here, importable

ROOT = Path(__file__).parents[3]
CHECKS = {check.name: check for check in CODEC_CHECKS}


@pytest.fixture
def broken(monkeypatch):
    """``broken(name)`` is a candidate that can be built in other processes, too."""
    folders = [Path(__file__).with_name("broken"), ROOT / "docs" / "examples" / "strips-codec"]
    with importable(monkeypatch, "broken_codecs", *folders) as module:
        yield module.Broken


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("Overspends", "budget", r"the photo, 240x160, within 40,000 bits; got 40,0\d\d bits"),
        ("Saves", "budget", r"at least 85% of 40,000 bits for the photo; got 3\d,\d{3} bits"),
        ("Complains", "small-budget", r"7 bits, which are too few; got ValueError: the budget is"),
        ("Floats", "picture", r"got an array of float64 and shape \(160, 240, 3\)"),
        ("Stagnates", "picture", r"and higher yet; got (\d+\.\d\d), (\d+\.\d\d) and \2 dB"),
        ("Evens", "sizes", r"decode a flat picture, 31x17, .*; got an array .*\(16, 31, 3\)"),
        (
            "Salts",
            "same-bytes",
            r"photo twice .*; got different bytes in packet 1 of 5, from",
        ),
        (
            "Signs",
            "other-process",
            r"same picture here and in another process; got different by",
        ),
        ("Remembers", "other-process", r"in another process .*; got DecodeError: which step\?"),
        ("Shares", "threads", r"in three threads with the same .*; got different bytes"),
        ("Claims", "map", r"got \+0\.00 dB inside, \+0\.00 dB outside.*`steerable` says whether"),
        ("Denies", "map", r"with and without a region: steerable is False; got different bytes"),
        ("Boasts", "gains", r"remove a weighted squared error of \S+ in all; got gains of"),
        ("Needs", "losses", r"lost bytes; got IndexError: no last packet"),
        ("Blackens", "losses", r"with 5 of 5 packets lost; got a picture other than mid"),
        ("Trips", "garbage", r"random bytes after the first 0 \(\w+…\); got KeyError: 'marker'"),
        ("Unpacks", "frames", r"56x40 from 255 lost packets; got IndexError: no name for packet 2"),
        ("Trusts", "frames", r"picture of 3000x2000 from packets of a sm.*; got 1\.\d\d GB of mem"),
        ("Swells", "memory", r"from the bytes f+ after the first 0; got 0\.[23]\d GB of memory"),
    ],
)
def test_exactly_the_right_check_fails(broken, monkeypatch, name, check, words):
    if check != "other-process":  # then it need not be asked of another one, which takes its time
        monkeypatch.setattr(other_process, "run", here)
    failed = failures(CODEC_CHECKS, lambda: broken(name, max_growth_bytes=2 * 10**8))
    assert list(failed) == [check], failed
    assert re.search(words, str(failed[check]), re.DOTALL), failed[check]


@pytest.mark.parametrize(
    ("name", "check", "limit_s", "words"),
    [
        ("Hangs", "garbage", 1, r"after the first 0 .*; got TimeoutError: no result within 1 s"),
        ("Crashes", "garbage", 20, r"got the process was ended by SIGSEGV in decode \(broken_code"),
        ("Exits", "garbage", 20, r"got the process was ended with exit status 3; promised: G"),
        (
            "Explodes",
            "memory",
            20,
            r"than 0\.5 GB of memory; got more, and was stopped; promised: Me",
        ),
        (
            "Sleeps",
            "picture",
            0.1,
            r"asked to send the photo within .*; got no result within 1\.5 s; ",
        ),
    ],
)
def test_what_takes_its_process_along_is_told(broken, monkeypatch, name, check, limit_s, words):
    monkeypatch.setattr(elsewhere, "MAX_BYTES", 5 * 10**8)
    assert run_check(CHECKS["budget"], broken(name, decode_limit_s=20)).failure is None
    report = run_check(CHECKS[check], broken(name, decode_limit_s=limit_s))
    assert report.failure is not None
    assert re.search(words, str(report.failure), re.DOTALL), report.failure


ORPHAN = """
import os, pathlib, threading, time
from semcom.conformance.isolated_process import run

def wait(file):
    pathlib.Path(file).write_text(str(os.getpid()))
    time.sleep(60)

def leave(file):
    threading.Thread(target=run, args=(wait, file), kwargs={"limit_s": 60}, daemon=True).start()
    while not (os.path.exists(file) and os.path.getsize(file)):
        time.sleep(0.01)
    os._exit(0)
"""


def test_a_process_ends_with_the_one_that_started_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "orphan.py").write_text(ORPHAN)
    file = tmp_path / "pid"
    with pytest.raises(elsewhere.ProcessError, match="ended with exit status 0"):
        elsewhere.run(importlib.import_module("orphan").leave, str(file), limit_s=60)
    for _ in range(500):
        try:
            os.kill(int(file.read_text()), 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError("it is still there")


def test_a_codec_that_cannot_be_built_is_refused_in_one_line(broken):
    with pytest.raises(ValueError, match=r"^codec 'Lacks' has no steerable$"):
        open_codec(broken("Lacks"))
    with pytest.raises(ValueError, match=r"^codec 'Dies' cannot be built: .* SIGSEGV in __init_"):
        open_codec(broken("Dies"))
    with pytest.raises(ValueError, match=r"^codec 'jpeg' has no option 'quality=3'"):
        open_codec(Candidate("jpeg:quality=3"))
    with pytest.raises(ValueError, match=r"^the limit must be above 0 s"):
        Candidate("jpeg", decode_limit_s=0)
