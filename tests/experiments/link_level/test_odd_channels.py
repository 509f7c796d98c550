"""Channels that a table, a theory or a stored count does not hold for, and odd numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import erfc

from channels.catalogue import CHANNELS
from channels.models.awgn import Awgn
from channels.packets.mcs import SCHEMES
from experiments.cli.main import main
from experiments.link_level.ber import BitErrors
from experiments.link_level.scheme_table import FadingLaw
from experiments.link_level.task import Task
from experiments.link_level.theory_curves import bicm_limit_db, exact_ber


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    file = tmp_path / "gains.csv"
    file.write_text("gain_db\n0\n-10\n")
    return file


def test_blocks_within_a_code_block_have_no_row_in_the_table() -> None:
    FadingLaw("rayleigh")
    with pytest.raises(ValueError, match="use semcom bler --scheme"):
        FadingLaw("rayleigh:block_length=10")


def test_the_theory_of_a_trace_is_the_mean_over_its_rows(trace: Path) -> None:
    channel = CHANNELS.create(f"trace:file={trace},normalise=false")
    found = exact_ber(channel, 2)
    assert found is not None
    snrs = np.array([10 ** (snr_db / 10) for snr_db in (10.0, 0.0)])
    expected = np.mean([0.5 * erfc(np.sqrt(snr / 2)) for snr in snrs])
    assert found.rate(np.array([10.0])) == pytest.approx(expected, rel=1e-6)
    first = CHANNELS.create(f"trace:file={trace},start=first")
    assert exact_ber(first, 2) is None


def test_counts_of_another_file_are_not_taken_for_those_of_this_one(trace: Path) -> None:
    def point() -> str:
        return Task(BitErrors(f"trace:file={trace},hold=2", 2), 6.0).point

    before = point()
    assert point() == before
    trace.write_text("gain_db\n0\n-20\n")
    assert point() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ber", "--snrs=-4000"], "SNR must be between -300 and 300 dB, got -4000"),
        (["bler", "--snrs=4000"], "SNR must be between -300 and 300 dB, got 4000"),
    ],
)
def test_snrs_beyond_what_numbers_hold_are_refused(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, SystemExit)
    assert message in result.stderr


def test_a_rate_of_next_to_nothing_has_no_limit() -> None:
    assert bicm_limit_db(2, 1e-9, Awgn()) is None
    assert bicm_limit_db(2, SCHEMES[0].efficiency, Awgn()) is not None


@pytest.mark.parametrize("k_db", [80, 90, 100])
def test_a_line_of_sight_alone_is_next_to_gaussian(k_db: float) -> None:
    channel = CHANNELS.create(f"rician:k_db={k_db}")
    k = 10 ** (k_db / 10)
    spread = np.sqrt(2 * k + 1) / (k + 1)
    for p, deviations in ((1e-9, -5.9978), (0.1, -1.28155), (0.5, 0.0), (1 - 1e-9, 5.9978)):
        found = (channel.gain_quantile(p) - 1) / spread
        assert found == pytest.approx(deviations, abs=5e-3)


def test_one_symbol_for_each_transmission_over_antennas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--num-symbols", "1", "--channel", "mimo", "--snrs", "10", "--max-bits", "100000"]
    result = CliRunner().invoke(main, ["ber", *options])
    assert result.exit_code == 0, result.output
