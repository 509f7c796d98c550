"""Images that a suite cannot use are refused before the run, with the line of what needs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as PilImage

from experiments.running.tasks import suite_items, without_missing
from experiments.suites.suite import Suite
from semcom.checkpoints import mobile_sam as weights
from semcom.errors import InputError
from tests.experiments.suites.texts import HEAD, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures without masks; the second has none of severity 2, and a small one elsewhere."""
    for name, size in (
        *(("a", (64, 48)), ("b", (64, 48)), ("fog/1/a", (64, 48)), ("fog/1/b", (64, 48))),
        *(("fog/2/a", (64, 48)), ("small/a", (64, 48)), ("small/b", (48, 64))),
    ):
        file = tmp_path / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        PilImage.new("RGB", size, (len(name), ord(name[-1]), 0)).save(file)
    return tmp_path


def taken(folder: Path, text: str, *changes: str) -> list[str]:
    """Return the names of the images that a suite takes; "HERE" is their folder."""
    about = HEAD.replace("a.png", "[a.png, b.png]") + text
    suite = read(folder, about.replace("HERE", str(folder)), changes=changes)
    return [item.path.name for item in suite_items(without_missing(suite, print), folder, print)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "severity: [1, 2]\ndisturbance: 'from_folder:path=HERE/fog'\n",
            r"^s\.yaml:5: disturbance: from_folder: .*/fog/2 has no pictures named 'b'$",
        ),
        (
            "points:\n- disturbance: fog\n- {disturbance: ['none', 'from_folder:path=HERE/fog']}\n",
            r"^s\.yaml:6: points\.1\.disturbance: .*fog has no folder 3 for severity 3, only 1, 2$",
        ),
        (
            "systems:\n  a: {blind: true}\n  b: {disturbance: 'from_folder:path=HERE/small'}\n",
            r"^s\.yaml:6: systems\.b\.disturbance: .*small/b.png has 48x64 pixels.*b.png.* 64x48$",
        ),
    ],
)
def test_a_picture_that_from_folder_lacks_is_told_with_its_line(
    folder: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        taken(folder, text)


def test_pictures_that_no_setting_needs_may_be_missing(folder: Path) -> None:
    text = "severity: [1, 2]\ndisturbance: 'from_folder:path=HERE/fog'\nexclude: {severity: 2}\n"
    assert taken(folder, text) == ["a.png", "b.png"]
    assert taken(folder, text, "images=a.png", "exclude=[]") == ["a.png"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("theta: 0.5\nscored: [own, beside]\n", r"s\.yaml:5: scored: beside"),
        ("masks: best\n", r"s\.yaml:4: masks: best"),
        ("points:\n- prompt: [none, box]\n", r"s\.yaml:5: points\.0\.prompt: box"),
        ("systems: {a: {}, b: {segmenter: beside}}\n", r"s\.yaml:4: systems\.b\.segmenter: beside"),
        (
            "points:\n- disturbance: fgsm\n- disturbance: [fog, cue_conflict]\n",
            r"s\.yaml:6: points\.1\.disturbance: cue_conflict",  # the attack is left out
        ),
    ],
)
def test_what_needs_a_mask_that_is_missing_is_told_with_its_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, who: str
) -> None:
    monkeypatch.setattr(weights, "available", lambda: False)
    monkeypatch.setattr(weights, "named", lambda: False)
    said = rf"^{who} needs the mask a_mask\.png of .*/a\.png, which does not exist$"
    with pytest.raises(InputError, match=said):
        taken(folder, text)


def test_the_command_line_and_python_have_places_too(folder: Path) -> None:
    with pytest.raises(InputError, match=r"^--set scored=beside: scored: beside needs the mask"):
        taken(folder, "", "scored=beside")
    suite = Suite.model_validate({"images": str(folder / "a.png"), "points": {"prompt": "box"}})
    with pytest.raises(InputError, match=r"^prompt: box needs the mask a_mask\.png of "):
        suite_items(suite, folder, print)
