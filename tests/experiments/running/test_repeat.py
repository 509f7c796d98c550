"""Repeating on another processor: the same pictures and packets, and scores to the last bits."""

from __future__ import annotations

import copy
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.running.runner import run
from experiments.store.merge import merge
from experiments.store.record_comparison import TOLERANCE, Difference, differences
from experiments.suites.suite import Suite
from semcom.processor import processor
from tests.experiments.training.sam_teachers import save_teacher

ROOT = Path(__file__).parents[3]
FEATURES = processor()["numpy"]


ELSEWHERE = """
import json, sys
from experiments.cli.main import main
for arguments in json.loads(sys.argv[1]):
    main(arguments, standalone_mode=False)
    print(end="\\f")
"""


def _elsewhere(commands: list[list[str]]) -> list[str]:
    """Run commands in a process whose NumPy makes do with its baseline; return what each says."""
    command = [sys.executable, "-c", ELSEWHERE, json.dumps(commands)]
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": FEATURES, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *said, end = done.stdout.split("\f")
    assert (len(said), end) == (len(commands), "")
    return said


def _repeat(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["repeat", *arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a row in results.db, and a record of semcom send in photo.json."""
    folder = tmp_path_factory.mktemp("made")
    photo = str(folder / "photo.png")
    PilImage.fromarray(skimage.data.astronaut()[30:190, 100:340]).save(photo)
    content = {"title": "t", "images": photo, "segmenter": "whole_image", "codec": "webp"}
    suite = Suite.model_validate({**content, "cbr": "1/8", "snr_db": [4, 7, 10, 13]})
    run(suite, folder, name="suite", say=lambda *_: None)
    options = ["--segmenter", "whole_image", "--codec", "webp", "--cbr", "1/8"]
    sent = CliRunner().invoke(main, ["send", photo, *options, "--out", str(folder)])
    assert sent.exit_code == 0, sent.output
    return folder


def _record(made: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((made / "photo.json").read_text(encoding="utf-8"))
    return record


def _tasks(path: Path) -> list[str]:
    from experiments.store.database import Database

    with Database(path) as database:
        return [task for (task,) in database.query("SELECT task FROM rows ORDER BY task")]


def test_what_was_made_says_on_which_processor(made: Path) -> None:
    from experiments.store.database import Database

    assert _record(made)["cpu"] == processor()
    with Database(made / "results.db") as database:
        ((machine,),) = database.query("SELECT machine FROM runs")
    assert json.loads(machine)["cpu"] == processor()
    assert all(processor()[name] for name in ("name", "torch", "numba"))


@pytest.mark.skipif(not FEATURES, reason="this NumPy uses nothing beyond its baseline")
def test_another_processor_shows_and_scores_differ_in_their_last_bits_alone(made: Path) -> None:
    results = str(made / "results.db")
    rows = [["repeat", results, task[:12]] for task in _tasks(made / "results.db")[:2]]
    for row in rows:
        assert "the same, bit for bit" in _repeat(*row[1:]).stdout
    said = _elsewhere([*rows, ["repeat", str(made / "photo.json")]])
    pattern = (
        r"the same pictures and packets; numbers differ by at most (\S+), within 1e-09: "
        rf"another CPU: numpy with {FEATURES} \(here without\)\n"
    )
    found = [re.search(pattern, text) for text in said]
    assert all(
        match or "the same, bit for bit" in text for match, text in zip(found, said, strict=True)
    )
    if "AVX512F" in FEATURES.split():  # else it may be that no sum differs
        assert any(found)
    assert all(float(match[1]) < 1e-12 for match in found if match)


@pytest.mark.parametrize(
    ("key", "change", "same"),
    [
        ("ssim", lambda v: math.nextafter(v, 2), True),
        ("psnr_db", lambda v: v * (1 + 0.9 * TOLERANCE), True),
        ("psnr_db", lambda v: v * (1 + 3 * TOLERANCE), False),
        ("psnr_db", lambda _: None, False),
        ("packets_received", lambda v: v + 1, False),
        ("num_bits", lambda v: v + 1, False),
        ("all_lost", lambda v: not v, False),
        ("received_sha256", lambda v: v[::-1], False),
        ("accounting", lambda v: {**v, "payload": v["payload"] + 1}, False),
        ("accounting", lambda v: {**v, "more": 0.0}, False),
    ],
)
def test_numbers_have_a_tolerance_and_nothing_else_has(
    made: Path, tmp_path: Path, key: str, change: Any, same: bool
) -> None:
    record = _record(made)
    record[key] = change(record[key])
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record), encoding="utf-8")
    result = _repeat(str(other))
    assert result.exit_code == (0 if same else 1)
    if same:
        assert "the same pictures and packets; numbers differ by at most" in result.stdout
        assert result.stdout.rstrip().endswith("the record does not say why")
    else:
        assert key in result.stdout
        assert "the repeated result differs from the recorded one" in result.stderr


def test_a_record_from_before_is_repeated_as_far_as_it_says(made: Path, tmp_path: Path) -> None:
    record = _record(made)
    del record["cpu"], record["received_sha256"]
    older = tmp_path / "older.json"
    older.write_text(json.dumps(record), encoding="utf-8")
    assert "the same, bit for bit" in _repeat(str(older)).stdout
    older.write_text(json.dumps({**record, "psnr_db": 1.0}), encoding="utf-8")
    assert "the record does not say which CPU it was" in _repeat(str(older)).stdout


def test_what_was_other_is_named(made: Path, tmp_path: Path) -> None:
    record = _record(made)
    record["cpu"] = {
        **processor(),
        "name": "Abacus",
        "torch": "DEFAULT",
        "numpy": f"{FEATURES} VSX",
    }
    record["versions"] = {**record["versions"], "numpy": "0.1"}
    record["ssim"] = math.nextafter(record["ssim"], 2)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record), encoding="utf-8")
    here = processor()
    assert (
        _repeat(str(other))
        .stdout.rstrip()
        .endswith(
            f"another CPU: Abacus (here {here['name']}), torch DEFAULT (here {here['torch']}), "
            "numpy with VSX (here without)"
        )
    )
    assert "numpy 0.1 (here " in _repeat(str(other)).stdout


def test_differences_are_of_values_that_json_knows() -> None:
    one = {"a": [1, 2.0, None], "b": {"c": "x"}}
    assert not list(differences(one, copy.deepcopy(one)))
    other = {"a": [1, 2.5, None], "b": {"c": "y", "d": 0}}
    found = list(differences(one, other))
    assert found == [("a[1]", 2.0, 2.5), ("b.c", "x", "y"), ("b.d", None, 0)]
    assert [difference.size for difference in found] == [0.2, math.inf, math.inf]
    assert Difference("x", 1e-300, 0.0).is_rounding
    assert not Difference("x", 1, 1 + 1e-12).is_rounding, "a count is exact"
    assert not Difference("x", True, 1.0).is_rounding


def test_merging_tells_last_bits_from_other_rows(made: Path, tmp_path: Path) -> None:
    """Two machines rarely have the same processor."""
    from experiments.store.database import Database
    from experiments.store.integrity import seal_of

    rows = _tasks(made / "results.db")
    target = tmp_path / "target.db"
    merge(target, [made / "results.db"], salvage=False, say=lambda *_: None)
    with Database(target, write=True) as database, database.transaction() as connection:
        for task, change in ((rows[0], lambda v: math.nextafter(v, 2)), (rows[1], lambda _: 0.5)):
            row = list(connection.execute("SELECT * FROM rows WHERE task = ?", (task,)).fetchone())
            outcomes = json.loads(row[10])
            outcomes[0]["scores"]["ssim"] = change(outcomes[0]["scores"]["ssim"])
            row[10] = json.dumps(outcomes)
            row[-1] = seal_of(*row[:-1])
            connection.execute(
                "UPDATE rows SET outcomes = ?, seal = ? WHERE task = ?", (row[10], row[-1], task)
            )
    said: list[str] = []
    merge(target, [made / "results.db"], salvage=False, say=said.append)
    source = made / "results.db"
    assert said[:2] == [
        f"{source}: 1 rows differ from those of {target}; the latter are kept",
        f"{source}: 1 rows differ from those of {target} in the last digits, as on another CPU; "
        "the latter are kept",
    ]


def test_the_options_of_mobile_sam_are_those_of_the_record(made: Path, tmp_path: Path) -> None:
    """Its name in the record is that of its weights; without the options, others would be used."""
    teacher = save_teacher(tmp_path / "weights.safetensors")
    options = ["--segmenter", f"{teacher},min_iou=0.5", "--point", "60,60", "--codec", "webp"]
    sent = CliRunner().invoke(
        main, ["send", str(made / "photo.png"), *options, "--cbr", "1/8", "--out", str(tmp_path)]
    )
    assert sent.exit_code == 0, sent.output
    record = json.loads((tmp_path / "photo.json").read_text(encoding="utf-8"))
    assert record["segmenter_asked"] == f"{teacher},min_iou=0.5"
    again = CliRunner().invoke(main, ["repeat", str(tmp_path / "photo.json")])
    assert again.exit_code == 0, again.output
    assert "the same, bit for bit" in again.output
