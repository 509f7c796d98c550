"""Each detector beside transformers' own processor, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcom.checkpoints.transformers_models import import_transformers
from semcom.detectors import boxes as boxes_module
from semcom.detectors.base import DETECTORS
from semcom.errors import InputError

TEXTS = ("the dog", "a red rider", "unicorn")


def build(folder: Path, **options: object) -> Any:
    told = "".join(f",{name}={value}" for name, value in options.items())
    return DETECTORS.create(f"{folder.name}:model={folder}{told}")


def theirs(folder: Path, picture: Any, text: str, threshold: float) -> Iterable[dict[str, Any]]:
    """Run the network as its documentation does, for one text."""
    hf = import_transformers()
    size = [picture.shape[:2]]
    if folder.name == "owlv2":
        processor = hf.Owlv2Processor.from_pretrained(folder)
        model = hf.Owlv2ForObjectDetection.from_pretrained(folder)
        inputs = processor(text=[[text]], images=picture, return_tensors="pt")
        about: dict[str, Any] = {}
    else:
        processor = hf.GroundingDinoProcessor.from_pretrained(folder)
        model = hf.GroundingDinoForObjectDetection.from_pretrained(folder)
        inputs = processor(text=f"{text}.", images=picture, return_tensors="pt")
        about = {"input_ids": inputs.input_ids}
    with torch.inference_mode():
        out = model(**inputs)
    return processor.post_process_grounded_object_detection(
        out, threshold=threshold, target_sizes=size, **about
    )


def test_boxes_are_those_of_the_own_processor(
    folder: Path, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes_module, "SAME", 1.0)  # leaves near copies in
    (wanted,) = theirs(folder, picture, TEXTS[0], 0.01)
    found = build(folder, threshold=0.01)(picture, TEXTS[:1])
    assert len(found) > 3
    order = wanted["scores"].argsort(descending=True, stable=True)
    cut = wanted["boxes"][order].numpy().clip(0, (128, 96, 128, 96))
    usable = (cut[:, 2] - cut[:, 0] >= 1) & (cut[:, 3] - cut[:, 1] >= 1)
    assert [one.box for one in found] == pytest.approx(cut[usable], abs=0.01)
    scores = wanted["scores"][order].numpy()[usable]
    assert [one.score for one in found] == pytest.approx(scores, abs=1e-5)


def test_texts_are_found_in_their_order_each_on_its_own(folder: Path, picture: Any) -> None:
    detect = build(folder, threshold=0.01)
    found = detect(picture, TEXTS)
    assert list(dict.fromkeys(one.text for one in found)) == list(TEXTS)
    for text in TEXTS:
        alone = detect(picture, (text,))
        together = [one for one in found if one.text == text]
        assert [one.score for one in alone] == sorted((o.score for o in alone), reverse=True)
        assert len(alone) == len(together)
        for one, other in zip(alone, together, strict=True):
            assert one.box == pytest.approx(other.box, abs=0.01)
            assert one.score == pytest.approx(other.score, abs=1e-5)
    assert detect(picture, TEXTS) == found


def test_what_is_below_the_threshold_is_not_guessed(folder: Path, picture: Any) -> None:
    assert build(folder, threshold=0.9999999)(picture, TEXTS) == []


def test_the_name_in_records_builds_it_again(folder: Path, picture: Any) -> None:
    detect = build(folder, threshold=0.25)
    name, _, note = detect.provenance.partition(" (")
    assert name == f"{folder.name}:model={folder},threshold=0.25"
    assert note.startswith("sha256 ")
    assert DETECTORS.create(name)(picture, TEXTS) == detect(picture, TEXTS)


def test_a_text_beyond_the_network_is_refused(folder: Path, picture: Any) -> None:
    with pytest.raises(InputError, match=r"takes texts of at most .* tokens, 'dog dog"):
        build(folder)(picture, (" ".join(["dog"] * 20),))


@pytest.mark.parametrize("damage", ["no tokenizer", "broken tokenizer", "other kind", "truncated"])
def test_a_damaged_folder_is_refused_in_a_line(
    folder: Path, tmp_path: Path, picture: Any, damage: str
) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    match damage:
        case "no tokenizer":
            (copy / "tokenizer.json").unlink()
        case "broken tokenizer":
            (copy / "tokenizer.json").write_text("{")
        case "other kind":
            about = json.loads((copy / "config.json").read_text())
            (copy / "config.json").write_text(json.dumps({**about, "model_type": "sam"}))
        case "truncated":
            weights = copy / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"cannot be opened as|of the architecture 'sam'") as error:
        build(copy)(picture, TEXTS)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("owlv2:threshold=0", "owlv2: threshold must be above 0 and below 1, got 0"),
        ("grounding_dino:model=a b", "'a b' is neither a folder nor an id"),
        ("yolo", "unknown detector 'yolo'.*choices: grounding_dino, owlv2"),
    ],
)
def test_options_are_checked_before_anything_is_fetched(spec: str, message: str) -> None:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    with pytest.raises(InputError, match=message):
        DETECTORS.create(spec)


def test_near_copies_go_and_boxes_stay_in_the_frame() -> None:
    made = np.array([[-5, -5, 50, 50], [0, 0, 50, 50], [40, 10, 300, 300], [10, 10, 10.5, 40]])
    found = boxes_module.strongest(
        "dog", made, np.array([0.5, 0.6, 0.7, 0.9]), threshold=0.3, height=60, width=80
    )
    assert [(one.score, one.box) for one in found] == [
        (0.7, (40.0, 10.0, 80.0, 60.0)),
        (0.6, (0.0, 0.0, 50.0, 50.0)),
    ]
