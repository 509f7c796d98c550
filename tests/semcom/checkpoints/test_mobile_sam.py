"""The checkpoint is fetched whole and right, or not at all; nothing in it runs."""

from __future__ import annotations

import gc
import hashlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from semcom.checkpoints import mobile_sam as weights
from semcom.checkpoints.download import WeightsUnavailable, load_state_dict

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/truncated" else CONTENT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "*")
    file = tmp_path / "cache" / "mobile_sam.pt"
    monkeypatch.setenv(weights.ENVIRONMENT, str(file))
    return file


def test_path_is_in_the_cache_unless_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(weights.ENVIRONMENT, "~/own.pt")
    assert weights.path() == Path.home() / "own.pt"
    monkeypatch.delenv(weights.ENVIRONMENT)
    assert weights.path().name == "mobile_sam.pt"
    assert "semcom" in weights.path().parts


def test_fetch_saves_the_right_file(server: str, target: Path) -> None:
    assert weights.fetch(url=f"{server}/file", sha256=DIGEST) == target
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_fetch_keeps_a_right_file_without_the_network(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    assert weights.fetch(url="http://127.0.0.1:1/", sha256=DIGEST.upper()) == target


def test_fetch_replaces_a_damaged_file_in_the_cache(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv(weights.ENVIRONMENT, raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
    file = tmp_path / "semcom" / "mobile_sam.pt"
    file.parent.mkdir()
    file.write_bytes(CONTENT[:-1])
    assert weights.fetch(url=f"{server}/file", sha256=DIGEST, progress=False) == file
    assert file.read_bytes() == CONTENT


def test_fetch_never_overwrites_the_users_own_file(server: str, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"my own checkpoint")
    with pytest.raises(ValueError, match="will not be overwritten"):
        weights.fetch(url=f"{server}/file", sha256=DIGEST)
    assert target.read_bytes() == b"my own checkpoint"
    assert weights.locate() == target


# pooch leaves the socket of a failed answer to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    ("page", "digest", "reason"),
    [
        ("file", "0" * 64, "does not match"),
        ("truncated", DIGEST, "ChunkedEncodingError|does not match"),
        ("missing", DIGEST, "HTTP status 404"),
    ],
)
def test_fetch_leaves_nothing_behind_when_the_server_sends_something_else(
    server: str, target: Path, page: str, digest: str, reason: str
) -> None:
    with pytest.raises(WeightsUnavailable, match=reason) as caught:
        weights.fetch(url=f"{server}/{page}", sha256=digest, progress=False)
    message = str(caught.value)
    del caught
    gc.collect()
    assert not target.exists()
    assert list(target.parent.iterdir()) == []
    _assert_helpful(message, target, digest)


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_fetch_tries_the_mirrors_in_turn(
    server: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [f"{server}/{page}" for page in ("missing", "truncated", "file", "other")]
    monkeypatch.setattr(weights, "URLS", tuple(pages[:2]))
    with pytest.raises(WeightsUnavailable) as caught:
        weights.fetch(sha256=DIGEST, progress=False)
    message = str(caught.value)
    assert "/missing (HTTP status 404)" in message
    assert message.index("/missing") < message.index("/truncated (")
    _assert_helpful(message, target, DIGEST)
    assert list(target.parent.iterdir()) == []
    monkeypatch.setattr(weights, "URLS", tuple(pages))
    assert weights.fetch(sha256=DIGEST, progress=False) == target
    assert target.read_bytes() == CONTENT
    del caught
    gc.collect()


def test_all_addresses_are_of_the_same_file() -> None:
    assert len(set(weights.URLS)) >= 3
    assert all(
        url.startswith("https://") and url.endswith("/mobile_sam.pt") for url in weights.URLS
    )


def test_fetch_offline_says_what_to_do(target: Path) -> None:
    with socket.socket() as probe:  # a port on which nobody listens
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(WeightsUnavailable, match="ConnectionError") as caught:
        weights.fetch(url=f"http://127.0.0.1:{port}/", progress=False)
    assert not target.exists()
    _assert_helpful(str(caught.value), target, weights.SHA256)


def test_fetch_where_it_may_not_write_says_so(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(weights.ENVIRONMENT, str(tmp_path / "file" / "mobile_sam.pt"))
    with pytest.raises(WeightsUnavailable, match=r"--segmenter graph"):
        weights.fetch(url=f"{server}/file", sha256=DIGEST, progress=False)


def _assert_helpful(message: str, target: Path, digest: str) -> None:
    assert "\n" not in message
    for part in ("mobile_sam.pt", "40,728,226", digest, str(target), "http", "--segmenter graph"):
        assert part in message


def test_check_names_what_is_wrong(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        weights.check()
    assert not weights.available()
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    with pytest.raises(ValueError, match=r"102,400 bytes.*40,728,226"):
        weights.check()
    assert not weights.available()
    monkeypatch.setattr(weights, "SIZE", len(CONTENT))
    with pytest.raises(ValueError, match=DIGEST):
        weights.check(target)
    assert weights.available()
    monkeypatch.setattr(weights, "SHA256", DIGEST)
    weights.check()


def test_why_a_file_is_not_taken_names_it(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.why_unavailable() == f"{target}, named by SEMCOM_MOBILE_SAM, is no file"
    assert not weights.named()
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    assert weights.why_unavailable() == (
        f"{target}, named by SEMCOM_MOBILE_SAM, has 102,400 bytes, the official checkpoint has "
        "40,728,226; only segmenter mobile_sam takes it"
    )
    assert weights.named()
    assert weights.locate() == target
    monkeypatch.delenv(weights.ENVIRONMENT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(target.parents[1]))
    assert weights.why_unavailable() == "no MobileSAM weights"
    weights.path().parent.mkdir()
    weights.path().write_bytes(CONTENT[:10])
    assert weights.why_unavailable() == (
        f"{weights.path()} has 10 bytes, the official checkpoint has 40,728,226"
    )
    assert not weights.named()


def test_load_returns_the_tensors(tmp_path: Path) -> None:
    state = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    torch.save(state, tmp_path / "ok.pt")
    loaded = load_state_dict(tmp_path / "ok.pt")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[k], state[k]) for k in state)
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "loop.pt")
    assert load_state_dict(tmp_path / "loop.pt").keys() == state.keys()


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "truncated", "flipped"])
def test_load_refuses_damaged_files(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "bad.pt"
    torch.save({"a": torch.arange(1000.0)}, file)
    whole = file.read_bytes()
    flipped = whole.replace(b"_rebuild_tensor", b"_rebuild_tenzor")
    content = {"empty": b"", "garbage": CONTENT, "truncated": whole[:-200], "flipped": flipped}
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[damage])
    _assert_refused(file, "cannot read")


class _Hostile:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.trace),))


def test_load_runs_no_code(tmp_path: Path) -> None:
    file, trace = tmp_path / "hostile.pt", tmp_path / "trace"
    torch.save({"a": _Hostile(trace)}, file)
    _assert_refused(file, "cannot read")
    assert not trace.exists()


@pytest.mark.parametrize("content", [[torch.ones(1)], {"a": 1.0}, {1: torch.ones(1)}, None])
def test_load_refuses_anything_but_named_tensors(tmp_path: Path, content: object) -> None:
    file = tmp_path / "other.pt"
    torch.save(content, file)
    _assert_refused(file, "must be a dictionary")


def _assert_refused(file: Path, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        load_state_dict(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 200
