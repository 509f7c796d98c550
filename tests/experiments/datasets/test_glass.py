"""Data sets of glass: pictures and masks in folders beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as PilImage

from experiments.datasets.glass import GLASS
from experiments.datasets.items import find_items
from semcom.images import mask_beside


def _make(root: Path, pictures: str, masks: str) -> None:
    """Write two pictures and masks as they are published."""
    for folder in (pictures, masks):
        (root / folder).mkdir(parents=True)
    for i, name in enumerate(("1", "2")):
        PilImage.new("RGB", (8, 6), (i, 0, 0)).save(root / pictures / f"{name}.jpg")


@pytest.mark.parametrize(
    ("pictures", "masks", "ending"),
    [
        ("test/image", "test/mask", ".png"),  # GDD, GSD, MSD
        ("test/images", "test/masks", "_mask.png"),
        ("test/easy/images", "test/easy/masks", "_mask.png"),  # Trans10K
        ("image", "mask", ".png"),
    ],
)
@pytest.mark.parametrize("name", list(GLASS))
def test_masks_are_found_in_their_own_folder(tmp_path, monkeypatch, name, pictures, masks, ending):
    monkeypatch.setenv("SEMCOM_DATA", str(tmp_path))
    root = tmp_path / name
    _make(root, pictures, masks)
    PilImage.new("L", (8, 6), 255).save(root / masks / f"1{ending}")
    one, two = find_items([name], Path())
    assert (one.path, one.mask) == (root / pictures / "1.jpg", root / masks / f"1{ending}")
    assert two.mask is None


def test_a_mask_beside_the_picture_comes_first(tmp_path):
    _make(tmp_path, "images", "masks")
    for file in ("masks/1.png", "images/1_mask.png"):
        PilImage.new("L", (8, 6), 255).save(tmp_path / file)
    one, _ = find_items([str(tmp_path / "images")], Path())
    assert one.mask == tmp_path / "images" / "1_mask.png"


def test_a_missing_data_set_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("SEMCOM_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"data set gdd \(GDD, glass\) is not here: get it from"):
        find_items(["gdd"], Path())


def test_several_folders_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMCOM_DATA", str(tmp_path))
    for part in ("easy", "hard"):
        _make(tmp_path / "trans10k", f"test/{part}/images", f"test/{part}/masks")
    with pytest.raises(ValueError, match="name one: trans10k/test/easy/images, trans10k/test/hard"):
        find_items(["trans10k"], Path())


def test_the_folder_of_a_picture_is_known_from_within(tmp_path, monkeypatch):
    _make(tmp_path, "images", "masks")
    PilImage.new("L", (8, 6), 255).save(tmp_path / "masks" / "1.png")
    monkeypatch.chdir(tmp_path / "images")
    assert mask_beside(Path("1.jpg")) == tmp_path / "masks" / "1.png"
    assert mask_beside(Path("2.jpg")) == Path("2_mask.png")
