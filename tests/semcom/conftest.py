"""A third party's package, as pip would leave it on the path."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from channels.catalogue import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from semcom.codecs.base import CODECS
from semcom.segmenters.base import SEGMENTERS

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
        for registry in (CODECS, CHANNELS, BIT_CHANNELS, PACKET_CHANNELS, SEGMENTERS):
            ours = {name: e for name, e in registry._entries.items() if e.source == "semcom"}
            monkeypatch.setattr(registry, "_entries", ours)
            monkeypatch.setattr(registry, "_discovered", False)
        return site

    return install
