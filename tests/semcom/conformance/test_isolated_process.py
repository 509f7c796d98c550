"""The process of a check: like this one, but new, and whatever starts it."""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from semcom.conformance.isolated_process import run

SURROUNDINGS = """
import os, subprocess, sys
KEPT = []

def surroundings():
    KEPT.append(1)
    about = os.getcwd(), os.environ.get("SEMCOM_TEST"), os.environ["SEMCOM_CACHE"], sys.path[0]
    return *about, len(KEPT), os.getpid()

def start_another():
    return subprocess.Popen(["sleep", "60"]).pid
"""
SCRIPT = """
print("ran as", __name__)
from surroundings import surroundings
from semcom.conformance.isolated_process import run
print("found", run(surroundings, limit_s=60)[4])
"""


def test_it_has_our_surroundings_and_nothing_has_run_in_it(tmp_path, monkeypatch):
    (tmp_path / "surroundings.py").write_text(SURROUNDINGS)
    (tmp_path / "other").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("SEMCOM_TEST", raising=False)
    function = importlib.import_module("surroundings").surroundings
    monkeypatch.chdir(tmp_path)
    first = run(function, limit_s=60)
    assert first[:5] == (str(tmp_path), None, "off", str(tmp_path), 1)
    monkeypatch.chdir("other")  # what changes after the first start holds for the next
    monkeypatch.setenv("SEMCOM_TEST", "set")
    second = run(function, limit_s=60)
    assert second[:5] == (str(tmp_path / "other"), "set", "off", str(tmp_path), 1)
    assert len({first[5], second[5], os.getpid()}) == 3


def test_what_it_has_started_ends_with_it(tmp_path, monkeypatch):
    (tmp_path / "surroundings.py").write_text(SURROUNDINGS)
    monkeypatch.syspath_prepend(tmp_path)
    other = run(importlib.import_module("surroundings").start_another, limit_s=60)
    with contextlib.suppress(psutil.NoSuchProcess):
        left = psutil.Process(other)
        end = time.monotonic() + 10
        while left.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_script_without_a_guard_runs_once_and_its_folder_hides_no_module(tmp_path):
    (tmp_path / "surroundings.py").write_text(SURROUNDINGS)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "secrets.py").write_text("raise RuntimeError")  # NumPy imports it
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "../script.py"]
    done = subprocess.run(
        command,
        cwd=tmp_path / "folder",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["ran as __main__", "found 1"]


def test_threads_leave_the_main_module_as_it_is():
    main = sys.modules["__main__"]
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda number: run(abs, number, limit_s=60), range(-6, 0))
        assert list(found) == [6, 5, 4, 3, 2, 1]
    assert sys.modules["__main__"] is main
