"""Names of images become files with hashes, each content once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image as PilImage

from experiments import datasets
from experiments.datasets import DATASETS, data_folder, find_items


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$SEMCOM_DATA with davis/{a,b}.png, of which a has a mask."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "data"
    monkeypatch.setenv("SEMCOM_DATA", str(root))
    (root / "davis").mkdir(parents=True)
    for name, shade in (("a", 10), ("b", 20), ("a_mask", 255)):
        PilImage.new("L", (8, 6), shade).save(root / "davis" / f"{name}.png")
    return root


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_data_set_is_found_with_masks_and_hashes(data: Path) -> None:
    a, b = find_items(["davis"], Path())
    assert (a.name, b.name) == ("davis/a.png", "davis/b.png")
    assert a.mask == data / "davis" / "a_mask.png"
    assert (a.sha256, a.mask_sha256) == (sha256(a.path), sha256(a.mask))
    assert (b.mask, b.mask_sha256) == (None, "")


@pytest.mark.parametrize("pattern", ["davis/b.png", "davis/b*", "data/davis/*b.png"])
def test_files_and_patterns_may_start_from_a_data_set_or_a_folder(data: Path, pattern: str) -> None:
    assert [item.path for item in find_items([pattern], Path())] == [data / "davis" / "b.png"]


def test_patterns_leave_masks_out(data: Path) -> None:
    found = find_items([f"{data}/davis/a*"], Path())
    assert [item.path.name for item in found] == ["a.png"]


def test_relative_paths_may_start_beside_the_suite(data: Path) -> None:
    assert [i.path.name for i in find_items(["davis/a.png"], data)] == ["a.png"]


def test_a_content_counts_once_and_most_cuts(data: Path) -> None:
    (data / "davis" / "c.png").write_bytes((data / "davis" / "b.png").read_bytes())
    assert [i.path.name for i in find_items(["davis", "davis/b.png"], Path())] == [
        "a.png",
        "b.png",
    ]
    assert len(find_items(["davis"], Path(), most=1)) == 1


def test_masks_that_are_needed_and_missing_are_told(data: Path) -> None:
    find_items(["davis/a.png"], Path(), need_masks=True)
    with pytest.raises(ValueError, match=rf"{data}/davis/b.png: there is no b_mask.png beside it"):
        find_items(["davis"], Path(), need_masks=True)


def test_unknown_images_are_told_with_the_choices(data: Path) -> None:
    del data
    with pytest.raises(ValueError, match=r"images 'kodac': .*choices: kodak, davis, photos"):
        find_items(["kodac"], Path())


def test_davis_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEMCOM_DATA", raising=False)
    with pytest.raises(ValueError, match=r"davischallenge.*NAME_mask.png.*SEMCOM_DATA"):
        find_items(["davis"], Path())


def test_a_folder_of_the_users_comes_before_a_download(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = data.parent / "fetched"
    monkeypatch.setattr("experiments.kodak.fetch", lambda: fetched)
    monkeypatch.setattr("experiments.photos.make", lambda: fetched)
    assert data_folder("kodak") is None
    assert [DATASETS[name]() for name in ("kodak", "photos")] == [fetched, fetched]
    (data / "kodak").mkdir()
    assert DATASETS["kodak"]() == data / "kodak" == data_folder("kodak")
    monkeypatch.delenv(datasets.ENVIRONMENT)
    assert DATASETS["kodak"]() == fetched
