"""An image with its map, and a codec that sends pixels as they are."""

from __future__ import annotations

import sys

import pytest

from channels.registry import Entry
from semcom.codecs.base import CODECS
from semcom.importance.maps import importance
from semcom.types import Mask
from tests.semcom.link.analog.links import Pixels


@pytest.fixture(scope="session")
def what(region):
    return importance([Mask(region)], *region.shape)


@pytest.fixture
def pixels(monkeypatch):
    """``codec="pixels"``, whose side information is that of the class."""
    entry = Entry("pixels", f"{__name__}:Pixels")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(CODECS, "_entries", {**CODECS._entries, "pixels": entry})
    monkeypatch.setattr(Pixels, "side", ())
    target = CODECS.load
    monkeypatch.setattr(CODECS, "load", lambda name: Pixels if name == "pixels" else target(name))
    return Pixels
