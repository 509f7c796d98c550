"""The images of a training: what is used, what is not, and that sources are not divided."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments.training.images import find_training_images, window
from experiments.training.session import TOGETHER, describe_images


def test_images_are_divided_and_the_others_listed(photos):
    found = find_training_images(photos)
    assert len(found.training) + len(found.validation) == 12
    assert len(found.validation) == 2
    assert not set(found.training) & set(found.validation)
    broken, tiny = sorted(found.skipped)
    assert broken.startswith("broken.jpg: ")
    assert tiny == "tiny.png: 20x20 pixels are too few"
    uses = {entry["file"]: entry["use"] for entry in found.manifest()}
    assert uses[found.validation[0].name] == "validation"
    assert found == find_training_images(photos)


def test_crops_of_one_photo_stay_together(photos):
    sources = [{"file": f"p{i:02}.png", "source": f"photo {i // 4}"} for i in range(12)]
    (photos / "manifest.json").write_text(json.dumps(sources))
    found = find_training_images(photos)
    assert len(found.validation) == 4
    assert len({int(path.stem[1:]) // 4 for path in found.validation}) == 1
    (photos / "manifest.json").write_text('{"a": 1}')
    with pytest.raises(ValueError, match=r"manifest\.json is no list of files with their sources"):
        find_training_images(photos)


def test_masks_and_copies_are_left_out(photos):
    for name in ("p00", "p01"):
        (photos / f"{name}_mask.png").write_bytes((photos / "p05.png").read_bytes())
        (photos / f"copy of {name}.png").write_bytes((photos / f"{name}.png").read_bytes())
    found = find_training_images(photos)
    assert found.apart
    assert not [path for path in found.training + found.validation if "mask" in path.name]
    assert len(found.training) + len(found.validation) == 12
    assert {line for line in found.skipped if "a copy of" in line} == {
        f"{name}.png: a copy of copy of {name}.png" for name in ("p00", "p01")
    }


def test_a_single_source_serves_for_both_and_that_is_said(photos):
    for path in sorted(photos.glob("p*.png"))[1:]:
        path.unlink()
    found = find_training_images(photos)
    assert not found.apart
    assert TOGETHER in describe_images(found)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        find_training_images(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no image of at least 64x64 pixels"):
        find_training_images(tmp_path)


def test_windows_have_their_size_whatever_the_image(photos):
    for i, side in enumerate((64, 96, 200)):
        cut = window(photos / "p00.png", side, np.random.default_rng(i))
        assert cut.shape == (side, side, 3)
        assert cut.dtype == np.uint8
