"""What every registered disturbance must do: see ``semcom check-disturbance``."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from experiments.cli.main import main
from semcom.conformance import disturbances
from semcom.conformance.base import CheckFailed
from semcom.conformance.disturbances import DISTURBANCE_CHECKS, Candidate
from semcom.disturbances.base import DISTURBANCES

ELSEWHERE = {"from_folder", "fgsm", "pgd", "patch"}
"""They need a file or weights; their own tests are in tests/semcom/disturbances."""
SPECS = [
    *(n for n in DISTURBANCES.names() if n not in ELSEWHERE and not DISTURBANCES.entry(n).missing),
    "occlusion:where=object",
    "occlusion:where=background",
]


@pytest.mark.parametrize("check", DISTURBANCE_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("spec", SPECS)
def test_check(spec, check, monkeypatch):
    """As :mod:`semcom.conformance.runner` makes it; the other process is a thread's work here."""
    monkeypatch.setattr(disturbances, "run", lambda function, *rest, limit_s: function(*rest))  # noqa: ARG005
    assert check.function(Candidate(spec)) == ""


class Broken:
    """A disturbance with one fault."""

    def __init__(self, fault):
        self.fault, self.calls = fault, 0

    def __call__(self, image, *, severity, seed, truth):  # noqa: ARG002
        self.calls += 1
        if self.fault == "float":
            return image.astype(float)
        if self.fault == "size":
            return image[1:]
        if self.fault == "list":
            return image.tolist()
        if self.fault == "error":
            raise RuntimeError("no")
        if self.fault == "in place":
            image[:] = 0
            return image
        if self.fault == "nothing":
            return image.copy()
        if self.fault == "unseeded":
            return np.full_like(image, self.calls)
        np.random.random()  # noqa: NPY002
        return np.zeros_like(image)


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("float", "pictures"),
        ("size", "pictures"),
        ("list", "pictures"),
        ("error", "pictures"),
        ("in place", "input"),
        ("nothing", "effect"),
        ("unseeded", "seed"),
        ("global generator", "seed"),
    ],
)
def test_a_fault_fails_its_check(fault, failing, monkeypatch):
    broken = Broken(fault)
    monkeypatch.setattr(Candidate, "disturbance", lambda _: broken)
    monkeypatch.setattr(disturbances, "run", lambda function, *rest, limit_s: function(*rest))  # noqa: ARG005
    failed = []
    for check in DISTURBANCE_CHECKS:
        try:
            check.function(Candidate("broken"))
        except CheckFailed:
            failed.append(check.name)
    assert failing in failed
    if failing != "pictures":
        assert failed == [failing]


def test_the_command_checks_in_processes_of_their_own():
    result = CliRunner().invoke(main, ["check-disturbance", "jitter"])
    assert result.exit_code == 0, result.output
    assert "jitter: all 5 checks passed" in result.output
    unknown = CliRunner().invoke(main, ["check-disturbance", "smog"])
    assert unknown.exit_code == 1
    assert "unknown disturbance 'smog'" in unknown.output
