"""Models from a hub that stands on this machine, from its cache, and from none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from semcom.checkpoints.download import WeightsUnavailable
from semcom.checkpoints.hugging_face import find
from semcom.errors import InputError

pytest.importorskip("huggingface_hub", reason="the extra hf is not installed")

NAME = "someone/tiny-sam"
OLD, NEW = "0" * 39 + "1", "0" * 39 + "2"


@dataclass
class Hub:
    """What the server has and was asked for."""

    files: dict[str, bytes]
    branches: dict[str, str] = field(default_factory=lambda: {"main": NEW, "v1": OLD})
    refusal: tuple[int, str] | None = None
    asked: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Answer as huggingface.co does, so far as a download needs it."""
        self.asked.append(path)
        if self.refusal is not None:
            status, code = self.refusal
            return status, {"X-Error-Code": code, "X-Error-Message": code}, b"{}"
        path = path.partition("?")[0]
        if path.startswith(f"/api/models/{NAME}/revision/"):
            revision = path.rpartition("/")[2]
            if revision not in self.branches:
                return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
            return 200, {}, json.dumps({"id": NAME, "sha": self.branches[revision]}).encode()
        if path == f"/api/models/{NAME}":
            return 200, {}, json.dumps({"id": NAME, "sha": self.branches["main"]}).encode()
        if path.startswith(f"/api/models/{NAME}/tree/"):
            files = [
                {"type": "file", "path": name, "size": len(data), "oid": f"{i:040}"}
                for i, (name, data) in enumerate(self.files.items())
            ]
            return 200, {}, json.dumps(files).encode()
        if path.startswith(f"/{NAME}/resolve/"):
            _, _, _, _, commit, name = path.split("/", 5)
            etag = f'"{list(self.files).index(name):040}"'
            return 200, {"X-Repo-Commit": commit, "ETag": etag}, self.files[name]
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine, and an empty cache."""
    made = Hub(
        {
            "config.json": b'{"model_type": "sam2"}',
            "model.safetensors": b"weights",
            "pytorch_model.bin": b"may hold code",
            "sam2.pt": b"may hold code",
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self, *, body: bool = True) -> None:
            made.tokens.add(self.headers.get("Authorization"))
            status, headers, data = made.answer(self.path)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.do_GET(body=False)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _use(monkeypatch, f"http://127.0.0.1:{server.server_port}", tmp_path / "cache")
        yield made
        server.shutdown()


def _use(monkeypatch: pytest.MonkeyPatch, address: str, cache: Path) -> None:
    from huggingface_hub import constants

    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.mark.usefixtures("hub")
def test_a_model_is_fetched_with_its_commit_and_without_pickles() -> None:
    found = find("hf", NAME)
    assert (found.revision, found.kind) == (NEW, "sam2")
    assert {file.name for file in found.folder.iterdir()} == {"config.json", "model.safetensors"}
    assert (
        found.provenance("hf", NAME, min_iou=0.5) == f"hf:model={NAME},revision={NEW},min_iou=0.5"
    )
    assert find("hf", NAME, "v1").revision == OLD


def test_a_branch_that_moved_is_another_model(hub: Hub) -> None:
    before = find("hf", NAME)
    hub.branches["main"] = OLD
    assert find("hf", NAME).revision == OLD != before.revision
    assert find("hf", NAME, NEW).revision == NEW  # what a record pins


def test_a_pinned_commit_that_is_here_is_not_asked_for_again(hub: Hub) -> None:
    find("hf", NAME, NEW)
    hub.asked.clear()
    assert find("hf", NAME, NEW).revision == NEW
    assert hub.asked == []


def test_what_is_in_the_cache_works_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    find("hf", NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    assert find("hf", NAME).revision == NEW
    assert hub.asked == []


def test_the_token_of_the_user_is_sent(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    find("hf", NAME)
    assert hub.tokens == {"Bearer hf_secret"}


def _offline(_: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def _refuses(status: int, code: str) -> Callable[[Hub, pytest.MonkeyPatch], None]:
    def refuse(hub: Hub, _: pytest.MonkeyPatch) -> None:
        hub.refusal = (status, code)

    return refuse


def _gone(_: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    _use(monkeypatch, "http://127.0.0.1:9", Path(constants.HF_HUB_CACHE))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_refuses(403, "GatedRepo"), "is gated: accept its licence at .*HF_TOKEN"),
        (_refuses(404, "RepoNotFound"), "is no model at https://huggingface.co/someone/tiny-sam"),
        (_refuses(404, "RevisionNotFound"), "has no revision"),
        (_refuses(500, ""), "could not fetch .*HTTP status 500"),
        (_offline, "could not fetch .*HF_HUB_OFFLINE is set.* give model=FOLDER.* to /.*cache"),
        (_gone, r"could not fetch .*\(no connection\).* 'hf download someone/tiny-sam --local-dir"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_line(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, prepare: Any, message: str
) -> None:
    prepare(hub, monkeypatch)
    with pytest.raises(WeightsUnavailable, match=message) as error:
        find("hf", NAME)
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).startswith("hf: ")


def test_a_model_of_pickles_alone_is_refused(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(InputError, match=r"holds no weights as model\.safetensors"):
        find("hf", NAME)
