"""The benchmarks of shaped amplitudes, on few blocks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from channels.models.awgn import Awgn
from channels.packets.mcs import LEVELS
from channels.shaping.block import shaped_block
from channels.units import awgn_capacity
from experiments.benchmarks.shaped import carried, thresholds


def test_a_measurement_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds, "MAX_BLOCKS", 128)
    monkeypatch.setattr(thresholds, "MAX_ERRORS", 8)
    monkeypatch.setattr(thresholds, "LEVELS", (LEVELS[0],))  # ends at a BLER below 0.1
    monkeypatch.setattr(thresholds, "jobs", lambda: [(6, 2.6, 200), (4, 1.6, 200)])
    out = tmp_path / "shaped.json"
    for _ in range(2):
        result = CliRunner().invoke(thresholds.main, ["--out", str(out)])
        assert result.exit_code == 0, result.output
    rows = json.loads(out.read_text("utf-8"))["rows"]
    assert [row["efficiency"] for row in rows] == [2.6, 1.6]
    for row in rows:
        assert row["snr_db"] == sorted(row["snr_db"])
        assert awgn_capacity(row["snr_db"][0]) > row["efficiency"]


def test_blocks_fail_below_capacity_and_arrive_far_above() -> None:
    block, rng = shaped_block(6, 520, 200), np.random.default_rng(0)
    noise = torch.Generator().manual_seed(0)
    capacity_db = 10 * np.log10(2**2.6 - 1)
    assert thresholds.send_blocks(block, Awgn(), capacity_db - 0.5, 20, rng, noise) == 20
    assert thresholds.send_blocks(block, Awgn(), capacity_db + 4, 20, rng, noise) == 0


def test_what_is_lost_adds_up() -> None:
    for name in carried.SETS:
        scheme, _ = carried.packet(name, 10.0)
        parts = carried.losses_db(name, 10.0)
        unavoidable = [part for part in parts if part.startswith(" ")]
        total = sum(parts.values()) - sum(parts[part] for part in unavoidable)
        assert awgn_capacity(10.0 - total) == pytest.approx(scheme.efficiency, abs=2e-3)


def test_the_command_prints_both_sets_and_counts_losses() -> None:
    result = CliRunner().invoke(carried.main, ["--snr-db", "10", "--blocks", "32"])
    assert result.exit_code == 0, result.output
    assert "capacity 3.459, plain QAM 3.169" in result.output
    assert "nr: 2.914 of payload" in result.output
    assert "shaped: 3.121 of payload" in result.output
    assert "of 32 shaped blocks wrong" in result.output
