"""The photos with outlines: right files, the same everywhere, also if two make them at once."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image as PilImage

from experiments.datasets import photos
from experiments.datasets.made_folder import png
from experiments.datasets.photos import OUTLINES, make


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
    yield tmp_path / "semcom"
    assert [entry.name for entry in (tmp_path / "semcom").glob("*")] in (
        [],
        [f"photos-{photos.VERSION}"],
    )


@pytest.mark.parametrize("name", OUTLINES)
def test_a_photo_is_as_scikit_image_has_it_and_its_mask_fits(name: str) -> None:
    folder = make()
    with (
        PilImage.open(folder / f"{name}.png") as photo,
        PilImage.open(folder / f"{name}_mask.png") as mask,
    ):
        assert np.array_equal(np.asarray(photo), getattr(skimage.data, name)())
        assert (mask.size, mask.mode) == (photo.size, "L")
        assert set(np.unique(mask)) == {0, 255}


# By the formula of Gauss (shoelace), as the border's pixels are inside: area + border / 2 + 1.
@pytest.mark.parametrize("name", OUTLINES)
def test_a_mask_has_the_area_of_its_polygon(name: str) -> None:
    corners = np.array([corner.split(",") for corner in OUTLINES[name].split()], dtype=float)
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    border = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T).sum()
    mask = np.asarray(PilImage.open(make() / f"{name}_mask.png")) > 0
    assert abs(mask.sum() - area) <= border


# Places that anyone sees to be on the object, and off it.
@pytest.mark.parametrize(
    ("name", "on", "off"),
    [
        ("astronaut", [(226, 100), (150, 300), (200, 500)], [(400, 100), (400, 450), (80, 100)]),
        ("coffee", [(290, 150), (100, 250), (410, 80)], [(550, 200), (50, 350), (30, 30)]),
        ("chelsea", [(170, 110), (315, 140), (255, 240)], [(430, 60), (10, 60), (400, 250)]),
        ("rocket", [(322, 150), (322, 300), (322, 400)], [(340, 300), (300, 300), (322, 110)]),
    ],
)
def test_a_mask_is_where_the_object_is(
    name: str, on: list[tuple[int, int]], off: list[tuple[int, int]]
) -> None:
    mask = np.asarray(PilImage.open(make() / f"{name}_mask.png")) > 0
    assert all(mask[y, x] for x, y in on)
    assert not any(mask[y, x] for x, y in off)


# On purpose, as ids of tasks depend on it: whoever changes these files changes what was measured.
# rocket.png is left out, since it comes from a JPEG file, which decoders may differ about.
def test_files_are_the_same_on_every_machine() -> None:
    folder = make()
    names = sorted({f.name for f in folder.iterdir()} - {"rocket.png"})
    assert len(names) == 2 * len(OUTLINES) - 1
    total = hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()
    assert total == "6e712384a0494a2934eb694f52c537fb02bc39a3c418ecca01dfa5d6c4ac89ad"


def test_png_of_any_size_is_read_back() -> None:
    import io

    rng = np.random.default_rng(0)
    for shape in ((1, 1), (7, 5, 3), (300, 400, 3), (5, 13106)):  # the last: one full block
        picture = rng.integers(0, 256, shape, dtype=np.uint8)
        with PilImage.open(io.BytesIO(png(picture))) as read:
            read.load()
            assert np.array_equal(np.asarray(read), picture)


def test_what_is_there_is_left_alone(cache: Path) -> None:
    folder = make()
    before = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    assert make() == folder == cache / f"photos-{photos.VERSION}"
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == before


def test_a_failure_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Iterator[tuple[str, bytes]]:
        yield "one.png", b""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos, "_files", full)
    with pytest.raises(OSError, match="No space"):
        make()
    assert list(cache.iterdir()) == []


def _make(cache: str, barrier: object) -> None:
    import pooch

    pooch.os_cache = lambda name: Path(cache) / name
    barrier.wait()  # type: ignore[attr-defined]
    assert len(list(make().iterdir())) == 2 * len(OUTLINES)


def test_processes_that_make_them_at_once_do_not_collide(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [context.Process(target=_make, args=(str(tmp_path), barrier)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
