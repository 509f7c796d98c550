"""The overview of many codecs: its numbers, its order, and when there is none."""

from __future__ import annotations

import math

import pytest

from experiments.figures.overview import overview
from experiments.suites.axes import System
from tests.experiments.figures.studies import column, named, point, scores, study

CODECS = ("hevc", "vvc", "av1", "avif", "webp", "jpeg", "jpeg2000", "tiny", "softcast")


def many(codecs=CODECS):
    """Return codecs of which each is 1 dB worse than the last, and steered 1.5 dB better inside."""
    points = []
    for k, codec in enumerate(codecs):
        for blind in (True, False):
            if blind or codec in ("hevc", "softcast"):
                db = 40.0 - k
                seen = {"a": [scores(db, db) if blind else scores(db + 1.5, db - 1)]}
                name = System("blind" if blind else "by importance", (("codec", codec),))
                points.append(point(name, seen, codec=codec, blind=blind))
    return study(points)


def test_a_row_for_each_codec_best_first():
    (drawing,) = overview(many(), width=7.16)
    table = drawing.data
    assert column(table, "region_psnr_db", codec="hevc", blind="no") == [41.5]
    assert column(table, "region_psnr_db", codec="softcast", blind="yes") == [32.0]
    whole = -10 * math.log10((10**-4.15 + 10**-3.9) / 2)
    assert column(table, "psnr_db", codec="hevc", blind="no") == [pytest.approx(whole)]
    assert list(dict.fromkeys(column(table, "codec"))) == [*CODECS[:7], "softcast", "tiny"]
    (panel,) = drawing.figure.axes
    shown = [label.get_text() for label in panel.get_yticklabels()]
    assert shown == ["tiny", "softcast", *reversed(CODECS[:7])]


def test_few_codecs_or_two_systems_of_one_codec_have_none():
    assert overview(many(CODECS[:8]), width=7.16) == []
    one = many()
    again = point(System("masks", (("codec", "hevc"),)), {"a": [scores(30, 30)]}, codec="hevc")
    assert overview(study([*one.points, again]), width=7.16) == []
    assert "overview" not in named(overview(study([again]), width=7.16))
