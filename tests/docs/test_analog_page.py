"""The analog codec that the documentation shows works as it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import semcom
from semcom.codecs.base import CODECS
from semcom.conformance.analog.checks import ANALOG_CHECKS
from semcom.conformance.analog.checks import promises as promised
from semcom.conformance.base import Candidate

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "docs" / "examples" / "thumbnail-codec"
PAGE = (ROOT / "docs" / "tutorials" / "adding-a-codec.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Analog codecs\n")[2]
SOURCE = (PACKAGE / "thumbnail.py").read_text(encoding="utf-8")


@pytest.fixture
def thumbnail(install):
    install((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"), SOURCE)


def test_the_page_shows_the_example_package():
    assert re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL) == [SOURCE]
    assert sum(bool(line.strip()) for line in SOURCE.splitlines()) <= 36


def test_every_promise_is_checked_and_quoted_as_the_page_makes_it():
    bullets = [" ".join(part.replace("**", "").split()) for part in SECTION.split("\n- ")[1:]]
    promises = {value for name, value in vars(promised).items() if name.isupper()}
    assert promises == {check.promise for check in ANALOG_CHECKS}
    assert len(bullets) == len(promises)
    for bullet in bullets:
        assert any(bullet.startswith(promise) for promise in promises), bullet


@pytest.mark.usefixtures("thumbnail")
@pytest.mark.parametrize("check", ANALOG_CHECKS, ids=lambda check: check.name)
def test_the_example_keeps_the_promises(check):
    assert check.function(Candidate("thumbnail")) == ""


@pytest.mark.usefixtures("thumbnail")
def test_the_example_sends_a_picture(photo):
    assert CODECS.entry("thumbnail").source == "thumbnail-codec"
    qualities = []
    for snr_db in (4, 10, 16):
        delivery = semcom.send(
            photo,
            segmenter="graph",
            codec="thumbnail",
            channel="rician:k_db=9",
            csi="pilots",
            snr_db=snr_db,
            cbr="1/4",
        )
        assert delivery.transmission.num_uses == delivery.transmission.budget
        qualities.append(delivery.scores["psnr_db"])
    assert (np.diff(qualities) > 0.5).all()
