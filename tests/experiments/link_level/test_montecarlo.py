"""Counting errors: honest intervals, and rows that do not depend on how they came about."""

from __future__ import annotations

import doctest
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from channels import theory
from experiments import intervals as counts
from experiments.intervals import Count
from experiments.link_level import montecarlo
from experiments.link_level.ber import BitErrors
from experiments.link_level.montecarlo import Limits, add_up, collect
from experiments.link_level.task import Task
from experiments.running.pool import ProcessDiedError
from semcom.errors import InputError

LIMITS = Limits(max_errors=40, max_trials=5000)
Collect = Callable[..., list[Count]]


@dataclass(frozen=True)
class Coin:
    """Fails with probability 10^(-SNR/10), on its own."""

    size: int = 100
    receiver: str = "a"

    @property
    def name(self) -> str:
        return "coin"

    def about(self) -> dict[str, Any]:
        return asdict(self)

    def stream(self) -> dict[str, Any]:
        return {"size": self.size}

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        errors = int((torch.rand(self.size, generator=rng) < 10 ** (-snr_db / 10)).sum())
        return Count(self.size, errors, self.size, errors, errors)


COINS = [Task(Coin(), snr_db) for snr_db in (7.0, 15.0, 60.0)]


@pytest.fixture
def quiet() -> Collect:
    def run(tasks: list[Task], store: Path, **options: Any) -> list[Count]:
        options = {"limits": LIMITS, "say": lambda *_: None, "progress": False, **options}
        return collect(tasks, store, **options)

    return run


def _rows(store: Path) -> list[dict[str, Any]]:
    rows = []
    for line in store.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("errors", [0, 1, 7, 50])
def test_independent_trials_get_clopper_and_pearsons_interval(errors: int) -> None:
    ours = Count(50, errors, 50, errors, errors).interval(0.9)
    theirs = binomtest(errors, 50).proportion_ci(0.9, method="exact")
    assert ours == pytest.approx((theirs.low, theirs.high))


def test_no_error_is_an_upper_bound_and_counts_groups_only() -> None:
    low, high = Count(trials=64_000, errors=0, groups=1000, wrong_groups=0, squares=0).interval()
    assert low == 0
    assert high == pytest.approx(binomtest(0, 1000).proportion_ci(method="exact").high)
    assert Count().interval() == (0.0, 1.0)
    assert np.isnan(Count().rate)


@pytest.mark.parametrize("p", [0.003, 0.1])
def test_the_interval_covers_the_truth_as_often_as_it_says(p: float) -> None:
    rng = np.random.default_rng(1)
    draws = rng.binomial(500, p, size=1000)
    intervals = [Count(500, int(k), 500, int(k), int(k)).interval() for k in draws]
    covered = np.mean([low <= p <= high for low, high in intervals])
    assert covered > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 1000)


@pytest.mark.parametrize(("snr_db", "num_groups"), [(5.0, 500), (20.0, 4000), (30.0, 4000)])
def test_the_interval_covers_the_truth_where_bits_share_a_fade(
    snr_db: float, num_groups: int
) -> None:
    """As if bits were independent, most intervals would miss."""
    rng = np.random.default_rng(2)
    truth = float(theory.ber_rayleigh(2, snr_db))
    covered = naive = 0
    for _ in range(300):
        gains_db = 10 * np.log10(rng.exponential(size=num_groups))
        errors = rng.binomial(128, theory.ber_awgn(2, snr_db + gains_db))
        total, wrong = int(errors.sum()), int((errors > 0).sum())
        count = Count(128 * num_groups, total, num_groups, wrong, int((errors**2).sum()))
        low, high = count.interval()
        covered += low <= truth <= high
        one_each = Count(count.trials, total, count.trials, total, total)
        low, high = one_each.interval()
        naive += low <= truth <= high
    assert covered > 300 * (0.95 - 4 * np.sqrt(0.95 * 0.05 / 300))
    assert naive < 150


@pytest.mark.parametrize("module", [counts, montecarlo])
def test_the_examples_run(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_counts_add_up() -> None:
    a, b = Count(10, 3, 5, 2, 5), Count(20, 1, 10, 1, 1)
    assert a + b == Count(30, 4, 15, 3, 6)
    assert Count() + a == a


def test_stops_at_enough_errors_or_enough_trials(tmp_path: Path, quiet: Collect) -> None:
    many, some, none = quiet(COINS, tmp_path / "rows.jsonl")
    # The end of the batch that reaches a limit, and not one more.
    assert many.errors >= 40 > many.errors - 100 * 0.5
    assert many.trials < 1000
    assert 40 <= some.errors < 40 + 12
    assert some.trials < 5000
    assert none == Count(5000, 0, 5000, 0, 0)
    rows = _rows(tmp_path / "rows.jsonl")
    assert len(rows) == (many.trials + some.trials + none.trials) / 100
    for task, count in zip(COINS[:2], (many, some), strict=True):
        last = max(
            (row for row in rows if row["point"] == task.point),
            key=lambda row: int(row["id"].split("/")[1]),
        )
        assert count.errors - last["count"]["errors"] < 40


def test_a_run_that_was_cut_anywhere_gives_the_same_rows(tmp_path: Path, quiet: Collect) -> None:
    whole = tmp_path / "whole.jsonl"
    whole_counts = quiet(COINS, whole)
    data = whole.read_bytes()
    for cut in np.linspace(0, len(data) - 2, 12).astype(int):
        part = tmp_path / f"{cut}.jsonl"
        part.write_bytes(data[:cut])
        assert quiet(COINS, part) == whole_counts
        assert _rows(part) == _rows(whole)


def test_what_is_in_the_store_is_not_simulated_again(tmp_path: Path, quiet: Collect) -> None:
    store = tmp_path / "rows.jsonl"
    first = quiet(COINS, store)
    written = store.read_bytes()
    assert quiet(COINS, store) == first
    assert store.read_bytes() == written
    more = quiet(COINS, store, limits=Limits(max_errors=200, max_trials=5000))
    assert store.read_bytes().startswith(written)
    fresh = quiet(COINS, tmp_path / "fresh.jsonl", limits=Limits(200, 5000))
    assert more == fresh


def test_merging_is_adding_rows(tmp_path: Path, quiet: Collect) -> None:
    """Other seeds add to a point; rows that are in both files count once."""
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    other_seed = [replace(task, seed=1) for task in COINS]
    one, other = quiet(COINS, a), quiet(other_seed, b)
    both = tmp_path / "both.jsonl"
    both.write_bytes(a.read_bytes() + b.read_bytes() + a.read_bytes())
    merged = quiet(COINS, both)
    assert merged == [x + y for x, y in zip(one, other, strict=True)]
    assert add_up(_rows(both)) == {
        task.point: count for task, count in zip(COINS, merged, strict=True)
    }
    assert one[0] != other[0]


def test_receivers_see_the_same_noise_but_have_rows_of_their_own(
    tmp_path: Path, quiet: Collect
) -> None:
    tasks = [Task(Coin(receiver=name), 10.0) for name in "ab"]
    a, b = quiet(tasks, tmp_path / "rows.jsonl")
    assert a == b
    assert tasks[0].id != tasks[1].id
    assert quiet([Task(Coin(), 10.0, seed=5)], tmp_path / "other.jsonl") != [a]


def test_rows_do_not_depend_on_the_number_of_workers(tmp_path: Path, quiet: Collect) -> None:
    tasks = [Task(BitErrors("awgn", 2), snr_db) for snr_db in (8.0, 11.0)]
    limits = Limits(max_errors=200, max_trials=600_000)
    stores = [tmp_path / f"{jobs}.jsonl" for jobs in (1, 2)]
    one, two = (quiet(tasks, store, limits=limits, jobs=i) for i, store in enumerate(stores, 1))
    assert one == two
    assert _rows(stores[0]) == _rows(stores[1])
    assert len(_rows(stores[0])) == 1 + 3


def test_rows_of_other_kinds_and_damaged_rows_are_passed_over(
    tmp_path: Path, quiet: Collect
) -> None:
    store = tmp_path / "rows.jsonl"
    store.write_text('{"id": "picture", "psnr_db": 30}\nnonsense\n')
    notes: list[str] = []
    quiet(COINS[:1], store, say=notes.append)
    assert notes == [f"{store}, line 2: damaged, skipped"]


@pytest.mark.parametrize("snr_db", [float("nan"), float("inf"), float("-inf")])
def test_an_snr_that_is_no_number_is_refused(snr_db: float) -> None:
    with pytest.raises(ValueError, match=f"finite number of dB, got {snr_db}"):
        Task(Coin(), snr_db)


def test_other_nonsense_is_refused(tmp_path: Path, quiet: Collect) -> None:
    store = tmp_path / "rows.jsonl"
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        Task(Coin(), 1.0, seed=-1)
    with pytest.raises(ValueError, match="max_trials must be at least 1, got 0"):
        Limits(1, 0)
    with pytest.raises(ValueError, match="max_errors must be at least 1, got -3"):
        Limits(-3, 1)
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        quiet(COINS, store, jobs=0)
    with pytest.raises(ValueError, match="have the same point"):
        quiet([COINS[0], replace(COINS[0], seed=1)], store)
    assert not store.exists()


@dataclass(frozen=True)
class Deadly(Coin):
    """Kills the process that runs it first, which leaves a mark."""

    marks: str = ""

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        mark = Path(self.marks)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(snr_db, rng)

    def about(self) -> dict[str, Any]:
        return {"size": self.size}


def test_a_worker_that_dies_costs_no_row_and_does_not_end_the_run(
    tmp_path: Path, quiet: Collect
) -> None:
    limits = Limits(max_errors=40, max_trials=500)
    deadly = Task(Deadly(marks=str(tmp_path / "mark")), 10.0)
    found = quiet([deadly], tmp_path / "dies.jsonl", jobs=2, limits=limits)
    alone = quiet([Task(Coin(), 10.0)], tmp_path / "lives.jsonl", limits=limits)
    assert [count.trials for count in found] == [count.trials for count in alone]


def test_a_batch_that_comes_to_no_end_is_not_left_out_silently() -> None:
    with pytest.raises(RuntimeError, match="its process died"):
        montecarlo.Batch(COINS[0], 0).failed(RuntimeError("its process died"))
    with pytest.raises(InputError, match="its process died; fewer --jobs need less memory"):
        montecarlo.Batch(COINS[0], 0).failed(ProcessDiedError("its process died"))
