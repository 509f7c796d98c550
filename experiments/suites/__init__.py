"""The suites that come with semcom."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped() -> dict[str, Path]:
    """Return the files of the suites that come with semcom, by name."""
    folder = Path(str(files("experiments.suites")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}
