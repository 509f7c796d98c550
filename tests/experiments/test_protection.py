"""Equal beside unequal protection: rows, resumption, and the numbers of the table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from experiments.protection_plot import share_shown, simulated_psnr_db

Run = Callable[..., Result]
SETTINGS = (
    *("--mask", "m.png", "--codec", "jpeg2000:layers=3", "--equal-codecs", "jpeg"),
    *("--channel", "rayleigh", "--snr-db", "15", "--cbr", "1/2", "--mismatch", "9,10,11"),
    *("--draws", "6", "--out", "out"),
)


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("out/rows.jsonl").read_text("utf-8").splitlines()]


def test_a_row_for_every_draw_and_a_second_run_adds_none(run: Run) -> None:
    result = run("protection", "a.png", *SETTINGS)
    assert result.exit_code == 0
    rows = _rows()
    fading, mismatch = 4 * 6, 4 * 3  # systems by draws, systems by SNRs
    assert len(rows) == len({row["id"] for row in rows}) == fading + mismatch
    assert {path.suffix for path in Path("out").iterdir()} == {".jsonl", ".png", ".pdf"}
    for name in ("equal, fixed for error: jpeg", "unequal: jpeg2000:layers=3", "10 ± 3 dB: jpeg"):
        assert name in result.stdout
    again = run("protection", "a.png", *SETTINGS)
    assert again.exit_code == 0
    assert again.stdout == result.stdout
    assert _rows() == rows


def test_a_killed_run_goes_on_with_the_same_rows(run: Run) -> None:
    run("protection", "a.png", *SETTINGS)
    whole = _rows()
    lines = Path("out/rows.jsonl").read_text("utf-8").splitlines(keepends=True)
    Path("out/rows.jsonl").write_text("".join(lines[:10]) + lines[10][:40], encoding="utf-8")
    result = run("protection", "a.png", *SETTINGS)
    assert "line 11: damaged, passed over" in result.stderr
    made = [
        json.loads(line)
        for line in Path("out/rows.jsonl").read_text("utf-8").splitlines()
        if line.endswith("}")
    ]
    assert sorted(made, key=lambda row: row["id"]) == sorted(whole, key=lambda row: row["id"])


def test_the_sure_sender_falls_off_the_cliff_and_the_one_in_doubt_does_not(run: Run) -> None:
    run("protection", "a.png", *SETTINGS[:-4], "--draws", "1", "--out", "out")
    arrived = {
        (row["snr_db"], row["planned_std_db"]): row["packets_received"]
        for row in _rows()
        if row["channel"] == "awgn" and row["codec"] == "jpeg"
    }
    assert arrived == {
        **{(snr_db, 0): int(snr_db > 9) for snr_db in (9, 10, 11)},
        **{(snr_db, 3): 1 for snr_db in (9, 10, 11)},
    }
    graceful = [
        row["packets_received"]
        for row in _rows()
        if row["channel"] == "awgn" and row["codec"] == "jpeg2000:layers=3"
    ]
    assert min(graceful) > 0


def test_means_are_taken_over_errors_and_over_decibels() -> None:
    rows = [
        {"sha256": "x", "theta_psnr_db": 20.0, "region_psnr_db": 24.9},
        {"sha256": "x", "theta_psnr_db": 40.0, "region_psnr_db": 25.0},
    ]
    by_hand = -10 * math.log10((1e-2 + 1e-4) / 2)
    assert simulated_psnr_db(rows) == pytest.approx(by_hand)
    other = {"sha256": "y", "theta_psnr_db": 30.0, "region_psnr_db": 30.0}
    assert simulated_psnr_db([*rows, other]) == pytest.approx((by_hand + 30) / 2)
    assert share_shown(rows) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mismatch", "4,12,10"), "LOW,PLANNED,HIGH, got 4,12,10"),
        (("--draws", "0"), "draws must be at least 1, got 0"),
        (("--protection", "fair"), "choices: equal, unequal, graceful"),
        (("--equal-codecs", "jpg"), "unknown codec 'jpg'"),
        (("--losses", "rain"), "unknown packet channel 'rain'"),
        (("--std-db", "-1"), "deviation must be 0 to 30 dB"),
    ],
)
def test_bad_settings_are_refused_in_one_line(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = run("protection", "a.png", *SETTINGS, *arguments)
    assert result.exit_code == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert message in errors[-1]
