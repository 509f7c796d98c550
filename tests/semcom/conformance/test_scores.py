"""What every registered score must do: see ``semcom check-score``."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from experiments.cli.main import main
from semcom.conformance import scores
from semcom.conformance.base import CheckFailed
from semcom.conformance.scores import SCORE_CHECKS, Candidate
from semcom.scores.base import SCORES

ELSEWHERE = {"lpips", "dists", "class_kept", "objects_kept", "text_recall"}
"""They need weights or seconds; their own tests are in tests/semcom/scores."""
SPECS = [
    *(name for name in SCORES.names() if name not in ELSEWHERE and not SCORES.entry(name).missing),
    "gmsd:over=region",
]


@pytest.mark.parametrize("check", SCORE_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("spec", SPECS)
def test_check(spec, check, monkeypatch):
    """As :mod:`semcom.conformance.runner` makes it; the other process is a thread's work here."""
    monkeypatch.setattr(scores, "run", lambda function, *rest, limit_s: function(*rest))  # noqa: ARG005
    assert check.function(Candidate(spec)) in ("", "no value on the sample pictures")


class Broken:
    """A score with one fault."""

    label, unit, better, range = "broken", "", "higher", (0.0, 1.0)

    def __init__(self, fault):
        self.fault, self.calls = fault, 0
        if fault == "direction":
            self.better = "lower"

    def __call__(self, original, received, scored):
        self.calls += 1
        error = float(np.abs(original.astype(int) - received).mean()) / 255
        if self.fault == "in place":
            received[:] = 0
        if self.fault == "region":
            error /= scored.region.sum()
        wrong = {"nan": float("nan"), "range": 3.0, "text": "0.5", "many": np.zeros(2)}
        if self.fault == "memory":
            return 1 / self.calls
        return wrong.get(self.fault, 1 - error)


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("nan", "value"),
        ("range", "value"),
        ("many", "value"),
        ("region", "sizes"),
        ("direction", "best"),
        ("in place", "input"),
        ("memory", "same"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_fault_fails_its_check(fault, failing, monkeypatch):
    monkeypatch.setattr(Candidate, "score", lambda _: Broken(fault))
    monkeypatch.setattr(scores, "run", lambda function, *rest, limit_s: function(*rest))  # noqa: ARG005
    failed = []
    for check in SCORE_CHECKS[1:]:
        try:
            check.function(Candidate("broken"))
        except CheckFailed:
            failed.append(check.name)
    assert failing in failed
    if failing != "value":
        assert failed == [failing]


@pytest.mark.parametrize(
    ("name", "value", "got"),
    [("unit", "decibels", "unit = 'decibels'"), ("range", (1, 0), "range"), ("label", "", "label")],
)
def test_the_class_says_what_tables_need(name, value, got, monkeypatch):
    plugin = type("Plugin", (Broken,), {name: value})
    monkeypatch.setattr(SCORES, "load", lambda _: plugin)
    with pytest.raises(CheckFailed, match=got):
        SCORE_CHECKS[0].function(Candidate("broken"))


def test_the_command_checks_in_processes_of_their_own():
    result = CliRunner().invoke(main, ["check-score", "psnr_hvs_db"])
    assert result.exit_code == 0, result.output
    assert "psnr_hvs_db: all 6 checks passed" in result.output
    unknown = CliRunner().invoke(main, ["check-score", "psnr"])
    assert unknown.exit_code == 1
    assert "unknown score 'psnr'" in unknown.output
