"""``semcom ber``: simulated bit error rates lie where theory says, and nonsense is refused."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from matplotlib.container import ErrorbarContainer
from scipy.special import ndtri, roots_hermitenorm
from torch import Tensor

from channels import theory
from channels.catalogue import CHANNELS
from channels.models.fading import FastFading
from channels.packets.mcs import parse_modulation
from experiments.axis_values import parse_snrs
from experiments.cli.main import main
from experiments.intervals import Count
from experiments.link_level.ber import BitErrors, ber
from experiments.link_level.curves import CurveLabels, Series, draw
from experiments.link_level.montecarlo import Limits
from experiments.link_level.snr_axis import create_channel
from experiments.link_level.task import Task
from experiments.link_level.theory_curves import exact_ber
from tests.failing import refusal

Semcom = Callable[..., Result]


@pytest.fixture
def semcom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Semcom:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["ber", *arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


def _table(out: str = "semcom-ber") -> list[dict[str, str]]:
    with Path(out, "ber.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("channel", ["awgn", "rayleigh", "rayleigh_fast", "rician:k_db=3"])
@pytest.mark.parametrize("bits_per_symbol", [1, 2, 4, 6, 8])
def test_theory_lies_inside_the_interval(channel: str, bits_per_symbol: int) -> None:
    """An interval of 4 sigma, at this seed, from one batch."""
    system = BitErrors(channel, bits_per_symbol)
    snr_db = {1: 3.0, 2: 6.0, 4: 12.0, 6: 17.0, 8: 22.0}[bits_per_symbol]
    count = Task(system, snr_db).run(0)
    low, high = count.interval(0.99994)
    exact = exact_ber(create_channel(channel), bits_per_symbol)
    assert exact is not None
    assert low < float(exact.rate(np.array(snr_db))) < high
    assert high - low < 0.3 * count.rate
    per_group = bits_per_symbol * (32 if channel in ("rayleigh", "rician:k_db=3") else 1)
    assert count.trials == count.groups * per_group


@pytest.mark.parametrize("name", CHANNELS.names())
def test_every_channel_can_be_measured(name: str) -> None:
    """With theory inside, where the law of the gain is known; bits of a fade count together."""
    if CHANNELS.entry(name).missing:
        pytest.skip(f"{name} needs an extra")
    trace = Path(__file__).parents[2] / "channels" / "conformance" / "trace.csv"
    spec = f"trace:file={trace}" if name == "trace" else name
    count = Task(BitErrors(spec, 2), 8.0).run(0)
    assert 0 < count.errors < count.trials / 2
    assert count.wrong_groups <= count.errors <= count.squares
    exact = exact_ber(create_channel(spec), 2)
    if exact is not None:
        low, high = count.interval(0.99994)
        assert low < float(exact.rate(np.array(8.0))) < high


def test_any_known_law_has_a_theory() -> None:
    """Log-normal shadowing, against Gauss-Hermite quadrature over its normal variable."""
    sigma = 0.9

    class Shadowing(FastFading):
        def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
            z = torch.randn(shape, generator=rng)
            return torch.exp((sigma * z - sigma**2 / 2) / 2).to(like.dtype)

        def gain_quantile(self, p: float) -> float:
            return float(np.exp(sigma * ndtri(p) - sigma**2 / 2))

    exact = exact_ber(Shadowing(), 2)
    assert exact is not None
    z, weights = roots_hermitenorm(100)
    gains_db = 10 * np.log10(np.exp(sigma * z - sigma**2 / 2))
    expected = theory.ber_awgn(2, 10 + gains_db) @ weights / weights.sum()
    assert float(exact.rate(np.array(10.0))) == pytest.approx(expected, rel=1e-9)


def test_writes_counts_table_and_plot(semcom: Semcom) -> None:
    options = ("--modulation", "bpsk,16-QAM", "--channel", "awgn", "--channel", "rayleigh_fast")
    result = semcom(*options, "--snrs", "0:8:4", "--max-bits", "100000", "--out", "out")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["ber.csv", "ber.pdf", "ber.png", "rows.jsonl"]
    table = _table("out")
    assert [row["snr_db"] for row in table] == ["0.0", "4.0", "8.0"] * 4
    assert {row["system"] for row in table} == {
        f"{name} over {channel}" for name in ("BPSK", "16-QAM") for channel in options[3::2]
    }
    for row in table:
        low, rate, high = float(row["low"]), float(row["rate"]), float(row["high"])
        assert low <= rate <= high
        assert rate == int(row["errors"]) / int(row["trials"])
    found = re.search(r"theory lies inside (\d+) of 12 intervals", result.stdout)
    assert found is not None
    assert int(found[1]) >= 9  # 95 % of 12, less 3 sigma
    assert "━" not in result.stdout  # the bar is for people


def test_goes_on_where_it_was(semcom: Semcom) -> None:
    options = ("--snrs", "8,10", "--max-bits", "2000000")
    assert semcom(*options).exit_code == 0
    store = Path("semcom-ber/rows.jsonl")
    rows, table = store.read_text(), _table()
    store.write_text(rows[:-40])
    result = semcom(*options)
    assert "damaged, skipped" in result.stderr
    assert _table() == table
    whole = [json.loads(line) for line in rows.splitlines()]
    mended = [json.loads(line) for line in store.read_text().splitlines() if line.endswith("}")]
    assert sorted(mended, key=str) == sorted(whole, key=str)
    before = store.read_text()
    assert semcom(*options).exit_code == 0
    assert store.read_text() == before


def test_ebn0_is_per_bit(tmp_path: Path) -> None:
    """Bit for bit, BPSK and QPSK are the same against Eb/N0."""
    limits = Limits(10**6, 200_000)
    quiet = lambda *_: None  # noqa: E731
    bpsk, qpsk = ber((1, 2), ("awgn",), (4.0,), tmp_path, axis="ebn0", limits=limits, say=quiet)
    x = np.array([4.0])
    assert bpsk.theory is not None
    assert qpsk.theory is not None
    expected = float(theory.ber_awgn(1, 4.0))
    assert float(bpsk.theory.rate(x)[0]) == pytest.approx(expected)
    assert float(qpsk.theory.rate(x)[0]) == pytest.approx(expected)
    for one in (bpsk, qpsk):
        low, high = one.counts[0].interval(0.99994)
        assert low < expected < high
    assert (tmp_path / "ber.csv").read_text().startswith("system,ebn0_db,")


def test_over_ofdm_a_whole_slot_is_sent(tmp_path: Path) -> None:
    """Its first symbols lie beyond the pilots, where the estimate of a moving channel is worst."""
    channel, limits = "tdl:doppler_hz=200,estimation=ls", Limits(50, 10_000)
    quiet = lambda *_: None  # noqa: E731
    ber((2,), (channel, "awgn"), (10.0,), tmp_path, limits=limits, say=quiet)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    sent = {row["about"]["channel"]: row["about"]["num_symbols"] for row in rows}
    assert sent == {channel: len(create_channel(channel).layout.data), "awgn": 32}


def test_no_error_is_drawn_as_an_upper_bound() -> None:
    none, some = Count(1000, 0, 1000, 0, 0), Count(1000, 100, 1000, 100, 100)
    exact = exact_ber(create_channel("awgn"), 2)
    one = Series("QPSK", (0.0, 9.0, 10.0), (some, none, none), exact)
    figure = draw([one], CurveLabels("BER", "bits", "esn0", "bit error rate", exact=True))
    (plot,) = figure.axes
    assert plot.get_yscale() == "log"
    bars = [box for box in plot.containers if isinstance(box, ErrorbarContainer)]
    points, arrow = (box.lines[0].get_xydata() for box in bars)
    assert np.asarray(points).tolist() == [[0.0, 0.1]]
    assert np.asarray(arrow).tolist() == [[9.0, pytest.approx(none.interval()[1])]]
    assert any(line.get_linestyle() == "--" for line in plot.lines)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["QPSK", "theory", "no error: 95 % upper bound"]


def test_ranges_and_names_are_read() -> None:
    assert parse_snrs("0:1:0.25,7,-2") == (-2.0, 0.0, 0.25, 0.5, 0.75, 1.0, 7.0)
    assert parse_snrs("0:0.3:0.1") == (0.0, 0.1, 0.2, 0.3)
    assert parse_snrs("-1:1") == (-1.0, 0.0, 1.0)
    names = ("bpsk", "QPSK", "16qam", "64-QAM", "8")
    assert [parse_modulation(name) for name in names] == [1, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--modulation", "8qam"), "bpsk, qpsk, 16qam, 64qam, 256qam.*got '8qam'"),
        (("--modulation", "qpsk,3"), "1, 2, 4, 6, 8 bits per symbol, got '3'"),
        (("--modulation", ""), "got ''"),
        (("--snrs", "nan"), "finite number of dB, got nan"),
        (("--snrs", "0,inf"), "finite number of dB, got inf"),
        (("--snrs", "0:nan:1"), "finite number of dB, got nan"),
        (("--snrs", "5:0"), "rises by a positive step, got 5 to 0 by 1 dB"),
        (("--snrs", "0:5:0"), "rises by a positive step, got 0 to 5 by 0 dB"),
        (("--snrs", "0:5:1e-9"), "at most 1000 SNRs"),
        (("--snrs", "0:1:2:3"), "FIRST:LAST:STEP, got '0:1:2:3'"),
        (("--snrs", "much"), "got 'much'"),
        (("--channel", "awg"), "unknown channel 'awg'.*choices: awgn, rayleigh"),
        (("--channel", "rician:k=2"), "no option 'k=2'.*k_db=6.0"),
        (("--max-bits", "-1"), "'--max-bits': -1"),
        (("--max-errors", "0"), "'--max-errors': 0"),
        (("--num-symbols", "0"), "num_symbols must be in .*got 0"),
        (("--jobs", "0"), "'--jobs': 0"),
        (("--seed", "-1"), "'--seed': -1"),
        (("--axis", "snr"), "'snr' is not one of 'esn0', 'ebn0'"),
    ],
)
def test_nonsense_is_refused_by_name_before_any_work(
    semcom: Semcom, arguments: tuple[str, ...], message: str
) -> None:
    assert re.search(message, refusal(semcom(*arguments)))
