"""The cache's folder: only the user's own, also where the disk is full or read-only."""

from __future__ import annotations

import os
import pickle
import shutil
import stat

import pytest

from semcom import cache
from semcom.cache import recall
from tests.semcom.cache.makers import Maker, entries


@pytest.fixture
def to_a_stranger(monkeypatch):
    """``to_a_stranger(path)`` makes a path another user's, or us another user than its owner."""

    def give(path):
        if os.geteuid() == 0:
            os.chown(path, 12345, -1, follow_symlinks=False)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: 12345)

    return give


class Harmful:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, touched):
        self.touched = touched

    def __reduce__(self):
        return (type(self.touched).touch, (self.touched,))


def test_nothing_that_is_planted_runs(folder, tmp_path):
    recall(make := Maker(), "about")
    touched = tmp_path / "touched"
    planted = pickle.dumps(Harmful(touched))
    (file,) = entries(folder)
    for name in (file, folder / "output.pkl", folder / "joblib" / "output.pkl"):
        name.parent.mkdir(exist_ok=True)
        name.write_bytes(planted)
    assert recall(make, "about") == make.result
    assert make.calls == 2
    assert not touched.exists()
    pickle.loads(planted)
    assert touched.exists(), "what was planted does no harm: this test proves nothing"


def test_only_the_user_may_look_into_the_folder(folder):
    before = os.umask(0)
    try:
        recall(Maker(), "about")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_another_user_is_not_used_and_that_is_said_once(folder, to_a_stranger, caplog):
    folder.mkdir()
    to_a_stranger(folder)
    make = Maker()
    assert [recall(make, "about", i % 2) for i in range(4)] == 4 * [b"result"]
    assert make.calls == 4
    assert not list(folder.iterdir())
    (record,) = caplog.records
    assert record.message.startswith(f"{folder} belongs to another user and is not used; set S")


@pytest.mark.parametrize("kind", ["file", "link", "pipe", "folder"])
def test_what_another_user_put_into_the_folder_is_not_read(
    folder, kind, to_a_stranger, caplog, tmp_path
):
    recall(Maker(b"right"), "about")
    (file,) = entries(folder)
    whole = file.read_bytes()
    kept = shutil.copy(file, tmp_path / "elsewhere")
    file.unlink()
    if kind == "link":
        file.symlink_to(kept)
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        shutil.copy(kept, file)
        to_a_stranger(file)
        if os.geteuid() == 12345:
            pytest.skip("only root can give files away, and the folder is no longer ours")
    make = Maker(b"right")
    assert [recall(make, "about") for _ in range(2)] == 2 * [b"right"]
    if kind == "folder":  # in the way
        assert make.calls == 2
    else:
        assert make.calls == 1
        assert file.read_bytes() == whole
        assert stat.S_ISREG(file.lstat().st_mode)
    assert len(caplog.records) <= 1


def test_a_folder_that_is_full_of_other_things_keeps_them(folder):
    folder.mkdir()
    others = [folder / "notes.txt", folder / f"{'a' * 64}.txt", folder / "encodings"]
    for other in others:
        other.write_text("mine")
    recall(Maker(), "about")
    assert len(entries(folder)) == 1
    assert cache.size() < 100
    cache.trim(max_bytes=0)
    cache.clear()
    assert not entries(folder)
    assert all(other.read_text() == "mine" for other in others)


@pytest.mark.parametrize("value", ["off", ""])
def test_off(tmp_path, monkeypatch, value):
    monkeypatch.setenv(cache.ENVIRONMENT, value)
    monkeypatch.chdir(tmp_path)
    make = Maker()
    assert [recall(make, "about") for _ in range(2)] == 2 * [b"result"]
    assert make.calls == 2
    assert cache.folder() is None
    assert cache.size() == 0
    cache.clear()
    cache.trim()
    assert not list(tmp_path.iterdir())


def test_by_default_in_the_cache_of_the_user(monkeypatch):
    monkeypatch.delenv(cache.ENVIRONMENT)
    assert {"semcom", "encodings"} <= set(cache.folder().parts)


def test_where_no_folder_can_be_made_nothing_is_kept_and_it_is_said_once(
    tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "file" / "encodings"))
    make = Maker()
    assert [recall(make, "about") for _ in range(2)] == 2 * [b"result"]
    assert make.calls == 2
    (record,) = caplog.records
    assert record.message == (
        f"cannot create {tmp_path / 'file' / 'encodings'} (File exists); "
        "set SEMCOM_CACHE to another folder or to off"
    )


def _full(*_args, **_kwargs):
    raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_full_disk_is_no_error_and_said_once(monkeypatch, caplog, step, folder):
    monkeypatch.setattr(type(folder), step, _full)
    make = Maker()
    assert [recall(make, "about", i) for i in range(3)] == 3 * [b"result"]
    assert make.calls == 3
    (record,) = caplog.records
    assert record.message.startswith(f"cannot store encodings in {folder} (No space left on dev")
    assert not list(folder.iterdir())


def test_a_folder_that_is_read_only_is_read(folder, monkeypatch, caplog):
    recall(make := Maker(), "about")
    monkeypatch.setattr(type(folder), "write_bytes", _read_only)
    for name in ("mkdir", "replace", "unlink", "utime"):  # root may write anywhere
        monkeypatch.setattr(os, name, _read_only)
    assert recall(make, "about") == b"result"
    assert make.calls == 1
    assert not caplog.records
    assert [recall(make, "other", i) for i in range(2)] == 2 * [b"result"]
    (record,) = caplog.records
    assert record.message.startswith(f"cannot store encodings in {folder} (Read-only file sys")


def _read_only(*_args, **_kwargs):
    raise OSError(30, "Read-only file system")
