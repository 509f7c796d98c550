"""Units of work: what a worker is sent, and what it sends back if it cannot do it.

A module of its own, so that processes which plan or pass on work need not load the link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.datasets.items import Item
from experiments.store.database import TaskResult
from experiments.suites.setting import Setting, task_id


@dataclass(frozen=True)
class Job:
    """A setting, and some draws of its channel."""

    setting: Setting
    first: int
    draws: int
    pictures: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit of work: jobs for one image, so that it is read and segmented once."""

    item: Item
    jobs: tuple[Job, ...]

    def describe(self, job: Job, **about: Any) -> TaskResult:
        """Return the result of a job, with the id of its task."""
        mask = self.item.mask_sha256 if job.setting.needs_mask else ""
        setting = job.setting.id
        task = task_id(setting, self.item.sha256, mask)
        names = (task, job.first, job.draws, self.item.sha256, mask, setting, job.setting.seed)
        return TaskResult(*names, **about)

    def parts(self) -> list[Unit]:
        """Return a unit for each job; see :class:`experiments.running.pool.Work`."""
        return [Unit(self.item, (job,)) for job in self.jobs] if len(self.jobs) > 1 else []

    def failed(self, error: Exception) -> list[TaskResult]:
        """Return results that report the error for every job."""
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return [self.describe(job, seconds=0.0, error=text, trace=text) for job in self.jobs]
