"""Curves are made of rows that outlive a killed run and depend on nothing but their id."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments import curve as module
from experiments.cli import main
from experiments.curve import Grid

Curve = Callable[..., Result]


@pytest.fixture
def curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Curve:
    """Run ``semcom curve`` on a small grid, in a folder with a.png, b.png and m.png, a mask."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    face = skimage.data.astronaut()[60:108, 190:254]
    PilImage.fromarray(face).save("a.png")
    PilImage.fromarray(np.ascontiguousarray(face[:, ::-1])).save("b.png")
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    PilImage.fromarray(mask).save("m.png")
    settings = ["--mask", "m.png", "--codec", "jpeg", "--out", "out"]
    settings += ["--cbrs", "1/8,1/4", "--snrs", "7,10", "--cbr", "1/4"]

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["curve", *settings, *arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Note what is sent in truth, and not taken from the store; draw nothing."""
    calls: list[tuple[Any, ...]] = []
    send = module.send_attended

    def noting(*arguments: Any, **options: Any) -> Any:
        point = (options["cbr"], options["link"].snr_db, options["blind"])
        calls.append((arguments[2], *point))
        return send(*arguments, **options)

    monkeypatch.setattr(module, "send_attended", noting)
    monkeypatch.setattr(module, "plot_curves", lambda *_, **__: [])
    return calls


def _rows(text: str | None = None) -> list[dict[str, Any]]:
    text = Path("out/rows.jsonl").read_text(encoding="utf-8") if text is None else text

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_the_grid_has_every_point_once() -> None:
    eighth, quarter = Fraction(1, 8), Fraction(1, 4)
    grid = Grid((eighth, quarter, quarter), 10.0, (7.0, 10.0), quarter)
    assert list(grid.points()) == [(eighth, 10.0), (quarter, 10.0), (quarter, 7.0)]


def test_curve_writes_rows_tables_and_plots(curve: Curve) -> None:
    result = curve("a.png", "b.png")
    assert result.exit_code == 0
    names = {path.name for path in Path("out").iterdir()}
    plots = {f"{name}{kind}" for name in ("rate_distortion", "snr") for kind in (".png", ".pdf")}
    assert names == {"rows.jsonl", "curve.json", "curve.csv"} | plots
    rows = _rows()
    points = {(row["image"], row["cbr_budget"], row["snr_db"], row["system"]) for row in rows}
    assert len(rows) == len(points) == 2 * 3 * 2
    assert len({row["id"] for row in rows}) == len(rows)
    assert json.loads(Path("out/curve.json").read_text(encoding="utf-8")) == rows
    with Path("out/curve.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(line["psnr_db"]) for line in table] == [row["psnr_db"] for row in rows]
    assert [float(line["parity"]) for line in table] == [
        row["accounting"]["parity"] for row in rows
    ]


def test_a_row_is_what_send_gives(curve: Curve) -> None:
    assert curve("a.png", "--seed", "3").exit_code == 0
    row = next(row for row in _rows() if row["system"] == "blind" and row["cbr_budget"] == 0.125)
    arguments = ["send", "a.png", "--mask", "m.png", "--codec", "jpeg", "--cbr", "1/8"]
    alone = CliRunner().invoke(main, [*arguments, "--seed", "3", "--blind", "--json"])
    del row["id"]
    assert json.loads(alone.stdout) == row


def test_a_killed_run_goes_on_where_it_was(curve: Curve, sent: list[tuple[Any, ...]]) -> None:
    assert curve("a.png", "b.png").exit_code == 0
    store = Path("out/rows.jsonl")
    whole = store.read_text(encoding="utf-8")
    finished = Path("out/curve.json").read_bytes()
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
    assert Path("out/curve.json").read_bytes() == finished
    # Once whole, nothing is left to do.
    sent.clear()
    assert curve("a.png", "b.png").exit_code == 0
    assert sent == []
    assert store.read_text(encoding="utf-8").splitlines(keepends=True) == again


@pytest.mark.parametrize("cut", [1, 40])
def test_a_cut_after_any_byte_loses_one_row_at_most(
    curve: Curve, sent: list[tuple[Any, ...]], cut: int
) -> None:
    assert curve("a.png").exit_code == 0
    store = Path("out/rows.jsonl")
    store.write_bytes(store.read_bytes()[:-cut])
    sent.clear()
    result = curve("a.png")
    assert result.exit_code == 0
    assert len(sent) == (0 if cut == 1 else 1)  # a line without its end is whole all the same
    assert ("damaged" in result.stderr) == (cut != 1)


def test_only_new_points_and_images_are_made(curve: Curve, sent: list[tuple[Any, ...]]) -> None:
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
    curve: Curve, sent: list[tuple[Any, ...]], change: tuple[str, str]
) -> None:
    PilImage.open("m.png").rotate(180).save("n.png")
    fast = ("--cbrs", "1", "--snrs", "10", "--cbr", "1")
    assert curve("a.png", *fast).exit_code == 0
    sent.clear()
    assert curve("a.png", *fast, *change).exit_code == 0
    assert len(sent) == 2
    rows = json.loads(Path("out/curve.json").read_text(encoding="utf-8"))
    assert len(rows) == 2
    assert len(_rows()) == 4


def test_a_store_of_rubbish_is_reported_line_by_line(curve: Curve) -> None:
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


def test_an_image_given_twice_is_sent_once(curve: Curve, sent: list[tuple[Any, ...]]) -> None:
    assert curve("a.png", "a.png").exit_code == 0
    assert len(sent) == len(_rows()) == 6


def test_where_nothing_is_preferred_the_systems_are_one(curve: Curve) -> None:
    PilImage.new("L", (64, 48), 255).save("all.png")
    result = curve("a.png", "--mask", "all.png")
    assert result.exit_code == 0
    assert {row["system"] for row in _rows()} == {"blind"}
    assert len(_rows()) == 3
    assert "nothing to prefer" in result.stderr


def test_what_cannot_be_sent_is_named_and_left_out(curve: Curve) -> None:
    Path("empty.png").touch()
    result = curve("a.png", "empty.png", "nope.png", "--cbrs", "1e-4,1/4")
    assert result.exit_code == 1
    assert "Error: empty.png: not an image that Pillow can read; left out" in result.stderr
    assert "Error: nope.png: no such file; left out" in result.stderr
    assert "Error: a.png at CBR 1/10000, 10 dB: a CBR of 0.0" in result.stderr
    assert "Error: 4 of the images and points were left out" in result.stderr
    assert len(_rows()) == 4
    assert Path("out/snr.pdf").exists()


def test_scores_without_a_finite_value_are_drawn_as_nothing(curve: Curve) -> None:
    PilImage.new("RGB", (64, 48), (128, 128, 128)).save("grey.png")
    result = curve("grey.png")
    assert result.exit_code == 0
    assert {row["psnr_db"] for row in _rows()} == {None}
    assert Path("out/rate_distortion.png").exists()


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
        ((), "Missing argument 'IMAGES...'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    curve: Curve, arguments: tuple[str, ...], message: str
) -> None:
    Path("empty.png").touch()
    Path("folder").mkdir()
    result = curve(*arguments)
    assert result.exit_code != 0
    assert message in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: ")
