"""Importing users' code leaves the search path as it was."""

from __future__ import annotations

import sys

import pytest

from semcom.checkpoints.user_code import quiet_import


@pytest.mark.parametrize("there", [True, False])
def test_the_search_path_keeps_its_order(tmp_path, monkeypatch, there):
    """A folder that comes before others still does so afterwards."""
    place = str(tmp_path.resolve())
    path = [place, *sys.path] if there else [*sys.path]
    monkeypatch.setattr(sys, "path", [*path])
    with quiet_import(tmp_path):
        assert place in sys.path
    assert sys.path == path
