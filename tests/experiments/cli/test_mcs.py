"""``semcom mcs``: the measured table, carried over to a channel, and its distance from capacity."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from channels import theory
from channels.catalogue import CHANNELS
from channels.packets.mcs import SCHEMES
from channels.packets.scheme_sets import scheme_set
from channels.packets.target import Target
from channels.units import awgn_capacity
from experiments.cli.main import main
from experiments.link_level.scheme_table import SchemeRow, scheme_rows

Semcom = Callable[..., Result]


@pytest.fixture
def semcom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Semcom:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["mcs", *arguments], env={"COLUMNS": "100"})
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


@pytest.fixture(scope="module")
def awgn() -> list[SchemeRow]:
    return scheme_rows("awgn", 1000)


def test_writes_table_and_plot(semcom: Semcom) -> None:
    result = semcom("--out", "out", "--num-bits", "1000")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("out").iterdir()) == ["mcs.csv", "mcs.pdf", "mcs.png"]
    with Path("out/mcs.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["scheme"] for row in table] == [scheme.name for scheme in SCHEMES]
    for scheme in SCHEMES:
        assert scheme.name in result.stdout


def test_gaps_are_what_the_scheme_needs_above_the_bounds(awgn: list[SchemeRow]) -> None:
    assert [row.scheme for row in awgn] == list(SCHEMES)
    for row in awgn:
        assert row.snr_db == tuple(sorted(row.snr_db))
        assert awgn_capacity(row.capacity_db) == pytest.approx(row.efficiency, abs=1e-3)
        assert row.normal_db is not None
        bler = theory.normal_approximation_bler(row.num_bits + 24, row.num_uses, row.normal_db)
        assert float(bler) == pytest.approx(0.01, rel=0.05)
        assert row.normal_gap_db is not None
        assert 0 < row.normal_gap_db < row.capacity_gap_db


def test_block_fading_costs_the_accepted_outage(awgn: list[SchemeRow]) -> None:
    quantile = CHANNELS.create("rayleigh").gain_quantile(Target().outage)
    for here, there in zip(awgn, scheme_rows("rayleigh", 1000), strict=True):
        for measured, carried in zip(here.snr_db, there.snr_db, strict=True):
            assert carried == pytest.approx(measured - 10 * math.log10(quantile), abs=0.01)
        assert there.capacity_gap_db == pytest.approx(here.capacity_gap_db, abs=0.01)


def test_fast_fading_is_compared_with_ergodic_capacity(awgn: list[SchemeRow]) -> None:
    for here, there in zip(awgn, scheme_rows("rayleigh_fast", 1000), strict=True):
        assert there.snr_db[1] > here.snr_db[1]
        capacity = float(theory.rayleigh_capacity(there.capacity_db))
        assert capacity == pytest.approx(there.efficiency, rel=0.01)
        assert there.capacity_gap_db > 0
        assert there.normal_gap_db is None


def test_every_block_of_the_papers_has_6144_coded_bits() -> None:
    papers = scheme_rows("awgn", 8400, "papers")
    assert [row.scheme for row in papers] == list(scheme_set("papers"))
    for row in papers:
        assert row.num_bits + 24 == row.scheme.code_rate * 6144
        assert awgn_capacity(row.capacity_db) == pytest.approx(row.efficiency, abs=1e-3)
        assert row.normal_gap_db is not None
        assert 0 < row.normal_gap_db < row.capacity_gap_db


def test_shaping_closes_a_quarter_of_the_gap_to_capacity() -> None:
    rows = scheme_rows("awgn", 8400, "shaped")
    assert [row.number for row in rows] == list(range(len(scheme_set("shaped"))))
    shaped = [row for row in rows if row.scheme.shaped]
    others = [row for row in rows if not row.scheme.shaped]
    for row in shaped[::10]:
        near = min(others, key=lambda other: abs(other.efficiency - row.efficiency))
        assert row.efficiency == pytest.approx(row.scheme.efficiency, rel=1e-3)
        assert 0.5 < row.capacity_gap_db < 0.75 * near.capacity_gap_db


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--schemes", "lte"), "unknown set of schemes 'lte'; choices: nr, papers, shaped"),
        (("--schemes", "shaped", "--num-bits", "1000"), "at least 3720.*got 1000"),
        (("--schemes", "shaped", "--channel", "rayleigh_fast"), "unlike channel 'rayleigh_fast'"),
        (("--channel", "ether"), "unknown channel 'ether'; choices: awgn"),
        (("--channel", "jakes"), "unlike those of channel 'jakes': use semcom bler --scheme"),
        (("--num-bits", "8"), "num_bits must be at least 296, .*measured, got 8"),
        (("--num-bits", "many"), "'many' is not a valid integer"),
    ],
)
def test_nonsense_is_refused(semcom: Semcom, arguments: tuple[str, ...], message: str) -> None:
    result = semcom(*arguments)
    assert result.exit_code != 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert re.search(message, line)
    assert list(Path().iterdir()) == []
