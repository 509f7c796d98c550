"""Encodings on disk: the same bytes with and without, whatever happens to the files."""

from __future__ import annotations

import itertools
import os
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
from tests.semcom.cache.makers import Maker, entries


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
    monkeypatch.setattr(cache, "sources", lambda _: b"another version of a codec")
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
    encoded, run = [], subprocess.run

    def count(command, **options):
        encoded.append(options["timeout"] is None)  # decoders have a limit
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", count)
    codec = CODECS.create("vvc:preset=faster")
    for max_bits in range(8_000, 13_000, 1_000):
        codec.encode(image, w, max_bits)
    once, _ = sum(encoded), encoded.clear()
    for max_bits in range(8_000, 13_000, 1_000):
        codec.encode(image, w, max_bits)
    assert once > 5
    assert sum(encoded) == 0
