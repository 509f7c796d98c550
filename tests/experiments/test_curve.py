"""Curves are made of rows that outlive a killed run and depend on nothing but their id."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from matplotlib.figure import Figure
from PIL import Image as PilImage

from experiments.curve import Grid

Run = Callable[..., Result]


@pytest.fixture
def curve(run: Run) -> Run:
    """Run ``semcom curve`` on a small grid."""
    settings = ["--mask", "m.png", "--codec", "jpeg", "--out", "out"]
    settings += ["--cbrs", "1/8,1/4", "--snrs", "7,10", "--cbr", "1/4"]
    return lambda *arguments: run("curve", *settings, *arguments)


def _rows(text: str | None = None) -> list[dict[str, Any]]:
    text = Path("out/rows.jsonl").read_text(encoding="utf-8") if text is None else text

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def _results() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    return content


def test_the_grid_has_every_point_once() -> None:
    eighth, quarter = Fraction(1, 8), Fraction(1, 4)
    grid = Grid((eighth, quarter, quarter), 10.0, (7.0, 10.0), quarter)
    assert list(grid.points()) == [(eighth, 10.0), (quarter, 10.0), (quarter, 7.0)]


def test_curve_writes_rows_tables_and_plots(curve: Run) -> None:
    result = curve("a.png", "b.png")
    assert result.exit_code == 0
    names = {path.name for path in Path("out").iterdir()}
    plots = {f"{name}{kind}" for name in ("rate_distortion", "snr") for kind in (".png", ".pdf")}
    assert names == {"rows.jsonl", "results.json", "curve.csv"} | plots
    rows = _rows()
    points = {(row["image"], row["cbr_budget"], row["snr_db"], row["system"]) for row in rows}
    assert len(rows) == len(points) == 2 * 3 * 2
    assert len({row["id"] for row in rows}) == len(rows)
    images = _results()["images"]
    assert sorted(images, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])
    with Path("out/curve.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(line["psnr_db"]) for line in table] == [row["psnr_db"] for row in rows]
    assert [float(line["parity"]) for line in table] == [
        row["accounting"]["parity"] for row in rows
    ]


def test_results_are_means_over_the_images(curve: Run) -> None:
    assert curve("a.png", "b.png").exit_code == 0
    content = _results()
    results = content["results"]
    assert content["settings"]["cbrs"] == ["1/8", "1/4"]
    assert {len(values) for values in results.values()} == {3 * 2}
    for index, system in enumerate(results["system"]):
        rows = [
            row
            for row in content["images"]
            if (row["system"], row["snr_db"]) == (system, results["snr_db"][index])
            and np.isclose(row["cbr_budget"], results["cbr"][index], rtol=0.1)
        ]
        assert len(rows) == 2
        for key, name in (("psnr-rgb", "psnr_db"), ("ssim-rgb", "ssim"), ("cbr", "cbr")):
            assert results[key][index] == pytest.approx(np.mean([row[name] for row in rows]))
        bits = [row["num_bits"] / (48 * 64) for row in rows]
        assert results["bpp"][index] == pytest.approx(np.mean(bits))
        assert results["ms-ssim-rgb"][index] is None  # too small for five scales
        assert results["lost"][index] == 0


def test_compressai_reads_the_results(curve: Run) -> None:
    # Its own reader, from its file: importing the package would load much that is not needed.
    found = importlib.util.find_spec("compressai")
    if found is None or found.origin is None:
        pytest.skip("compressai is not installed")
    place = Path(found.origin).parent / "utils/plot/__main__.py"
    reader: dict[str, Any] = {"__name__": "plot"}
    exec(compile(place.read_text(encoding="utf-8"), place, "exec"), reader)
    PilImage.new("L", (64, 48), 255).save("all.png")
    assert curve("a.png", "--mask", "all.png").exit_code == 0
    read = reader["parse_json_file"]("out/results.json", "psnr")
    assert read["name"] == "jpeg over awgn"
    assert list(read["xs"]) == sorted(read["xs"])  # one line, which goes forth only
    assert len(read["xs"]) == len(read["ys"]) == 3
    assert all(np.diff(read["ys"]) > 0)


def test_a_row_is_what_send_gives(curve: Run, run: Run) -> None:
    assert curve("a.png", "--seed", "3").exit_code == 0
    row = next(row for row in _rows() if row["system"] == "blind" and row["cbr_budget"] == 0.125)
    arguments = ["send", "a.png", "--mask", "m.png", "--codec", "jpeg", "--cbr", "1/8"]
    alone = run(*arguments, "--seed", "3", "--blind", "--json")
    assert json.loads(alone.stdout).items() <= row.items()
    assert row.keys() - json.loads(alone.stdout) == {"id", "first_psnr_db", "others_psnr_db"}
    assert row["first_psnr_db"] == row["region_psnr_db"]  # there is one mask
    assert row["others_psnr_db"] is None


def test_a_killed_run_goes_on_where_it_was(curve: Run, sent: list[tuple[Any, ...]]) -> None:
    assert curve("a.png", "b.png").exit_code == 0
    store = Path("out/rows.jsonl")
    whole = store.read_text(encoding="utf-8")
    finished = Path("out/results.json").read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(sent) == len(lines) == 12
    # Killed while it wrote the eighth row.
    store.write_text("".join(lines[:7]) + lines[7][:100], encoding="utf-8")
    sent.clear()
    result = curve("a.png", "b.png")
    assert result.exit_code == 0
    assert "rows.jsonl, line 8: damaged, passed over" in result.stderr
    assert len(sent) == 5
    again = store.read_text(encoding="utf-8").splitlines(keepends=True)
    assert again[:7] == lines[:7]
    assert again[8:] == lines[7:]
    assert Path("out/results.json").read_bytes() == finished
    # Once whole, nothing is left to do.
    sent.clear()
    assert curve("a.png", "b.png").exit_code == 0
    assert sent == []
    assert store.read_text(encoding="utf-8").splitlines(keepends=True) == again


@pytest.mark.parametrize("cut", [1, 40])
def test_a_cut_after_any_byte_loses_one_row_at_most(
    curve: Run, sent: list[tuple[Any, ...]], cut: int
) -> None:
    assert curve("a.png").exit_code == 0
    store = Path("out/rows.jsonl")
    store.write_bytes(store.read_bytes()[:-cut])
    sent.clear()
    result = curve("a.png")
    assert result.exit_code == 0
    assert len(sent) == (0 if cut == 1 else 1)  # a line without its end is whole all the same
    assert ("damaged" in result.stderr) == (cut != 1)


def test_only_new_points_and_images_are_made(curve: Run, sent: list[tuple[Any, ...]]) -> None:
    assert curve("a.png").exit_code == 0
    sent.clear()
    assert curve("a.png", "b.png", "--snrs", "4,7,10").exit_code == 0
    new = {call[:3] for call in sent}
    quarter = Fraction(1, 4)
    rest = {("b.png", Fraction(1, 8), 10.0), ("b.png", quarter, 10.0), ("b.png", quarter, 7.0)}
    assert new == rest | {("a.png", quarter, 4.0), ("b.png", quarter, 4.0)}


@pytest.mark.parametrize(
    "change",
    [
        ("--seed", "1"),
        ("--theta", "0.8"),
        ("--channel", "rayleigh"),
        ("--codec", "jpeg:"),
        ("--mask", "n.png"),
    ],
)
def test_rows_of_other_settings_do_not_mix(
    curve: Run, sent: list[tuple[Any, ...]], change: tuple[str, str]
) -> None:
    PilImage.open("m.png").rotate(180).save("n.png")
    fast = ("--cbrs", "1", "--snrs", "10", "--cbr", "1")
    assert curve("a.png", *fast).exit_code == 0
    sent.clear()
    assert curve("a.png", *fast, *change).exit_code == 0
    assert len(sent) == 2
    assert len(_results()["images"]) == 2
    assert len(_rows()) == 4


def test_a_store_of_rubbish_is_reported_line_by_line(curve: Run) -> None:
    rubbish = ["5", '"x"', "[]", "{}", '{"id": []}', "null", "", "\x00\ufffd"]
    Path("out").mkdir()
    Path("out/rows.jsonl").write_text("\n".join(rubbish) + "\n", encoding="utf-8")
    with Path("out/rows.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    result = curve("a.png")
    assert result.exit_code == 0
    assert result.stderr.count("damaged, passed over") == len(rubbish) + 1
    text = Path("out/rows.jsonl").read_text(encoding="utf-8", errors="replace")
    assert len(_rows("\n".join(text.split("\n")[len(rubbish) + 1 :]))) == 6


def test_an_image_given_twice_is_sent_once(curve: Run, sent: list[tuple[Any, ...]]) -> None:
    assert curve("a.png", "a.png").exit_code == 0
    assert len(sent) == len(_rows()) == 6


def test_where_nothing_is_preferred_the_systems_are_one(curve: Run) -> None:
    PilImage.new("L", (64, 48), 255).save("all.png")
    result = curve("a.png", "--mask", "all.png")
    assert result.exit_code == 0
    assert {row["system"] for row in _rows()} == {"blind"}
    assert len(_rows()) == 3
    assert "nothing to prefer" in result.stderr


def test_what_cannot_be_sent_is_named_and_left_out(curve: Run) -> None:
    Path("empty.png").touch()
    result = curve("a.png", "empty.png", "nope.png", "--cbrs", "1e-4,1/4")
    assert result.exit_code == 1
    assert "Error: empty.png: not an image that Pillow can read; left out" in result.stderr
    assert "Error: nope.png: no such file; left out" in result.stderr
    assert "Error: a.png at CBR 1/10000, 10 dB: a CBR of 0.0" in result.stderr
    assert "Error: 4 of the images and points were left out" in result.stderr
    assert len(_rows()) == 4
    assert Path("out/snr.pdf").exists()


def test_scores_without_a_finite_value_are_drawn_as_nothing(curve: Run) -> None:
    PilImage.new("RGB", (64, 48), (128, 128, 128)).save("grey.png")
    result = curve("grey.png")
    assert result.exit_code == 0
    assert {row["psnr_db"] for row in _rows()} == {None}
    assert Path("out/rate_distortion.png").exists()


def test_the_bound_is_named_in_rows_and_table_and_never_below_what_was_sent(curve: Run) -> None:
    result = curve("a.png", "--codec", "jpeg2000", "--bound")
    assert result.exit_code == 0
    assert "bound: jpeg2000 at capacity" in result.stdout
    by_system: dict[str, list[dict[str, Any]]] = {}
    for row in _rows():
        by_system.setdefault(row["system"], []).append(row)
    bound = "bound: jpeg2000 at capacity"
    assert set(by_system) == {"blind", "importance", bound, f"{bound}, by importance"}
    steered = ("importance", f"{bound}, by importance", "theta_psnr_db")
    for system, at_capacity, aim in (("blind", bound, "psnr_db"), steered):
        for sent, best in zip(by_system[system], by_system[at_capacity], strict=True):
            assert (sent["cbr_budget"], sent["snr_db"]) == (best["cbr_budget"], best["snr_db"])
            assert best["num_bits"] > sent["num_bits"]
            assert best[aim] > sent[aim]
            assert best["cbr"] <= best["cbr_budget"]
            assert "accounting" not in best  # nothing was on the air
            assert "scheme" not in best
    with Path("out/curve.csv").open(encoding="utf-8", newline="") as file:
        assert sum(line["system"].startswith("bound") for line in csv.DictReader(file)) == 6


def test_a_bound_is_dotted_and_what_is_published_is_grey_with_a_legend_of_its_own(
    curve: Run, figures: dict[str, Figure]
) -> None:
    grid = ("--cbrs", "1/8,1/4", "--cbr", "1/16", "--snrs", "10,13")
    result = curve("a.png", *grid, "--bound", "--beside", "bpg-ldpc,vtm-capacity,witt-rayleigh")
    assert result.exit_code == 0
    assert "WITT, Rayleigh is published over rayleigh_fast, not awgn: not shown" in result.stderr
    assert "these are other images" in result.stderr
    published = ["VTM + capacity (bound)", "BPG + 5G LDPC"]
    bounds = ["bound: jpeg at capacity", "bound: jpeg at capacity, by importance"]
    for name in ("rate_distortion", "snr"):
        region, background, whole = figures[name].axes
        for axes, others in ((region, []), (background, []), (whole, published)):
            lines = {str(line.get_label()): line for line in axes.get_lines()}
            assert set(lines) == {"blind", "by importance", *bounds, *others}
            assert {lines[bound].get_linestyle() for bound in bounds} == {":"}
            assert lines["blind"].get_linestyle() == "--"
            assert lines["by importance"].get_linestyle() == "-"
            colours = {label: str(line.get_color()) for label, line in lines.items()}
            assert all((colours[label] == "#777777") == (label in others) for label in lines)
        (legend,) = figures[name].legends
        assert legend.get_title().get_text() == "published, on Kodak"
        assert [text.get_text() for text in legend.get_texts()] == published
        inside = region.get_legend()
        assert inside is not None
        assert not {text.get_text() for text in inside.get_texts()} & set(published)
    bpg = next(
        line for line in figures["snr"].axes[2].get_lines() if line.get_label() == published[1]
    )
    assert np.array_equal(bpg.get_xdata(), [1, 4, 7, 10, 13])
    assert np.array_equal(bpg.get_ydata(), [28.6, 29.8, 31.1, 33.3, 35.5])


def test_nothing_is_shown_where_nothing_is_published(
    curve: Run, figures: dict[str, Figure]
) -> None:
    result = curve("a.png", "--channel", "rician", "--snr-db", "30", "--beside", "all")
    assert "nothing is published over rician" in result.stderr
    assert not any(figure.legends for figure in figures.values())
    assert "published" not in result.stdout


def test_the_table_beside_has_our_psnr_less_the_published(curve: Run) -> None:
    grid = ("--cbrs", "1/8", "--cbr", "1/6", "--snrs", "10")
    result = curve("a.png", *grid, "--beside", "vtm-capacity")
    blind = [row for row in _rows() if row["system"] == "blind"]
    ours = {round(1 / row["cbr_budget"]): row["psnr_db"] for row in blind}
    line = next(line for line in result.stdout.splitlines() if "VTM + capacity" in line)
    assert line.split()[-2:] == [f"{ours[8] - 39.8:+.1f}", f"{ours[6] - 41.6:+.1f}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("empty.png",), "no image could be sent at any point"),
        (("folder",), "folder: no images in this folder"),
        (("a.png", "--cbrs", "1e-4", "--cbr", "1e-4"), "no image could be sent at any point"),
        (("a.png", "--snrs", "nan"), "SNR must be between -300 and 300 dB, got nan"),
        (("a.png", "--snrs", "7,"), "got '7,'"),
        (("a.png", "--cbrs", "1/4,0"), "CBR must be a positive number"),
        (("a.png", "--cbrs", ""), "CBR must be a positive number"),
        (("a.png", "--theta", "1"), "theta must be in (0, 1), got 1"),
        (("a.png", "--codec", "jpg"), "unknown codec 'jpg' (did you mean 'jpeg'?)"),
        (("a.png", "--out", "a.png"), "a.png"),
        (("a.png", "--beside", "wit"), "unknown published curve 'wit'; choices: all, bpg-capacity"),
        (
            ("a.png", "--bound", "--channel", "rayleigh"),
            "no capacity, so no bound, for channel 'rayleigh'; choices: awgn, rayleigh_fast",
        ),
        ((), "Missing argument 'IMAGES...'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    curve: Run, arguments: tuple[str, ...], message: str
) -> None:
    Path("empty.png").touch()
    Path("folder").mkdir()
    result = curve(*arguments)
    assert result.exit_code != 0
    assert message in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: ")
