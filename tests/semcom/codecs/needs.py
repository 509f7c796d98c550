"""Marks for codecs that may be missing here."""

from __future__ import annotations

import pytest

from semcom.codecs.base import CODECS


def needs(name):
    missing = CODECS.entry(name).missing
    return pytest.mark.skipif(bool(missing), reason=f"{name} needs {', '.join(missing)}")
