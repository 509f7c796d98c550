"""What a wheel holds besides Python, and where the version comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import semcom

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_stands_in_one_place():
    assert semcom.__version__ == PROJECT["project"]["version"]


def test_every_file_beside_the_sources_is_packed_but_for_our_results():
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        folder = ROOT / package
        packed = {path for pattern in patterns for path in folder.glob(pattern)}
        files = {p for p in folder.rglob("*") if p.is_file() and p.parent.name != "__pycache__"}
        results = set((folder / "results").glob("*"))  # for readers of the tree
        assert {p for p in files - packed if p.suffix != ".py"} <= results
        assert packed <= files
