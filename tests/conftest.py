"""Fixtures: real images where they are present, made ones everywhere; packages to install."""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray

from channels.catalogue import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from semcom.codecs.base import CODECS
from semcom.processor import keep_freed_memory
from semcom.scores.base import SCORES
from semcom.segmenters.base import SEGMENTERS

# No test may profit from what another run left behind, nor leave anything itself; also in the
# processes that it starts.
os.environ["SEMCOM_CACHE"] = "off"
keep_freed_memory()  # as the command line does

# Time is never a test.
settings.register_profile("semcom", deadline=None)
settings.load_profile("semcom")

SHARED = Path(__file__).parents[2] / "shared" / "data"


def _folder(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"needs the images in {SHARED / name}, which are not part of the project")
    return SHARED / name


def pytest_xdist_auto_num_workers() -> int:
    """Use one more worker than there are cores: many tests wait for processes that they start."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def kodak() -> Path:
    return _folder("kodak")


@pytest.fixture(scope="session")
def davis() -> Path:
    return _folder("davis")


@pytest.fixture(scope="session")
def encodings(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A cache that is empty at first, for tests of what happens to pictures once encoded.

    The workers of a parallel run share it.
    """
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "encodings"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Workers of a parallel run must not fight for the cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A real photo, small: 160x240, a face in the middle of much texture."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[30:190, 100:340])


@pytest.fixture(scope="session")
def region(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A made region in that photo: a tenth of it, not on the grid of blocks."""
    mask = np.zeros(photo.shape[:2], dtype=bool)
    mask[30:110, 90:138] = True
    return mask


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install(pyproject, source)`` puts a module and its entry points on ``sys.path``.

    Both are texts; without ``source`` the module is missing. Returns the folder. When the test
    ends, the registries are as before.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(pyproject: str, source: str | None = None) -> Path:
        project = tomllib.loads(pyproject)["project"]
        info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
            for module in {target.partition(":")[0] for target in points.values()}:
                monkeypatch.delitem(sys.modules, module, raising=False)
                if source is not None:
                    (site / f"{module}.py").write_text(source)
        (info / "entry_points.txt").write_text("\n".join(lines))
        importlib.invalidate_caches()
        for registry in (CODECS, CHANNELS, BIT_CHANNELS, PACKET_CHANNELS, SEGMENTERS, SCORES):
            ours = {name: e for name, e in registry._entries.items() if e.source == "semcom"}
            monkeypatch.setattr(registry, "_entries", ours)
            monkeypatch.setattr(registry, "_discovered", False)
        return site

    return install
