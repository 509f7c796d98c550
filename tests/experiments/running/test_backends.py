"""Backends: what is refused, and a real Dask cluster of which a worker is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from experiments.running.backends import check_backend, default_jobs, workers
from semcom import cache

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("spark", None, "unknown backend 'spark'; choices: local, dask, ray"),
        ("local", "tcp://a:1", "the local backend takes no address"),
        ("dask", None, "needs the scheduler's address, such as tcp://host:8786"),
    ],
)
def test_what_cannot_be_is_refused(name: str, address: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_backend(name, address)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"needs ray: pip install 'semcom\[ray\]'"):
        check_backend("ray", None)


def test_there_is_a_job() -> None:
    assert default_jobs() >= 1
    with workers("local", jobs=1) as (submit, slots):
        assert slots == 1
        assert submit(divmod, 7, 2).result() == (3, 1)
        with pytest.raises(ZeroDivisionError):
            submit(divmod, 7, 0).result()


def test_a_cache_that_cannot_be_used_is_said_once_and_not_by_every_worker(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "file" / "encodings"))
    with workers("local", jobs=2) as (submit, _):
        made = [submit(cache.recall, bytes, i) for i in range(4)]
        assert [future.result() for future in made] == 4 * [b""]
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        f"cannot create {tmp_path / 'file' / 'encodings'}"
    ]
    assert capfd.readouterr().err == ""


DASK = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, os.getcwd())

ROWS = (
    "SELECT task, first, draws, image, mask, setting, seed, lost, sums, record, outcomes "
    "FROM rows ORDER BY task, first"
)

def main():
    from distributed import Client, LocalCluster
    from experiments.store.database import Database
    from experiments.running.runner import run
    from experiments.suites.suite import Suite
    from experiments.running.worker import work

    folder = Path(sys.argv[1])
    suite = Suite.model_validate(dict(
        title="t", images=str(folder / "*.png"), segmenter="whole_image", codec="jpeg",
        channel="rayleigh", cbr=["1", "1/2"], snr_db="6:8:1", draws=4, pictures=0,
    ))
    rows = {}
    with LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster, Client(cluster) as client:
        once = str(folder / "killed")

        def work_and_die(unit):
            import os, signal
            from experiments.running.worker import work

            made = work(unit)
            if unit.jobs[0].setting.snr_db == 7.0:
                try:
                    os.close(os.open(once, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    return made
                os.kill(os.getpid(), signal.SIGKILL)
            return made

        before = set(client.run(os.getpid).values())
        for name, how in {
            "dask": dict(backend="dask", address=cluster.scheduler_address, do=work_and_die),
            "local": dict(jobs=1),
        }.items():
            done = run(suite, folder / name, say=lambda *_: None, **how)
            assert done.made == done.tasks == 12 and not done.failed, done
            with Database(folder / name / "results.db") as database:
                rows[name] = list(database.query(ROWS))
        after = set(client.run(os.getpid).values())
    assert len(before) == 2 and len(before - after) == 1, (before, after)
    assert rows["dask"] == rows["local"]
    print("the same", len(rows["dask"]))

if __name__ == "__main__":
    main()
"""


def test_a_dask_cluster_that_loses_a_worker_makes_the_same_rows(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    rng = np.random.default_rng(0)
    for name in "ab":
        smooth = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((8, 8, 1)))
        PilImage.fromarray(smooth.astype(np.uint8)).save(tmp_path / f"{name}.png")
    script = tmp_path / "script.py"
    script.write_text(DASK)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["the same 12"], done.stderr[-3000:]


def test_no_dask_scheduler_is_said_in_one_line() -> None:
    code = (
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from experiments.running import backends\n"
        "backends.CONNECT_S = 1\n"
        "try:\n"
        "    with backends.workers('dask', jobs=1, address='tcp://127.0.0.1:9'): pass\n"
        "except ValueError as error: print(error)\n"
    )
    pytest.importorskip("distributed")
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.startswith("no Dask scheduler at tcp://127.0.0.1:9: ")
    assert len(done.stdout.splitlines()) == 1
