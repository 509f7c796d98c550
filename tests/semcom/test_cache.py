"""Encodings on disk: the same bytes with and without, whatever happens to the files."""

from __future__ import annotations

import itertools
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from semcom import cache
from semcom.cache import recall
from semcom.codecs.base import CODECS
from semcom.codecs.parts import ffmpeg


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache of this test's own."""
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "encodings"))
    return tmp_path / "encodings"


class Maker:
    """Counts how often it is called."""

    def __init__(self, result=b"result"):
        self.result, self.calls = result, 0

    def __call__(self):
        self.calls += 1
        return self.result


def entries(folder):
    return sorted(file for file in folder.iterdir() if re.fullmatch("[0-9a-f]{64}", file.name))


@pytest.fixture
def to_a_stranger(monkeypatch):
    """``to_a_stranger(path)`` makes a path another user's, or us another user than its owner."""

    def give(path):
        if os.geteuid() == 0:
            os.chown(path, 12345, -1, follow_symlinks=False)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: 12345)

    return give


def test_made_once(folder):
    make = Maker()
    assert [recall(make, "about", 1) for _ in range(3)] == 3 * [b"result"]
    assert make.calls == len(entries(folder)) == 1


def test_what_differs_is_told_apart(folder):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    flipped = image.copy()
    flipped[-1, -1, -1] ^= 1
    abouts = [
        *((image, qp) for qp in (30, 31)),
        (flipped, 30),
        (image.reshape(4, 2, 3), 30),
        (image.astype(np.int8), 30),
        (image.tobytes(), 30),
        (image, "30"),
        (image, 30, ""),
        (image, 3, 0),
        ("ab", "c"),
        ("a", "bc"),
        (("a", "bc"),),
    ]
    for i, about in enumerate(abouts):
        assert recall(Maker(bytes([i])), *about) == bytes([i])
    assert len(entries(folder)) == len(abouts)


@pytest.mark.usefixtures("folder")
def test_the_order_of_the_pixels_in_memory_does_not_matter():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    make = Maker()
    recall(make, image)
    recall(make, np.asfortranarray(image))
    assert make.calls == 1


@pytest.mark.usefixtures("folder")
def test_our_sources_are_part_of_the_key(monkeypatch):
    recall(make := Maker(), "about")
    monkeypatch.setattr(cache, "_sources", lambda _: b"another version of a codec")
    recall(make, "about")
    assert make.calls == 2


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "another", "garbage"])
def test_a_damaged_entry_is_made_anew_and_that_is_said_once(folder, damage, caplog):
    recall(Maker(b"another"), "another")
    (other,) = entries(folder)
    content = other.read_bytes()
    recall(make := Maker(bytes(range(200))), "about")
    (file,) = set(entries(folder)) - {other}
    whole = file.read_bytes()
    place = whole.index(bytes(range(200))) + 70
    damaged = {
        "empty": b"",
        "cut": whole[:-100],
        "flipped": whole[:place] + b"\0" + whole[place + 1 :],
        "another": content,
        "garbage": os.urandom(300),
    }
    file.write_bytes(damaged[damage])
    assert recall(make, "about") == make.result
    assert recall(make, "about") == make.result
    assert make.calls == 2
    assert file.read_bytes() == whole
    other.write_bytes(b"damaged, too")
    recall(Maker(b"another"), "another")
    said = f"{folder} contained damaged entries, which are computed again"
    assert [record.message for record in caplog.records] == [said]


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


def test_what_a_killed_writer_left_is_cleared_away_later(folder):
    recall(Maker(), "about")
    old, new = (folder / f"{'a' * 64}.{i * 32}" for i in "12")
    for file in (old, new):
        file.write_bytes(bytes(10))
    os.utime(old, (0, 0))
    cache.clear()
    assert not old.exists()
    assert new.exists(), "it may be being written"
    assert not entries(folder)


@pytest.mark.usefixtures("folder")
def test_errors_pass_and_are_not_kept():
    def fail():
        raise ffmpeg.FfmpegError("no")

    for _ in range(2):
        with pytest.raises(ffmpeg.FfmpegError, match="no"):
            recall(fail, "about")
    assert recall(Maker(), "about") == b"result"


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


def test_threads_and_processes_share_a_folder(folder):
    code = (
        "import sys; from semcom.cache import recall\n"
        "for i in range(60): assert recall(lambda: bytes([i % 20]) * 5000, i % 20)[0] == i % 20\n"
    )
    others = [subprocess.Popen([sys.executable, "-W", "error", "-c", code]) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: recall(lambda: bytes([i % 20]) * 5000, i % 20), range(300)))
    assert found == [bytes([i % 20]) * 5000 for i in range(300)]
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(entries(folder)) == 20


@pytest.mark.usefixtures("folder")
def test_clearing_under_a_running_process_does_no_harm():
    stop = threading.Event()

    def clear():
        while not stop.is_set():
            cache.clear()

    thread = threading.Thread(target=clear)
    thread.start()
    try:
        for i in itertools.islice(itertools.cycle(range(10)), 200):
            assert recall(lambda i=i: bytes([i]) * 100, i) == bytes([i]) * 100
    finally:
        stop.set()
        thread.join()


def test_size_trim_and_clear(folder):
    assert cache.size() == 0
    for i in range(10):
        recall(lambda i=i: bytes([i]) * 10_000, i)
    assert 100_000 < cache.size() < 140_000
    for i in range(10):  # the even ones were used just now
        os.utime(entries(folder)[i], (i, i))
    cache.trim(max_bytes=50_000)
    assert 0 < cache.size() < 50_000
    cache.clear()
    assert not entries(folder)


def test_trimmed_when_a_process_ends_once_a_day(folder):
    code = "from semcom.cache import recall; recall(lambda: b'x', {})"
    run = [sys.executable, "-W", "error", "-c"]
    subprocess.run([*run, code.format(1)], check=True)
    stamp = (folder / "trimmed").stat().st_mtime_ns
    subprocess.run([*run, code.format(2)], check=True)
    assert (folder / "trimmed").stat().st_mtime_ns == stamp
    os.utime(folder / "trimmed", (0, 0))
    subprocess.run([*run, code.format(3)], check=True)
    assert (folder / "trimmed").stat().st_mtime_ns > stamp


def test_importing_is_cheap():
    code = "import sys, semcom.cache; assert not {'joblib', 'torch', 'numba'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["jpeg2000", "avif", "av1:cpu_used=8", "vvc:preset=faster"])
def test_codecs_write_the_same_with_and_without(folder, monkeypatch, photo, name):
    if CODECS.entry(name.partition(":")[0]).missing:
        pytest.skip(f"{name} is not installed")
    image = np.ascontiguousarray(photo[40:104, 90:186])
    w = np.ones(image.shape[:2], dtype=np.float32)
    codec = CODECS.create(name)
    budgets = (9_000, 14_000, 9_000)

    def encode():
        return [codec.encode(image, w, max_bits) for max_bits in budgets]

    first = encode()
    made = entries(folder)
    monkeypatch.setattr(cache, "_write", None)  # nothing more will be written
    again = encode()
    assert len(made) > 0
    assert entries(folder) == made
    monkeypatch.setenv(cache.ENVIRONMENT, "off")
    assert first == again == encode()


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(bool(CODECS.entry("vvc").missing), reason="needs imageio-ffmpeg")
def test_a_sweep_again_encodes_nothing(monkeypatch, photo):
    image = np.ascontiguousarray(photo[40:104, 90:186])
    w = np.ones(image.shape[:2], dtype=np.float32)
    encoded, run = [], ffmpeg._run

    def count(arguments, data, *, limit_s):
        encoded.append(limit_s is None)  # decoders have a limit
        return run(arguments, data, limit_s=limit_s)

    monkeypatch.setattr(ffmpeg, "_run", count)
    codec = CODECS.create("vvc:preset=faster")
    for max_bits in range(8_000, 13_000, 1_000):
        codec.encode(image, w, max_bits)
    once, _ = sum(encoded), encoded.clear()
    for max_bits in range(8_000, 13_000, 1_000):
        codec.encode(image, w, max_bits)
    assert once > 5
    assert sum(encoded) == 0
