"""``semcom plan``: how much there is to do, how long it takes, and what has no effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image as PilImage

from experiments.store.integrity import seal_of
from tests.experiments.cli.studying import Run, query


def test_plan_says_how_much_there_is_and_what_is_done(suite: Run) -> None:
    before = suite("plan", "s.yaml", "--out", "out").stdout
    assert "16" in before
    assert "a rough estimate" in before
    suite("run", "s.yaml", "--out", "out", "--jobs", "1", "--set", "cbr=1/4")
    between = suite("plan", "s.yaml", "--out", "out").stdout.split()
    assert between[between.index("done") + 1] == "8"
    assert "existing rows" in " ".join(between)
    suite("run", "s.yaml", "--out", "out", "--jobs", "1")
    assert "nothing to do" in suite("plan", "s.yaml", "--out", "out").stdout


def test_plan_knows_where_fewer_draws_were_enough(suite: Run) -> None:
    """Also of a suite that leaves the choice of the segmenter to this machine."""
    PilImage.effect_noise((64, 48), 60).convert("RGB").save("noise.png")
    Path("few.yaml").write_text(
        "{title: t, question: q?, images: noise.png, codec: jpeg, channel: rayleigh, cbr: 1/2,"
        " blind: true, draws: {most: 64, within: 50, lost_within: 0.9}}"
    )
    suite("run", "few.yaml", "--out", "few", "--jobs", "1")
    ((drawn,),) = query("SELECT sum(draws) FROM rows", "few/results.db")
    assert drawn < 64
    assert "nothing to do" in suite("plan", "few.yaml", "--out", "few").stdout


def _planned_seconds(result: Result) -> float:
    """Return the seconds of one job, without what the start takes."""
    words = result.stdout.split()
    number, unit = words[words.index("time") + 1 : words.index("time") + 3]
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit] - 10


def test_plan_counts_what_many_small_pictures_take(suite: Run) -> None:
    """Each is segmented, and each of its tasks is planned, sent and scored, however small."""
    Path("small").mkdir()
    for i in range(30):
        PilImage.new("RGB", (32, 32), (i, 0, 0)).save(f"small/{i}.png")
    changes = ("--set", "images=small/", "--set", "segmenter=graph", "--set", "pictures=0")
    plain = suite("plan", "s.yaml", "--out", "out", "--jobs", "1", *changes)
    assert 15 <= _planned_seconds(plain) <= 60
    whole = ("--set", "segmenter=whole_image")
    found = suite("plan", "s.yaml", "--out", "out", "--jobs", "1", *changes, *whole)
    assert _planned_seconds(plain) - _planned_seconds(found) == pytest.approx(30 * 0.5, abs=1.1)


def test_plan_scales_what_rows_took_with_the_size_of_the_images(done: Run) -> None:
    query("DELETE FROM rows WHERE rowid > 1")
    ((identity, *row),) = query("SELECT rowid, * FROM rows")
    row[11] = 2.05
    query(f"UPDATE rows SET seconds = 2.05, seal = {seal_of(*row[:-1])} WHERE rowid = {identity}")
    PilImage.new("RGB", (640, 480)).save("large.png")
    changes = ("--set", "images=large.png", "--set", "segmenter=whole_image")
    jpeg = ("--set", "systems={}", "--set", "blind=true", "--set", "cbr=1/4", "--set", "snr_db=7")
    result = done("plan", "s.yaml", "--out", "out", "--jobs", "1", *changes, *jpeg)
    assert "estimated from existing rows" in result.stdout
    # 2 s beyond what every task takes, for 64x48; 100 times the pixels here.
    assert _planned_seconds(result) == pytest.approx(200, abs=40)  # told in minutes


def test_plan_and_run_say_how_often_the_channel_is_drawn(suite: Run) -> None:
    fading = ("--set", "channel=[awgn, rayleigh]", "--set", "cbr=1/3", "--set", "snr_db=10")
    plan = suite("plan", "s.yaml", "--out", "out", *fading)
    assert "1 over awgn; 8 to 32 over rayleigh, for each image" in plan.stdout
    assert "rayleigh: 8 to 32 draws (realisations of the channel) for each image" in plan.stderr
    once = ("--set", "draws=1")
    made = suite("run", "s.yaml", "--out", "out", "--jobs", "1", *fading, *once)
    assert (
        "rayleigh: one draw of the channel for each image says little about the mean" in made.stderr
    )
    shown = " ".join(suite("plot", "out", "--formats", "svg").stdout.split())
    assert "means of 2 images, awgn CBR" in shown
    assert "means of 2 images, rayleigh, one draw of the channel each" in shown
    assert "A single draw of a random gain says little about the mean" in shown


def test_what_has_no_effect_is_told(suite: Run) -> None:
    """A value that every point replaces would else be passed over in silence."""
    points = ["--set", "points=[{snr_db: 7}, {snr_db: 10}]"]
    result = suite("plan", "s.yaml", "--out", "out", *points, "--set", "snr_db=8")
    assert "snr_db has no effect, because all points set it themselves" in result.stderr
    assert "no effect" not in suite("plan", "s.yaml", "--out", "out").stderr


def test_a_codec_that_cannot_follow_the_map_is_told(suite: Run) -> None:
    plain = ["--set", "systems={blind: {blind: true}, masks: {}}", "--set", "cbr=1/4"]
    result = suite("run", "s.yaml", "--out", "out", "--jobs", "1", *plain)
    assert "codec jpeg cannot follow the importance map" in result.stderr
