"""Benchmark of the overhead of running a suite.

Goals: at most 5 ms per task for 100,000 tasks without work, with constant memory, and at least 1.8
times the speed with two jobs on two cores. The overhead includes planning, submitting and
committing rows. Peer: the same work without a suite, one task after the other in this process. At
last, the two scores that take longest, on one thread, beside scikit-image and pytorch-msssim.

``python -m experiments.benchmarks.suite_overhead [--tasks N]``
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import tempfile
import time
import timeit
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from experiments.running.runner import run
from experiments.running.unit import Unit
from experiments.store.database import TaskResult
from experiments.suites.suite import Suite
from semcom.scores.ssim import ms_ssim, ssim

GOAL_MS, GOAL_JOBS = 5.0, 1.8
_OUTCOME = {"draw": 0, "count": 1, "packets_received": 1, "all_lost": False, "sha256": "0" * 64}
_SCORES = dict.fromkeys(("psnr_db", "ssim", "ms_ssim", "region_psnr_db", "theta_psnr_db"), 30.0)


def nothing(unit: Unit) -> list[TaskResult]:
    """Return rows like real ones, without doing any work."""
    outcomes = [{**_OUTCOME, "scores": _SCORES}]
    record = {"sha256": "0" * 64, "scheme": "16-QAM 0.729", "cbr": 1 / 16, "num_bits": 1}
    about = {"seconds": 0.0, "record": record, "outcomes": outcomes}
    return [unit.describe(job, **about) for job in unit.jobs]


def photos(folder: Path, count: int) -> Path:
    """Write images of 256x256 with noisy gradients."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, 256)[:, None, None] + np.zeros((256, 256, 3))
    for i in range(count):
        pixels = np.clip(ramp + rng.normal(0, 20, ramp.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def overhead(folder: Path, num_tasks: int, jobs: int) -> None:
    """Run tasks without work, in two runs; the second run is ten times as long."""
    for tasks in (num_tasks // 10, num_tasks):
        seeds = list(range(tasks // 10))
        suite = Suite(title="nothing", images=str(photos(folder, 10)), seed=seeds, pictures=0)
        start = time.perf_counter()
        out = folder / f"out-{tasks}-{jobs}"
        made = run(suite, out, jobs=jobs, do=nothing, say=lambda *_: None).made
        assert made == tasks
        each_ms = 1e3 * (time.perf_counter() - start) / tasks
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{tasks} tasks, {jobs} jobs: {each_ms:.2f} ms a task (goal {GOAL_MS:g}), "
            f"peak memory {peak:.0f} MB",
            flush=True,
        )


def speedup(folder: Path) -> None:
    """Measure the time of real tasks with one job and with two."""
    os.environ["SEMCOM_CACHE"] = "off"
    suite = Suite(
        title="work", images=str(photos(folder, 8)), cbr=["1/16", "1/12"], snr_db=list(range(5, 15))
    )
    quiet = functools.partial(run, suite, say=lambda *_: None)
    quiet(folder / "warm", jobs=1)  # compiles
    seconds = {}
    for jobs in (1, 2):
        start = time.perf_counter()
        made = quiet(folder / f"jobs-{jobs}", jobs=jobs).made
        seconds[jobs] = time.perf_counter() - start
        print(f"{made} real tasks, {jobs} jobs: {seconds[jobs]:.1f} s", flush=True)
    print(f"two jobs {seconds[1] / seconds[2]:.2f} times as fast as one (goal {GOAL_JOBS})")


def similarities() -> None:
    """Measure the time of SSIM and MS-SSIM of a picture of 768x512 beside their peers."""
    original = np.random.default_rng(0).integers(0, 256, (512, 768, 3), np.uint8)
    received = original[::-1].copy()
    tensors = [
        torch.from_numpy(image)[None].permute(0, 3, 1, 2).float() for image in (original, received)
    ]
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pair = functools.partial(
        structural_similarity, original, received, data_range=255, channel_axis=-1, **wang
    )
    works: dict[str, tuple[Callable[[], Any], str, Callable[[], Any]]] = {
        "SSIM": (lambda: ssim(original, received), "scikit-image", pair),
        "MS-SSIM": (lambda: ms_ssim(original, received), "pytorch-msssim", lambda: peer(*tensors)),
    }
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit, by pytorch-msssim
        from pytorch_msssim import ms_ssim as peer
    for name, (own, package, other) in works.items():
        own_s, other_s = (min(timeit.repeat(work, number=1, repeat=5)) for work in (own, other))
        print(
            f"{name}: {1e3 * own_s:.0f} ms; {package}: {1e3 * other_s:.0f} ms, "
            f"{other_s / own_s:.1f} times as long",
            flush=True,
        )


def main() -> None:
    """Measure and print the overhead and the speedup."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    tasks = parser.parse_args().tasks
    with tempfile.TemporaryDirectory() as folder:
        for jobs in (1, 2):
            overhead(Path(folder), tasks, jobs)
    with tempfile.TemporaryDirectory() as folder:
        speedup(Path(folder))
    similarities()


if __name__ == "__main__":
    main()
