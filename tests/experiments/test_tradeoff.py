"""What the background pays for the region, over θ and codecs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from matplotlib.figure import Figure

from experiments.tradeoff import parse_codecs

Run = Callable[..., Result]


@pytest.fixture
def tradeoff(run: Run) -> Run:
    """Run ``semcom tradeoff`` on few points."""
    settings = ["--mask", "m.png", "--cbr", "1/4", "--thetas", "0.2,0.9", "--out", "out"]
    return lambda *arguments: run("tradeoff", *settings, *arguments)


def _results(out: str = "out") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(out) / "results.json").read_text(encoding="utf-8"))
    return content


def _points(out: str = "out") -> dict[tuple[str, str], dict[str, Any]]:
    """Mean scores by codec and what it was steered by."""
    results = _results(out)["results"]
    lines = [dict(zip(results, line, strict=True)) for line in zip(*results.values(), strict=True)]
    steered = ["blind" if line["system"] == "blind" else f"{line['theta']:g}" for line in lines]
    return {(line["codec"], by): line for line, by in zip(lines, steered, strict=True)}


def test_tradeoff_writes_rows_table_and_plot(tradeoff: Run) -> None:
    result = tradeoff("a.png", "b.png", "--codecs", "jpeg2000,jpeg")
    assert result.exit_code == 0
    names = {path.name for path in Path("out").iterdir()}
    plots = {"tradeoff.png", "tradeoff.pdf"}
    assert names == {"rows.jsonl", "results.json", "tradeoff.csv"} | plots
    assert list(_points()) == [
        ("jpeg2000", "blind"),
        ("jpeg2000", "0.2"),
        ("jpeg2000", "0.9"),
        ("jpeg", "blind"),
    ]
    rows = _results()["images"]
    assert len(rows) == len({row["id"] for row in rows}) == 4 * 2
    with Path("out/tradeoff.csv").open(encoding="utf-8", newline="") as file:
        assert {line["id"] for line in csv.DictReader(file)} == {row["id"] for row in rows}
    note = "codec jpeg cannot follow the importance map: it gives its blind point only"
    assert note in result.stderr
    table = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in table if line and line[0] in ("blind", "0.2", "0.9")] == [
        "blind",
        "0.2",
        "0.9",
        "blind",
    ]


@pytest.mark.parametrize("codec", ["hevc", "jpeg2000", "layered:base=webp"])
def test_weight_moves_quality_into_the_region(tradeoff: Run, codec: str) -> None:
    assert tradeoff("a.png", "--codecs", codec, "--thetas", "0.05,0.95").exit_code == 0
    points = _points()
    region = [points[codec, theta]["region-psnr-rgb"] for theta in ("0.05", "0.95")]
    rest = [points[codec, theta]["background-psnr-rgb"] for theta in ("0.05", "0.95")]
    assert region[1] > region[0] + 0.5
    assert rest[1] < rest[0] - 0.5
    assert region[1] > points[codec, "blind"]["region-psnr-rgb"]
    assert all(point["cbr"] <= 0.25 for point in points.values())


def test_one_theta_scores_all_points_in_the_table(tradeoff: Run) -> None:
    result = tradeoff("a.png", "--codecs", "jpeg2000", "--theta", "0.9")
    assert "at 0.9" in result.stdout
    rows = {row["theta"] if row["system"] != "blind" else 0: row for row in _results()["images"]}
    lines = [line.split() for line in result.stdout.splitlines()]
    table = {line[0]: line[-2] for line in lines if line and line[0] in ("blind", "0.2", "0.9")}
    # The row of this very θ, and the blind one, have that score themselves.
    assert table["0.9"] == f"{rows[0.9]['theta_psnr_db']:.2f}"
    assert table["blind"] == f"{rows[0]['theta_psnr_db']:.2f}"
    region, rest = (10 ** (-rows[0.2][f"{part}_psnr_db"] / 10) for part in ("region", "background"))
    assert table["0.2"] == f"{-10 * math.log10(0.9 * region + 0.1 * rest):.2f}"


def test_a_second_run_sends_nothing_and_a_third_only_what_is_new(
    tradeoff: Run, sent: list[tuple[Any, ...]]
) -> None:
    assert tradeoff("a.png", "--codecs", "jpeg2000").exit_code == 0
    assert len(sent) == 3
    first = Path("out/results.json").read_bytes()
    sent.clear()
    assert tradeoff("a.png", "--codecs", "jpeg2000").exit_code == 0
    assert sent == []
    assert Path("out/results.json").read_bytes() == first
    assert tradeoff("a.png", "--codecs", "jpeg2000,jpeg", "--thetas", "0.2,0.5,0.9").exit_code == 0
    assert len(sent) == 2  # θ = 0.5, and jpeg's one point
    sent.clear()
    assert tradeoff("a.png", "--codecs", "jpeg2000", "--cbr", "1/5").exit_code == 0
    assert len(sent) == 3


def test_a_curve_and_a_tradeoff_share_their_rows(run: Run, sent: list[tuple[Any, ...]]) -> None:
    shared = ("a.png", "--mask", "m.png", "--codec", "jpeg2000", "--cbr", "1/4", "--out", "out")
    assert run("curve", *shared, "--cbrs", "1/4", "--snrs", "10", "--theta", "0.9").exit_code == 0
    assert len(sent) == 2
    assert run("tradeoff", *shared, "--thetas", "0.9", "--theta", "0.9").exit_code == 0
    assert len(sent) == 2


def test_graded_importance_prefers_the_first_mask(tradeoff: Run) -> None:
    masks = ("a.png", "--mask", "ranks.png", "--codecs", "jpeg2000", "--thetas", "0.9")
    scores = {}
    for kind in ("region", "graded"):
        result = tradeoff(*masks, "--importance", kind, "--out", kind)
        assert result.exit_code == 0
        assert "first" in result.stdout
        scores[kind] = next(row for row in _results(kind)["images"] if row["system"] != "blind")
    assert scores["graded"]["first_psnr_db"] > scores["region"]["first_psnr_db"]
    assert scores["graded"]["others_psnr_db"] < scores["region"]["others_psnr_db"]


def test_a_line_per_codec_a_point_per_theta_and_the_blind_ones_alone(
    tradeoff: Run, figures: dict[str, Figure]
) -> None:
    assert tradeoff("a.png", "--codecs", "jpeg2000,jpeg").exit_code == 0
    (axes,) = figures["tradeoff"].axes
    line, blind, alone = axes.get_lines()
    points = _points()
    for drawn, names in (
        (line, [("jpeg2000", "0.2"), ("jpeg2000", "0.9")]),
        (blind, [("jpeg2000", "blind")]),
        (alone, [("jpeg", "blind")]),
    ):
        wanted = [points[name] for name in names]
        xs, ys = (list(part) for part in drawn.get_data())
        assert xs == [point["background-psnr-rgb"] for point in wanted]
        assert ys == [point["region-psnr-rgb"] for point in wanted]
    assert line.get_linestyle() != "None"
    assert blind.get_linestyle() == alone.get_linestyle() == "None"
    assert blind.get_color() == line.get_color() != alone.get_color()
    assert [text.get_text() for text in axes.texts] == ["θ = 0.2", "0.9"]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["jpeg2000", "jpeg", "blind"]


def test_several_masks_get_a_panel(tradeoff: Run, figures: dict[str, Figure]) -> None:
    ranks = ("a.png", "--mask", "ranks.png", "--codecs", "jpeg2000", "--importance", "graded")
    assert tradeoff(*ranks).exit_code == 0
    assert len(figures["tradeoff"].axes) == 2
    suptitle = figures["tradeoff"].get_suptitle()
    assert "graded importance" in suptitle
    rows = {row["theta"]: row for row in _results()["images"] if row["system"] != "blind"}
    xs, ys = figures["tradeoff"].axes[1].get_lines()[0].get_data()
    assert list(xs) == [rows[theta]["others_psnr_db"] for theta in (0.2, 0.9)]
    assert list(ys) == [rows[theta]["first_psnr_db"] for theta in (0.2, 0.9)]


def test_the_codec_is_the_links_unless_several_are_named(tradeoff: Run) -> None:
    assert tradeoff("a.png", "--codec", "jpeg2000:layers=2").exit_code == 0
    assert {codec for codec, _ in _points()} == {"jpeg2000:layers=2"}


def test_options_of_a_codec_may_have_commas() -> None:
    text = "hevc:tiles=2x2,learned:model=mbt2018-mean,metric=mse,jpeg,hevc:tiles=2x2"
    names = ("hevc:tiles=2x2", "learned:model=mbt2018-mean,metric=mse", "jpeg")
    assert parse_codecs(text) == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.png", "--thetas", "0.5,1"), "theta must be in (0, 1), got 1"),
        (("a.png", "--thetas", "0.5,"), "expected THETAS, got '0.5,'"),
        (("a.png", "--codecs", "hevc,jpg"), "unknown codec 'jpg' (did you mean 'jpeg'?)"),
        (("a.png", "--codecs", "hevc,,jpeg"), "unknown codec ''"),
        (("a.png", "--codecs", "jpeg,tiles=2x2"), "codec 'jpeg,tiles=2x2'"),
        (("nope.png",), "no image could be sent at any point"),
        (("a.png", "--mask", "all.png", "--codec", "jpeg"), "there is nothing to trade"),
        ((), "Missing argument 'IMAGES...'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tradeoff: Run, arguments: tuple[str, ...], message: str
) -> None:
    from PIL import Image as PilImage

    PilImage.new("L", (64, 48), 255).save("all.png")
    result = tradeoff(*arguments)
    assert result.exit_code != 0
    assert message in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: ")
