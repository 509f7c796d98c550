"""CompressAI's own weights: fetched once, by their hash, or a line that says what to do."""

from __future__ import annotations

import gc
import hashlib
import http.server
import itertools
import re
import socket
import threading
from collections.abc import Iterator

import pytest
import torch

from semcom.checkpoints import compressai as zoo
from semcom.checkpoints.download import WeightsUnavailable
from semcom.codecs.base import CODECS
from semcom.codecs.learned import weights as known
from semcom.codecs.learned.codec import Learned
from semcom.codecs.learned.weights import METRICS, MODELS
from tests.semcom.codecs.learned.networks import SIZE, encode, new_model

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


# CompressAI's own weights


def test_every_pretrained_model_has_a_byte_of_its_own_and_a_hash():
    every = [w for pair in itertools.product(MODELS, METRICS) for w in known.pretrained(*pair)]
    assert len(every) == 4 * 2 * 8 + 2 * 2 * 6
    assert len({w.code for w in every}) == len({w.identity for w in every}) == len(every)
    for w in every:
        assert known.candidates(w.code) == [w]
        assert re.search(r"-[0-9a-f]{8}\.pth\.tar$", w.source)
    assert known.candidates(254) == []
    cheng = {w.code for w in known.pretrained("cheng2020-attn", "mse")}
    assert known.candidates(max(cheng) + 1) == []  # there is no quality 7


class _Handler(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        content = self.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(haar_like, monkeypatch, tmp_path) -> Iterator[tuple[str, type[_Handler]]]:
    """A server of three qualities, which stand for CompressAI's; and an empty cache."""
    handler = type("Handler", (_Handler,), {"files": {}, "asked": []})
    urls = {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        base = f"http://127.0.0.1:{httpd.server_port}"
        for quality, content in enumerate(haar_like, start=1):
            name = f"/tiny-{quality}-{hashlib.sha256(content).hexdigest()[:8]}.pth.tar"
            handler.files[name] = content
            urls[quality] = base + name
        monkeypatch.setattr(zoo, "urls", lambda *_: urls)
        monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
        monkeypatch.setenv("NO_PROXY", "*")
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield base, handler
        httpd.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def haar_like(tmp_path_factory) -> list[bytes]:
    """Three qualities of a model: the same latents, 4x finer each."""
    contents = []
    for level in range(3):
        network = new_model("mbt2018-mean")
        with torch.no_grad():
            network.g_a[6].weight *= 4**level
        file = tmp_path_factory.mktemp("zoo") / "file"
        torch.save(network.state_dict(), file)
        contents.append(file.read_bytes())
    return contents


def test_weights_are_fetched_once_and_only_those_needed(server, picture):
    known.load.cache_clear()
    _, handler = server
    codec = CODECS.create("learned")
    assert handler.asked == []
    data = [encode(codec, picture, 8 * len(encode(codec, picture)) - 8 * k) for k in (0, 1)]
    assert len(data[0]) > len(data[1])
    assert len(set(handler.asked)) == len(handler.asked) <= 3
    known.load.cache_clear()
    handler.files.clear()  # the receiver finds them in the cache
    shown = [CODECS.create("learned").decode([d], *SIZE) for d in data]
    assert (shown[0] != shown[1]).any()
    cached = {f"/{file.name}" for file in zoo.path("http://any/file").parent.iterdir()}
    assert cached == set(handler.asked)


@pytest.mark.usefixtures("server")
def test_a_damaged_file_in_the_cache_is_fetched_anew():
    url = zoo.urls("mbt2018", "mse")[1]
    zoo.path(url).parent.mkdir(parents=True)
    zoo.path(url).write_bytes(b"half a file")
    assert zoo.fetch(url, progress=False) == zoo.path(url)
    assert hashlib.sha256(zoo.path(url).read_bytes()).hexdigest()[:8] in url


# pooch leaves the socket of a failed answer to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("case", ["other file", "truncated", "missing", "offline"])
def test_a_failed_fetch_leaves_nothing_and_says_what_to_do(server, case):
    known.load.cache_clear()
    base, handler = server
    url = zoo.urls("mbt2018", "mse")[1]
    name = url.removeprefix(base)
    if case == "offline":
        with socket.socket() as probe:  # a port on which nobody listens
            probe.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{probe.getsockname()[1]}{name}"
    elif case == "missing":
        handler.files.clear()
    else:
        content = handler.files[name]
        handler.files[name] = content[:-9] if case == "truncated" else b"x" + content
    with pytest.raises(WeightsUnavailable) as caught:
        zoo.fetch(url, progress=False)
    message = str(caught.value)
    del caught
    gc.collect()
    reason = {"missing": "HTTP status 404", "offline": "ConnectionError"}.get(case, "SHA-256 is")
    for part in (url, reason, name[-16:-8], str(zoo.path(url)), "learned:model=NAME,checkpoint="):
        assert part in message
    assert "\n" not in message
    assert list(zoo.path(url).parent.iterdir()) == []


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_receiver_without_weights_says_so(server, picture):
    """The packet is whole: what fails is the setup, not the transmission."""
    _, handler = server
    data = encode(Learned(), picture, 10**6)
    known.load.cache_clear()
    for file in zoo.path("http://any/file").parent.iterdir():
        file.unlink()
    handler.files.clear()
    with pytest.raises(WeightsUnavailable, match="HTTP status 404"):
        Learned().decode([data], *SIZE)
    gc.collect()
