"""Names of images become files with hashes, each content once."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from PIL import Image as PilImage

from experiments.datasets import folder
from experiments.datasets.folder import data_folder
from experiments.datasets.items import DATASETS, find_items


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


def test_copies_are_said(data: Path) -> None:
    for name in "cdefgh":
        (data / "davis" / f"{name}.png").write_bytes((data / "davis" / "b.png").read_bytes())
    said: list[str] = []
    find_items(["davis", "davis/b.png"], Path(), say=said.append)
    assert said == [
        "copies of other images count once: davis/c.png, davis/d.png, davis/e.png, davis/f.png, "
        "davis/g.png, … (6 in all)"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
@pytest.mark.parametrize("pattern", ["own", "own/*", "own/*.png"])
def test_what_only_looks_like_an_image_is_left_out_and_said(data: Path, pattern: str) -> None:
    own = Path("own")
    (own / "folder.png").mkdir(parents=True)
    for name in ("a.png", "a_mask.png", "._a.png"):
        (own / name).write_bytes((data / "davis" / "b.png").read_bytes())
    (own / "notes.txt").touch()
    os.mkfifo(own / "fifo.png")
    for name, target in (("zero", "/dev/zero"), ("loop", "loop.png"), ("gone", "nope.png")):
        (own / f"{name}.png").symlink_to(target)
    said: list[str] = []
    (item,) = find_items([pattern], Path(), say=said.append)
    assert item.name == "own/a.png"
    assert said == [
        "own/fifo.png: is a FIFO, not a file; left out",
        "own/gone.png: is a broken link; left out",
        "own/loop.png: is a link that leads back to itself; left out",
        "own/zero.png: is a device, not a file; left out",
    ]
    for name, why in (
        ("fifo", "is a FIFO, not a file"),
        ("gone", "is a broken link"),
        ("loop", "is a link that leads back to itself"),
    ):
        with pytest.raises(ValueError, match=f"^own/{name}.png: {why}$"):
            find_items([f"own/{name}.png"], Path())
    with pytest.raises(ValueError, match="no images here"):
        find_items(["own/z*.png"], Path())
    with pytest.raises(ValueError, match="no such file or folder"):
        find_items([f"own/{'n' * 300}.png"], Path())


def test_a_pattern_takes_what_is_named_as_an_image_or_else_all(data: Path) -> None:
    shot = data / "davis" / "shot_1"
    shot.write_bytes((data / "davis" / "b.png").read_bytes())
    (data / "davis" / "notes.txt").touch()
    assert [i.name for i in find_items(["davis/*"], Path())] == ["davis/a.png", "davis/b.png"]
    assert [i.name for i in find_items(["davis/shot_*"], Path())] == ["davis/shot_1"]


def test_a_mask_is_beside_the_link_that_is_named(data: Path) -> None:
    links = Path("links")
    links.mkdir()
    (links / "x.png").symlink_to(data / "davis" / "b.png")
    (links / "x_mask.png").symlink_to(data / "davis" / "a_mask.png")
    (item,) = find_items(["links"], Path(), masks_for="scored: beside")
    assert item.mask == links.absolute() / "x_mask.png"


def test_a_tilde_is_home(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(data))
    monkeypatch.setenv("USERPROFILE", str(data))
    assert len(find_items(["~/davis"], Path())) == 2
    (Path() / "~x.png").write_bytes((data / "davis" / "b.png").read_bytes())
    assert [i.path.name for i in find_items(["~x.png"], Path())] == ["~x.png"]


def test_masks_that_are_needed_and_missing_are_told(data: Path) -> None:
    find_items(["davis/a.png"], Path(), masks_for="scored: beside")
    with pytest.raises(
        ValueError, match=rf"scored: beside needs the mask b_mask.png of {data}/davis/b.png"
    ):
        find_items(["davis"], Path(), masks_for="scored: beside")


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
    monkeypatch.setattr("experiments.datasets.kodak.fetch", lambda: fetched)
    monkeypatch.setattr("experiments.datasets.photos.make", lambda: fetched)
    assert data_folder("kodak") is None
    assert [DATASETS[name]() for name in ("kodak", "photos")] == [fetched, fetched]
    (data / "kodak").mkdir()
    assert DATASETS["kodak"]() == data / "kodak" == data_folder("kodak")
    monkeypatch.delenv(folder.ENVIRONMENT)
    assert DATASETS["kodak"]() == fetched
