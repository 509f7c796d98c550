"""Results files are merged and, if damaged, saved, as a user calls it."""

from __future__ import annotations

import shutil
from pathlib import Path

from experiments.store.study import read_results
from tests.experiments.cli.studying import Run, query, tamper


def test_merging_two_halves_gives_the_whole(done: Run) -> None:
    """Two machines with an SNR each, and one overlap, are one run over both."""
    for snr, out in (("7", "one"), ("[7, 10]", "two")):
        done("run", "s.yaml", "--out", out, "--jobs", "1", "--set", f"snr_db={snr}")
    result = done("merge", "all.db", "one/results.db", "two/results.db")
    assert "8 rows of one/results.db added" in result.stderr
    assert "8 rows of two/results.db added" in result.stderr
    assert "differ" not in result.stderr
    sql = "SELECT task, first, draws, sums, record, outcomes FROM rows ORDER BY task, first"
    assert query(sql, "all.db") == query(sql)
    assert len(read_results(Path("all.db")).points) == 8
    assert len(query("SELECT * FROM runs", "all.db")) == 2


def test_a_draw_counts_once_however_batches_were_cut(done: Run) -> None:
    for draws in (3, 5):
        done(
            "run",
            "s.yaml",
            "--out",
            f"d{draws}",
            "--jobs",
            "1",
            "--set",
            f"draws={draws}",
            "--set",
            "cbr=1/4",
            "--set",
            "snr_db=7",
            "--set",
            "images=a.png",
        )
    done("merge", "all.db", "d3/results.db", "d5/results.db")
    assert {n for (n,) in query("SELECT sum(draws) FROM rows GROUP BY task", "all.db")} == {5}
    result = done("merge", "other.db", "d5/results.db", "d3/results.db")
    assert "0 rows of d3/results.db added" in result.stderr


def test_merge_tells_rows_that_differ(done: Run) -> None:
    shutil.copy("out/results.db", "other.db")
    tamper("rowid = 3", "[]", "other.db")
    result = done("merge", "out/results.db", "other.db")
    assert "1 rows differ" in result.stderr
    assert query("SELECT count(*) FROM rows WHERE outcomes = '[]'") == [(0,)]


def test_merge_refuses_what_is_none(done: Run) -> None:
    assert "no such results file" in done("merge", "all.db", "none.db").stderr
    assert "is the target itself" in done("merge", "out/results.db", "out/results.db").stderr
    assert "not a results file" in done("merge", "all.db", "a.png").stderr


def test_what_can_be_read_of_a_damaged_file_is_saved(done: Run) -> None:
    """A file that was cut is refused, saved in part, and a run makes the rest anew."""
    whole = query("SELECT task, outcomes FROM rows")
    data = Path("out/results.db").read_bytes()
    Path("cut").mkdir()
    Path("cut/results.db").write_bytes(data[: int(0.8 * len(data))])
    refused = done("run", "s.yaml", "--out", "cut", "--jobs", "1")
    assert refused.exit_code == 1
    assert "semcom merge --salvage" in refused.stderr
    assert done("merge", "saved/results.db", "cut/results.db").exit_code == 1
    assert done("merge", "--salvage", "saved/results.db", "cut/results.db").exit_code == 0
    saved = query("SELECT task, outcomes FROM rows", "saved/results.db")
    assert 0 < len(saved) <= len(whole)
    assert set(saved) <= set(whole)
    assert done("run", "s.yaml", "--out", "saved", "--jobs", "1").exit_code == 0
    assert sorted(query("SELECT task, outcomes FROM rows", "saved/results.db")) == sorted(whole)
