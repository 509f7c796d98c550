"""Scores as plug-ins: what is asked for, checked, and computed."""

from __future__ import annotations

import math

import numpy as np
import pytest

import semcom
from semcom.importance.maps import importance
from semcom.scores import score
from semcom.scores.base import ALWAYS, SCORES, check_scores, opened, optional, split_specs
from semcom.types import Mask

PYPROJECT = """
[project]
name = "odd-scores"
version = "0.1.0"
[project.entry-points."semcom.scores"]
odd = "odd_scores:Odd"
"""
ODD = """
class Odd:
    label, unit, better, range = "odd", "", "higher", (0.0, 1.0)

    def __init__(self, *, gives: str = "0.5"):
        self.gives = gives

    def __call__(self, original, received, scored):
        return {"nan": float("nan"), "none": None, "text": "good"}.get(self.gives, self.gives)
"""


@pytest.fixture
def odd(install):
    install(PYPROJECT, ODD)
    opened.cache_clear()
    yield
    opened.cache_clear()


def test_what_is_always_computed_is_never_asked_for():
    assert optional([*ALWAYS, "gmsd", "codes", "gmsd"]) == ("codes", "gmsd")


@pytest.mark.parametrize("spec", ["a", "a:x=1", "a:x=1,y=2"])
def test_names_are_split_between_scores_and_not_between_options(spec):
    assert split_specs(f"fsim, {spec},codes") == ["fsim", spec, "codes"]
    assert split_specs(",".join(split_specs(f"{spec},{spec}"))) == [spec, spec]


@pytest.mark.usefixtures("odd")
def test_scores_that_were_asked_for_follow_the_others(photo, region):
    made = importance([Mask(region)], *region.shape)
    found = score(photo, photo, made, also=["odd", "odd:gives=none", "odd:gives=1.000001"])
    assert list(found) == [*ALWAYS, "odd", "odd:gives=none", "odd:gives=1.000001"]
    assert found["odd"] == 0.5
    assert found["odd:gives=none"] is None
    assert found["odd:gives=1.000001"] == 1.0  # rounding


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        ("nan", "score 'odd:gives=nan' gave nan, which is not in 0 to 1"),
        ("1.1", "score 'odd:gives=1.1' gave 1.1, which is not in 0 to 1"),
        ("inf", "gave inf"),
        ("text", "gave 'good', which is not a number"),
    ],
)
@pytest.mark.usefixtures("odd")
def test_a_value_that_is_none_is_refused_by_name(photo, region, gives, message):
    made = importance([Mask(region)], *region.shape)
    with pytest.raises(ValueError, match=message):
        score(photo, photo, made, also=[f"odd:gives={gives}"])


@pytest.mark.usefixtures("odd")
def test_send_measures_and_records_them(photo):
    about = {"segmenter": "graph", "codec": "jpeg", "cbr": "1/8"}
    plain = semcom.send(photo, **about)
    more = semcom.send(photo, **about, scores=["odd", "ssim"])
    assert "scores" not in plain.record
    assert more.record["scores"] == ["odd"]
    assert more.record["odd"] == more.scores["odd"] == 0.5
    kept = {name: value for name, value in more.record.items() if name not in ("scores", "odd")}
    assert kept == plain.record
    gains = semcom.compare(photo, **about, scores="odd").gains
    assert gains["odd"] == 0


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (["fsmi"], "unknown score 'fsmi' \\(did you mean 'fsim'\\?\\)"),
        (["fsim:over=face"], "over must be one of picture, region, got 'face'"),
        (["mask_iou:prompt=box"], "prompt=box needs a segmenter"),
        (["mask_iou:segmenter=sma"], "unknown segmenter 'sma'"),
        (["text_recall:over=x"], "over must be one of"),
    ],
)
def test_what_cannot_be_computed_is_refused_before_anything_is_sent(photo, scores, message):
    with pytest.raises(ValueError, match=message):
        semcom.send(photo, segmenter="graph", scores=scores)


def test_a_mask_file_gives_nothing_to_repeat():
    with pytest.raises(ValueError, match="name a segmenter, as in mask_iou:segmenter=graph"):
        check_scores(["mask_iou"], can_look=False)
    check_scores(["mask_iou:segmenter=graph"], can_look=False)


def test_directions_are_those_of_the_values(photo, region):
    """The more noise, the worse, for all that are in the packages."""
    made = importance([Mask(region)], *region.shape)
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    noisy = [np.clip(np.rint(photo + s * noise), 0, 255).astype(np.uint8) for s in (0, 4, 16, 64)]
    specs = [
        f"{name}{over}"
        for name in ("fsim", "vif", "gmsd", "haarpsi", "mdsi", "psnr_hvs_db", "ssimulacra2")
        for over in ("", ":over=region")
    ]
    found = [score(photo, one, made, also=specs) for one in noisy]
    for spec in specs:
        sign = 1 if SCORES.load(spec.partition(":")[0]).better == "higher" else -1
        values = [sign * (one[spec] or 0) for one in found]
        assert all(math.isfinite(value) for value in values[1:])
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == len(values)
