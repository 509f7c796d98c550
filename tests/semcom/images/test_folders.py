"""Folders and names of images, and what only looks like one."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

import pytest
from PIL import Image as PilImage

from semcom.images import SUFFIXES, find_images, load_image
from tests.semcom.images.files import Pixels, refusal, save_as


def test_folders_are_expanded_in_order_without_masks(tmp_path: Path, pixels: Pixels) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b.png", "a.JPG", "a_mask.png", "c.gif", ".hidden.png"):
        save_as(folder, name, pixels)
    (folder / "notes.txt").touch()
    (folder / "._b.png").write_bytes(b"\0\5\x16\7")  # as macOS leaves it on other disks
    (folder / "d.png").mkdir()
    alone = tmp_path / "z_mask.png"
    found = find_images([alone, folder])
    assert found == [alone, folder / "a.JPG", folder / "b.png", folder / "c.gif"]


def test_a_folder_without_images_stays_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert find_images([tmp_path]) == [tmp_path]
    assert refusal(tmp_path) == "no images in this folder"


def test_what_is_an_image_alone_is_one_in_a_folder(tmp_path: Path, pixels: Pixels) -> None:
    """Of every name under which Pillow writes what we read."""
    alone = set()
    for suffix in PilImage.registered_extensions():
        path = tmp_path / f"x{suffix}"
        with contextlib.suppress(Exception):  # Pillow writes none of that kind, or not this mode
            PilImage.fromarray(pixels).save(path)
            load_image(path)
            alone.add(suffix)
        path.unlink(missing_ok=True)
    assert alone >= {".jp2", ".jfif", ".jpe", ".mpo", ".pnm"}
    assert alone <= SUFFIXES


def _make_special(folder: Path) -> dict[str, str]:
    """Make what only looks like images; returns names and what is said of them."""
    os.mkfifo(folder / "fifo.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.png"))
    for name, target in (("zero", "/dev/zero"), ("loop", "loop.png"), ("dangling", "gone.png")):
        (folder / f"{name}.png").symlink_to(target)
    return {
        "dangling.png": "is a broken link",
        "fifo.png": "is a FIFO, not a file",
        "loop.png": "is a link that leads back to itself",
        "socket.png": "is a socket, not a file",
        "zero.png": "is a device, not a file",
        f"{'n' * 300}.png": "its name is too long",
        "gone.png": "no such file",
        "a.png/b.png": "no such file",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_only_looks_like_an_image_is_refused_at_once(
    tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    save_as(Path(), "a.png", pixels)
    special = _make_special(Path())
    assert [path.name for path in find_images([Path()])] == ["a.png", *list(special)[:5]]
    for name, reason in special.items():
        assert refusal(Path(name)) == reason
