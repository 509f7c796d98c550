"""The axes ``text`` and ``detector`` of suites."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from experiments.suites.setting import Setting
from semcom.errors import InputError
from semcom.types import Prompts
from tests.experiments.suites.texts import HEAD, ids_of, read, refused

pytest.importorskip("transformers", reason="the extra hf is not installed")


def test_texts_are_an_axis_and_their_spelling_does_not_count(tmp_path: Path) -> None:
    suite = read(tmp_path, HEAD + "text: ['the dog; the rider', '']\n")
    assert [system.label for system, _ in suite.settings()] == [
        "text 'the dog; the rider'",
        "no text",
    ]
    (_, prompted), (_, plain) = suite.settings()
    assert plain.id == read_id(tmp_path, "")
    content = b'{"segmenter": "graph", "text": "the dog; the rider"}'
    assert prompted.id == sha256(content).hexdigest()
    assert read_id(tmp_path, "text: ' the  dog;the rider; '\n") == prompted.id
    options = prompted.region_options(None)
    assert options.prompts == Prompts(text=("the dog", "the rider"))
    assert (options.detector, options.segmenter) == ("grounding_dino", "graph")
    assert not prompted.needs_mask


def read_id(tmp_path: Path, text: str) -> str:
    (found,) = ids_of(read(tmp_path, HEAD + text))
    return found


def test_detectors_are_systems(tmp_path: Path) -> None:
    suite = read(tmp_path, HEAD + "text: dog\ndetector: [grounding_dino, 'owlv2:threshold=0.1']\n")
    labels = [system.label for system, _ in suite.settings()]
    assert labels == ["grounding_dino", "owlv2:threshold=0.1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("detector: yolo\n", "unknown detector 'yolo'"),
        ("text: dog\ndetector: owlv2:threshold=2\n", "threshold must be above 0 and below 1"),
        ("text: 3\n", "text"),
    ],
)
def test_what_cannot_be_is_refused_when_read(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, HEAD + text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Setting(text="dog", prompt="point"), "text and prompt exclude each other: 'dog', point"),
        (Setting(text="dog", segmenter="beside"), "beside reads masks and looks for no text"),
        (Setting(text="dog", segmenter="graph", masks="best"), "masks: best needs"),
        (Setting(detector="owlv2"), "detector 'owlv2' needs a text"),
        (Setting(text="dog", segmenter="whole_image"), "'whole_image' cannot follow points, boxes"),
    ],
)
def test_combinations_that_cannot_be_are_refused(setting: Setting, message: str) -> None:
    with pytest.raises(InputError, match=message):
        setting.check()
