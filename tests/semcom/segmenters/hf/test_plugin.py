"""The plug-in: its options, its provenance, and what it refuses, in one line each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.hf.segmenter import HuggingFace
from semcom.segmenters.inner import without_note
from semcom.types import Prompts
from tests.semcom.segmenters.hf.tiny import save

POINT = Prompts(points=((30, 40),))


def test_the_record_names_the_weights_and_can_be_repeated(
    folders: dict[str, Path], picture: Any
) -> None:
    spec = f"hf:points_per_side=4,model={folders['sam2']}"
    found = find_region(picture, RegionOptions(spec, POINT))
    digest = sha256_of(folders["sam2"] / "model.safetensors")
    wanted = f"hf:model={folders['sam2']},points_per_side=4"
    recorded = found.record["segmenter"]
    assert recorded.startswith(f"{wanted} (sha256 {digest[:12]}, settings ")
    again = find_region(picture, RegionOptions(without_note(found.record["segmenter"]), POINT))
    assert again.record == found.record
    assert np.array_equal(again.importance.w, found.importance.w)


def test_a_folder_that_has_changed_is_opened_anew(
    folders: dict[str, Path], picture: Any, tmp_path: Path
) -> None:
    """Also if only its settings have, which decide what the network sees."""
    shutil.copytree(folders["sam2"], tmp_path / "own")
    options = RegionOptions(f"hf:model={tmp_path / 'own'}", POINT)
    before = find_region(picture, options)
    file = tmp_path / "own" / "preprocessor_config.json"
    settings = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**settings, "image_mean": [0.9, 0.1, 0.5]}))
    after = find_region(picture, options)
    assert after.record["segmenter"] != before.record["segmenter"]
    assert after.record["segmenter"].split(",")[0] == before.record["segmenter"].split(",")[0]


def test_a_wrapper_asks_it(
    folders: dict[str, Path], picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semcom.segmenters.hf.segmenter.find", _finds(folders["sam"]))
    median = SEGMENTERS.create("median:of=hf,draws=3")
    assert len(median(picture, POINT)) == 1
    assert median.provenance.startswith("median:of=hf,draws=3,spread=0.02 (hf:model=facebook/sam2")


def _finds(folder: Path) -> Callable[..., Any]:
    from semcom.checkpoints.hugging_face import find

    return lambda who, *_: find(who, str(folder))


def test_other_weights_are_other_masks_and_another_record(
    folders: dict[str, Path], picture: Any, tmp_path: Path
) -> None:
    """A cached mask of the old weights is not taken for one of the new."""
    shutil.copytree(folders["sam2"], tmp_path, dirs_exist_ok=True)
    before = find_region(picture, RegionOptions(f"hf:model={tmp_path}", POINT))
    save("sam2", tmp_path, seed=1)
    # Written in another way, so that it is built again within this process.
    after = find_region(picture, RegionOptions(f"hf:model={tmp_path},min_area=200", POINT))
    assert before.record["segmenter"] != after.record["segmenter"]
    assert not np.array_equal(before.masks[0].pixels, after.masks[0].pixels)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hf:model=", "hf: model must be an id on the Hugging Face hub or a folder"),
        ("hf:model=a b", "'a b' is neither a folder nor an id"),
        ("hf:points_per_side=0", "points_per_side must be 1 to 32, got 0"),
        ("hf:min_iou=2", "min_iou must be 0 to 1, got 2"),
        ("hf:device=abacus", "device 'abacus' is not available"),
        ("hf:modell=x", "has no option 'modell=x'"),
    ],
)
def test_options_are_checked_before_anything_is_fetched(spec: str, message: str) -> None:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    with pytest.raises(InputError, match=message):
        SEGMENTERS.create(spec)


def _break(name: str, folder: Path) -> None:
    config, weights = folder / "config.json", folder / "model.safetensors"
    about = json.loads(config.read_text())
    match name:
        case "no config":
            config.unlink()
        case "invalid config":
            config.write_text('{"model_type": "sam2",')
        case "a list":
            config.write_text("[1]")
        case "own code":
            config.write_text(json.dumps({**about, "auto_map": {"AutoModel": "evil.Model"}}))
        case "another architecture":
            config.write_text(json.dumps({**about, "model_type": "bert"}))
        case "impossible numbers":
            about["mask_decoder_config"]["hidden_size"] = "many"
            config.write_text(json.dumps(about))
        case "another size":
            about["mask_decoder_config"]["mlp_dim"] = 128
            config.write_text(json.dumps(about))
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:-1000])
        case "empty":
            weights.write_bytes(b"")
        case "pickled":
            weights.rename(folder / "pytorch_model.bin")
        case "of another network":
            shutil.copy(folder.parent / "sam" / "model.safetensors", weights)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("no config", "holds no config.json, so it is no model"),
        ("invalid config", "config.json is not readable as JSON"),
        ("a list", "config.json holds no settings"),
        ("own code", r"asks to run code of its own \(auto_map\), which is refused"),
        ("another architecture", "is of the architecture 'bert'; choices: sam, sam_hq, sam2"),
        ("impossible numbers", "cannot be opened as Sam2Model"),
        ("another size", "cannot be opened as Sam2Model"),
        ("truncated", "cannot be opened as Sam2Model"),
        ("empty", "cannot be opened as Sam2Model"),
        ("pickled", r"no weights as model.safetensors; pytorch_model.bin may hold code and is not"),
        ("of another network", "are not those of Sam2Model|cannot be opened as Sam2Model"),
    ],
)
def test_a_damaged_folder_is_refused_in_a_line(
    folders: dict[str, Path], tmp_path: Path, picture: Any, damage: str, message: str
) -> None:
    (tmp_path / "sam").symlink_to(folders["sam"])
    folder = tmp_path / "sam2"
    shutil.copytree(folders["sam2"], folder)
    _break(damage, folder)
    with pytest.raises(InputError, match=message) as error:
        HuggingFace(model=str(folder))(picture)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 400 + 2 * len(str(folder))


def test_a_folder_that_is_missing_or_given_a_revision(folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="hf: /nowhere/at/all: no such folder"):
        find_region(np.zeros((32, 32, 3), np.uint8), RegionOptions("hf:model=/nowhere/at/all"))
    with pytest.raises(InputError, match="is a folder and has no revision 'v1'"):
        HuggingFace(model=str(folders["sam"]), revision="v1")(np.zeros((32, 32, 3), np.uint8))


def test_text_and_strange_pictures_are_refused(folders: dict[str, Path], picture: Any) -> None:
    segment = HuggingFace(model=str(folders["sam"]))
    with pytest.raises(InputError, match="takes points and boxes, not the text 'the dog'"):
        segment(picture, Prompts(text=("the dog",)))
    with pytest.raises(InputError, match="must be \\(H, W, 3\\) uint8"):
        segment(picture[..., 0])


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(InputError, match=r"needs transformers: pip install 'semcom\[hf\]'"):
        SEGMENTERS.check("hf")
