"""``semcom bler``: codes beside theory and peers, and sizes that no code has are refused."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from channels import theory
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.packets.mcs import SCHEMES, find_scheme
from experiments.cli.main import main
from experiments.link_level.bler import (
    PEERS,
    BlockErrors,
    block_systems,
    default_snrs,
    num_coded_bits,
)
from experiments.link_level.snr_axis import create_channel
from experiments.link_level.task import Task
from experiments.link_level.theory_curves import bicm_limit_db, reference_bler
from tests.failing import refusal

Semcom = Callable[..., Result]
HAS_SIONNA = importlib.util.find_spec("sionna") is not None


@pytest.fixture
def semcom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Semcom:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["bler", *arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


def test_writes_counts_table_and_plot(semcom: Semcom) -> None:
    sizes = ("-k", "60,120", "--rate", "0.5", "--modulation", "qpsk,16qam")
    result = semcom(*sizes, "--snrs", "1:7:3", "--max-blocks", "500", "--out", "out")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["bler.csv", "bler.pdf", "bler.png", "rows.jsonl"]
    with Path("out/bler.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 4 * 3
    for system in {row["system"] for row in table}:
        mine = [row for row in table if row["system"] == system]
        rates = [float(row["rate"]) for row in mine]
        assert rates == sorted(rates, reverse=True)
        # No code beats the normal approximation by much, and here none comes near.
        assert all(float(row["high"]) > float(row["theory"]) for row in mine)
    assert "QPSK 0.500, k = 60 over awgn" in result.stdout
    before = Path("out/rows.jsonl").read_text()
    assert {json.loads(line)["about"]["decoder"] for line in before.splitlines()} == {
        DEFAULT_DECODER
    }
    semcom(*sizes, "--snrs", "1:7:3", "--max-blocks", "500", "--out", "out")
    assert Path("out/rows.jsonl").read_text() == before


def test_ebn0_counts_information_bits(semcom: Semcom) -> None:
    """Rate 1/2 QPSK: Es = Eb. The same point on both axes is the same task."""
    sizes = ("-k", "60", "--snrs", "2", "--max-blocks", "500")
    assert semcom(*sizes, "--axis", "esn0").exit_code == 0
    before = Path("semcom-bler/rows.jsonl").read_text()
    assert semcom(*sizes, "--axis", "ebn0").exit_code == 0
    assert Path("semcom-bler/rows.jsonl").read_text() == before


def test_every_combination_is_a_system() -> None:
    systems = block_systems(
        info_bits=(100, 200), rates=(0.4, 0.5), modulations=(2, 4), channels=("awgn", "rayleigh")
    )
    assert len(set(systems)) == len(systems) == 16
    assert {one.num_coded_bits for one in systems if one.num_info_bits == 100} == {250, 252, 200}
    (one,) = block_systems(info_bits=(100,), coded_bits=(180,))
    assert (one.num_coded_bits, one.bits_per_symbol) == (180, 2)
    (one,) = block_systems(info_bits=(1000,), schemes=(SCHEMES[20].name,))
    assert one.bits_per_symbol == SCHEMES[20].bits_per_symbol
    assert one.code_rate == pytest.approx(SCHEMES[20].code_rate, rel=0.003)
    assert find_scheme("20") == find_scheme(SCHEMES[20].name.lower()) == SCHEMES[20]


def test_snrs_start_where_a_code_could_work() -> None:
    (qpsk,) = block_systems(info_bits=(1000,))
    assert default_snrs([qpsk]) == tuple(np.arange(0, 4.1, 0.5))  # the limit is at 0.19 dB
    (qam,) = block_systems(info_bits=(1000,), modulations=(4,))
    assert default_snrs([qpsk, qam])[-1] == 9.0  # at 5.27 dB
    assert default_snrs([qam], "ebn0")[0] == 2.0  # less 3.01 dB
    assert default_snrs([replace(qpsk, channel="rayleigh")]) == tuple(range(0, 22, 2))
    (spread,) = block_systems(info_bits=(12,), coded_bits=(60_000,))
    assert -40 < default_snrs([spread])[0] < -30


@pytest.mark.parametrize("code_rate", [1 / 3, 0.5, 2 / 3, 0.9])
def test_the_code_is_the_shortest_of_whole_symbols(code_rate: float) -> None:
    for bits in (1, 2, 4, 6, 8):
        n = num_coded_bits(600, code_rate, bits)
        assert n % bits == 0
        assert n - bits < 600 / code_rate <= n + 1e-6


def test_decoders_see_the_same_bits_and_noise() -> None:
    hasty = BlockErrors(200, 400, 2, max_iterations=2)
    few, many = (Task(one, 1.5).run(0) for one in (hasty, replace(hasty, max_iterations=20)))
    assert hasty.stream() == replace(hasty, max_iterations=20).stream()
    assert hasty.about() != replace(hasty, max_iterations=20).about()
    assert few.errors > many.errors > 0


def test_block_fading_stays_above_the_outage_probability() -> None:
    system = BlockErrors(400, 800, 2, channel="rayleigh")
    reference = reference_bler(create_channel("rayleigh"), 400, 400)
    assert reference is not None
    assert reference.name == "outage probability"
    outage = float(reference.rate(np.array(10.0)))
    assert outage == pytest.approx(float(theory.outage_rayleigh(10.0, 1.0)), rel=1e-4)
    count = sum((Task(system, 10.0).run(i) for i in range(1, 4)), Task(system, 10.0).run(0))
    low, high = count.interval(0.99994)
    assert high > outage
    # The code needs at most 2 dB more than capacity.
    assert low < float(theory.outage_rayleigh(8.0, 1.0))


def test_references_follow_the_channel() -> None:
    awgn = reference_bler(create_channel("awgn"), 100, 100)
    assert awgn is not None
    assert awgn.name == "normal approximation"
    assert reference_bler(create_channel("middleton"), 100, 100) is None  # not Gaussian
    assert reference_bler(create_channel("rayleigh_fast"), 100, 100) is None
    assert reference_bler(create_channel("rayleigh:block_length=50"), 100, 100) is None
    assert reference_bler(create_channel("rayleigh:block_length=100"), 100, 100) is not None
    limit = bicm_limit_db(4, 2.0, create_channel("awgn"))
    assert limit is not None
    assert float(theory.bicm_mutual_information(4, limit)) == pytest.approx(2.0, abs=1e-3)
    fast = bicm_limit_db(4, 2.0, create_channel("rayleigh_fast"))
    assert fast is not None
    assert limit + 1 < fast < limit + 4
    assert bicm_limit_db(4, 2.0, create_channel("rayleigh")) is None


@pytest.mark.skipif(not HAS_SIONNA, reason="needs the extra sionna")
def test_sionna_decodes_what_we_encode() -> None:
    system = BlockErrors(100, 200, 4, decoder=PEERS["sionna"])
    assert Task(system, 15.0).run(0).errors == 0
    ours, theirs = (
        Task(replace(system, decoder=name), 6.5).run(0)
        for name in (DEFAULT_DECODER, PEERS["sionna"])
    )
    assert 0.5 < ours.errors / theirs.errors < 2


@pytest.mark.skipif(HAS_SIONNA, reason="the extra sionna is here")
def test_a_missing_peer_says_what_to_install(semcom: Semcom) -> None:
    result = semcom("--peer", "sionna")
    assert result.exit_code == 1
    assert "pip install 'semcom[sionna]'" in result.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-k", "8449"), r"num_info_bits must be in \[12, 8448\].*got 8449"),
        (("-k", "0"), "num_info_bits must be at least 1, got 0"),
        (("-k", "ten"), "whole numbers separated by commas, got 'ten'"),
        (("--rate", "1.2"), r"code rate must be in \(0, 1\), got 1.2"),
        (("--rate", "0"), r"code rate must be in \(0, 1\), got 0.0"),
        (("--rate", "-0.5"), r"code rate must be in \(0, 1\), got -0.5"),
        (("--rate", "nan"), r"code rate must be in \(0, 1\), got nan"),
        (("--rate", "0.97"), "code rate k/n must be at most 0.95, got 1024/1056"),
        (("-n", "1000"), "code rate k/n must be at most 0.95, got 1024/1000"),
        (("-n", "2001"), "multiple of bits_per_symbol, got 2001 and 2"),
        (("-n", "2000", "--rate", "0.5"), "-n and --rate both set the code rate"),
        (("--modulation", "8qam"), "16qam.*got '8qam'"),
        (("--modulation", "3"), "bits per symbol, got '3'"),
        (("--scheme", "QPSK 0.6"), "unknown scheme 'QPSK 0.6'.*closest matches: 'QPSK 0"),
        (("--scheme", "1000"), "scheme must be below .*got 1000"),
        (("--scheme", "0", "--rate", "0.5"), "--scheme already sets rate and modulation"),
        (("--snrs", "nan"), "finite number of dB, got nan"),
        (("--snrs", "inf"), "finite number of dB, got inf"),
        (("--max-blocks", "-5"), "'--max-blocks': -5"),
        (("--channel", "ether"), "unknown channel 'ether'; choices: awgn"),
        (("--decoder", "magic"), "unknown decoder 'magic'; choices: int8, float32, boxplus"),
        (("--iterations", "0"), "max_iterations must be at least 1, got 0"),
        (("--peer", "matlab"), "'matlab' is not"),
    ],
)
def test_nonsense_is_refused_by_name_before_any_work(
    semcom: Semcom, arguments: tuple[str, ...], message: str
) -> None:
    assert re.search(message, refusal(semcom(*arguments)))
