"""Kodak's images arrive whole and right, or not at all; what is there is not fetched again."""

from __future__ import annotations

import gc
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.datasets import kodak
from experiments.datasets.kodak import fetch
from semcom.images import load_image

CONTENT = {f"kodim0{k}.png": bytes(range(k, 200)) * 50 for k in (1, 2, 3)}
HASHES = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}


class Server(http.server.ThreadingHTTPServer):
    """Serves :data:`CONTENT` and notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.damaged = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        name = self.path.strip("/")
        self.server.asked.append(name)
        if name not in CONTENT:
            self.send_error(404)
            return
        data = CONTENT[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[::-1] if name == self.server.damaged else data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
    return tmp_path / "semcom" / "kodak"


def test_all_files_arrive_and_a_second_call_needs_no_server(server: Server, folder: Path) -> None:
    assert fetch(url=server.url, hashes=HASHES) == folder
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == CONTENT
    assert fetch(url="http://127.0.0.1:1/", hashes=HASHES) == folder
    assert server.asked == sorted(CONTENT)


def test_a_call_after_an_interruption_fetches_what_is_missing_or_damaged(
    server: Server, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "kodim01.png").write_bytes(CONTENT["kodim01.png"])
    (folder / "kodim02.png").write_bytes(CONTENT["kodim02.png"][:100])
    fetch(url=server.url, hashes=HASHES, progress=False)
    assert server.asked == ["kodim02.png", "kodim03.png"]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == CONTENT


# pooch leaves the socket of a failed answer to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("fault", ["damaged", "missing", "offline"])
def test_what_cannot_be_had_is_told_in_one_line_with_the_way_out(
    server: Server, folder: Path, fault: str
) -> None:
    hashes, url = dict(HASHES), server.url
    if fault == "damaged":
        server.damaged = "kodim02.png"
    elif fault == "missing":
        hashes = {"kodim01.png": HASHES["kodim01.png"], "kodim99.png": "0" * 64}
    else:
        with socket.socket() as probe:  # a port on which nobody listens
            probe.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    with pytest.raises(ValueError, match="data set kodak: could not fetch") as caught:
        fetch(url=url, hashes=hashes, progress=False)
    message = str(caught.value)
    del caught
    gc.collect()
    assert "\n" not in message
    reason = {"damaged": "does not match", "missing": "404", "offline": "ConnectionError"}[fault]
    for part in (url, reason, "kodim24.png", "folder kodak", "SEMCOM_DATA"):
        assert part in message
    arrived = [] if fault == "offline" else ["kodim01.png"]
    assert [file.name for file in folder.iterdir()] == arrived


@pytest.mark.parametrize(("terminal", "progress"), [("1", True), ("1", False), ("0", True)])
def test_there_is_a_bar_on_a_terminal_unless_it_is_turned_off(
    server: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: str,
    progress: bool,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    fetch(url=server.url, hashes=HASHES, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("Kodak" in err) == (terminal == "1" and progress)
    assert err == "" or "Kodak" in err


def test_the_hashes_are_those_of_the_24_images(kodak: Path) -> None:
    from experiments.datasets.kodak import SHA256
    from experiments.suites.literature import is_kodak
    from semcom.hashes import digest

    assert list(SHA256) == [f"kodim{k:02}.png" for k in range(1, 25)]
    found = {name: hashlib.sha256((kodak / name).read_bytes()).hexdigest() for name in SHA256}
    assert found == SHA256
    assert is_kodak(digest(load_image(kodak / name)[0]) for name in SHA256)


def test_the_address_is_that_of_a_folder() -> None:
    assert kodak.KODAK_URL.startswith("https://")
    assert kodak.KODAK_URL.endswith("/")
