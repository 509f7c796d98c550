"""Learned codecs: real strings, the same in any process; damage and wrong weights are refused."""

from __future__ import annotations

import gc
import hashlib
import http.server
import itertools
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import semcom
from semcom.checkpoints import compressai as zoo
from semcom.checkpoints.download import WeightsUnavailable
from semcom.codecs import learned
from semcom.codecs.base import CODECS, DecodeError, grey
from semcom.codecs.learned import METRICS, MODELS, Learned
from semcom.scores.psnr import psnr_db

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)
SIZE = (70, 100)


def new_model(model: str, seed: int = 0) -> torch.nn.Module:
    """An untrained network, with latents large enough to carry something."""
    build = zoo.import_zoo().image.model_architectures[model]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build(8) if model.startswith("cheng") else build(8, 12)
        [p for p in network.g_a.parameters() if p.ndim == 4][-1].mul_(30)
    network.update()
    return network


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("untrained")
    files = {model: folder / f"{model}.pth.tar" for model in MODELS}
    for model, file in files.items():
        torch.save(new_model(model).state_dict(), file)
    return files


@pytest.fixture(scope="module")
def trained(tmp_path_factory, photo) -> Path:
    """A mean-scale hyperprior that has seen the photo for some seconds."""
    network = zoo.import_zoo().image.model_architectures["mbt2018-mean"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = network(16, 24).train()
        x = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
        for step in range(200):
            top, left = (37 * step) % 32, (61 * step) % 112
            crop = x[..., top : top + 128, left : left + 128]
            out = network(crop)
            bits = sum(-p.log2().sum() for p in out["likelihoods"].values()) / 128**2
            loss = bits + 0.02 * 255**2 * (out["x_hat"] - crop).square().mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
    network.update(force=True, update_quantiles=True)
    file = tmp_path_factory.mktemp("trained") / "tiny.pth.tar"
    torch.save(network.state_dict(), file)
    return file


@pytest.fixture(scope="module")
def picture(photo):
    return np.ascontiguousarray(photo[: SIZE[0], : SIZE[1]])


def encode(codec, image, max_bits=10**7):
    w = np.ones(image.shape[:2], dtype=np.float32)
    (packet,) = codec.encode(image, w, max_bits).packets
    return packet.data


def test_a_model_trained_for_seconds_shows_the_picture(trained, photo):
    codec = Learned(checkpoint=str(trained))
    data = encode(codec, photo)
    assert 8 * len(data) < photo[..., 0].size  # 1 bit per pixel
    flat = psnr_db(photo, grey(*photo.shape[:2]))
    assert psnr_db(photo, codec.decode([data], *photo.shape[:2])) > flat + 2.5


def test_the_strings_are_as_long_as_the_entropy_model_says(trained, photo):
    """Bits are those of the strings; the likelihoods only bound them from below, and closely."""
    network = zoo.load(trained, "mbt2018-mean")
    x = torch.from_numpy(photo[:128, :192]).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        expected = sum(-float(p.log2().sum()) for p in network(x)["likelihoods"].values())
    data = encode(Learned(checkpoint=str(trained)), photo[:128, :192])
    overhead = 8 * (1 + 4 + 3)
    assert expected < 8 * len(data) - overhead < 1.03 * expected + 2 * 64


def test_models_decode_alike_in_another_process(checkpoints, picture, tmp_path):
    np.save(tmp_path / "picture.npy", picture)
    code = (
        "import sys, numpy as np, torch; from pathlib import Path\n"
        "from semcom.codecs.learned import Learned\n"
        "torch.set_num_threads(2); folder = Path(sys.argv[1])\n"
        "picture = np.load(folder / 'picture.npy')\n"
        "w = np.ones(picture.shape[:2], np.float32)\n"
        "for spec in sys.argv[2:]:\n"
        "    model, _, file = spec.partition('=')\n"
        "    codec = Learned(model=model, checkpoint=file)\n"
        "    data = (folder / f'{model}.bin').read_bytes()\n"
        "    np.save(folder / f'{model}.npy', codec.decode([data], *w.shape))\n"
        "    (packet,) = codec.encode(picture, w, 10**7).packets\n"
        "    assert packet.data == data, model\n"
    )
    shown = {}
    for model in ("bmshj2018-factorized", "mbt2018-mean", "cheng2020-anchor"):
        codec = Learned(model=model, checkpoint=str(checkpoints[model]))
        data = encode(codec, picture)
        (tmp_path / f"{model}.bin").write_bytes(data)
        shown[model] = codec.decode([data], *SIZE)
    specs = [f"{model}={file}" for model, file in checkpoints.items() if model in shown]
    subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", code, str(tmp_path), *specs],
        check=True,
    )
    for model, expected in shown.items():
        assert (np.load(tmp_path / f"{model}.npy") == expected).all()
        assert expected.std() > 1


def test_the_receiver_needs_no_options(checkpoints, picture):
    model = "bmshj2018-hyperprior"
    data = encode(Learned(model=model, checkpoint=str(checkpoints[model])), picture)
    expected = Learned(model=model, checkpoint=str(checkpoints[model])).decode([data], *SIZE)
    assert (CODECS.create("learned").decode([data], *SIZE) == expected).all()


def test_across_a_channel(trained, photo):
    spec = f"learned:model=mbt2018-mean,checkpoint={trained}"
    delivery = semcom.send(photo, segmenter="whole_image", codec=spec, snr_db=15, cbr="1/4")
    data = [packet.data for packet in delivery.transmission.stream.packets]
    assert (delivery.received == CODECS.create(spec).decode(data, *photo.shape[:2])).all()
    with pytest.raises(ValueError, match="too small"):
        semcom.send(photo, segmenter="whole_image", codec=spec, snr_db=15, cbr="1/200")


def test_torch_is_left_as_it_was(checkpoints, picture):
    learned._load.cache_clear()
    state = torch.get_rng_state()
    encode(Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"])), picture)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.is_grad_enabled()


def test_what_libraries_say_of_their_future_stays_here(checkpoints, picture, monkeypatch):
    """As torch does of names that CompressAI uses; pytest makes an error of every warning."""
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    network = learned._load(codec._qualities[0])

    def grumbling(called):
        def grumble(*args):
            warnings.warn("`reduce_op` is deprecated", FutureWarning, stacklevel=2)
            return called(*args)

        return grumble

    for name in ("compress", "decompress"):
        monkeypatch.setattr(network, name, grumbling(getattr(network, name)))
    assert codec.decode([encode(codec, picture)], *SIZE).shape == (*SIZE, 3)


def test_threads_leave_torch_as_it_was(checkpoints, picture):
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    alone = encode(codec, picture)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: encode(codec, picture), range(8))) == {alone}
    assert not torch.are_deterministic_algorithms_enabled()


# Damage


@pytest.fixture
def no_decoder(monkeypatch):
    """Fail as soon as a decoder is asked, or the network."""

    def forbidden(*args):
        raise AssertionError(args)

    monkeypatch.setattr(learned, "_decompress", forbidden)
    monkeypatch.setattr(zoo, "fetch", forbidden)


@pytest.mark.usefixtures("no_decoder")
def test_damage_never_reaches_a_decoder(checkpoints, picture, monkeypatch):
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    with monkeypatch.context() as patch:
        patch.setattr(learned, "_decompress", lambda _, __, *size: grey(*size))
        data = encode(codec, picture)
        assert codec.decode([data], *SIZE).shape == (*SIZE, 3)
    rng = np.random.default_rng(0)
    flips = []
    for place in [*range(20), *rng.integers(len(data), size=300)]:
        flips.append(bytearray(data))
        flips[-1][place] ^= 1 << rng.integers(8)
    cuts = [data[:n] for n in [*range(20), len(data) - 4, len(data) - 1]]
    for bad in [*map(bytes, flips), *cuts, data + b"\0", bytes(9), b"\xfe" + data[1:]]:
        with pytest.raises(DecodeError):
            codec.decode([bad], *SIZE)
    with pytest.raises(DecodeError):
        codec.decode([data], SIZE[0] + 64, SIZE[1])  # another number of latents


@pytest.mark.usefixtures("no_decoder")
def test_strings_of_other_weights_never_reach_a_decoder(checkpoints, picture, tmp_path):
    torch.save(new_model("mbt2018-mean", seed=1).state_dict(), tmp_path / "other.pth.tar")
    (weights_,) = learned._own(tmp_path / "other.pth.tar", "mbt2018-mean")
    data = learned._compress(picture, weights_)
    learned._opened.pop(weights_.identity)
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    with pytest.raises(DecodeError, match="not available here"):
        codec.decode([data], *SIZE)


def forge(weights_, body):
    return bytes([weights_.code]) + learned._crc(weights_, body, *SIZE) + body


@pytest.mark.parametrize("model", ["bmshj2018-factorized", "mbt2018-mean", "mbt2018"])
def test_a_decoder_out_of_step_shows_something(checkpoints, model):
    """As after a sum that came out differently on another machine: strings behind a right CRC."""
    (weights_,) = learned._own(checkpoints[model], model)
    rng = np.random.default_rng(0)
    lengths = b"" if model == "bmshj2018-factorized" else (16).to_bytes(3, "big")
    for length in (16, 20, 200):
        for string in (rng.bytes(length), b"\xff" * length, bytes(length)):
            packet = forge(weights_, lengths + string)
            assert Learned().decode([packet], *SIZE).shape == (*SIZE, 3)


def test_lengths_beyond_the_packet_are_refused(checkpoints):
    (weights_,) = learned._own(checkpoints["mbt2018-mean"], "mbt2018-mean")
    for body in (b"", b"\0", b"\0\0", b"\0\0\x09" + bytes(8), b"\xff\xff\xff"):
        with pytest.raises(DecodeError, match="shorter than its strings"):
            Learned().decode([forge(weights_, body)], *SIZE)


# Checkpoints


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "mbt2019"}, "unknown model 'mbt2019'; choices: bmshj2018-factorized, "),
        ({"metric": "psnr"}, "unknown metric 'psnr'; choices: mse, ms-ssim"),
        ({"checkpoint": "/no/such/file"}, "must be a file or a folder of files, got /no/such/file"),
    ],
)
def test_wrong_options_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        Learned(**options)


class _Hostile:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.trace),))


@pytest.mark.parametrize("kind", ["truncated", "garbage", "hostile", "other model", "nan", "bare"])
def test_a_wrong_checkpoint_is_refused_in_one_line(checkpoints, picture, tmp_path, kind):
    file, trace = tmp_path / "bad.pth.tar", tmp_path / "trace"
    whole = checkpoints["mbt2018-mean"].read_bytes()
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    if kind in ("truncated", "garbage"):
        file.write_bytes(whole[:-200] if kind == "truncated" else whole[::-1])
    elif kind == "other model":
        file.write_bytes(checkpoints["cheng2020-attn"].read_bytes())
    elif kind == "hostile":
        torch.save({"state_dict": state, "epoch": _Hostile(trace)}, file)
    else:
        state["g_a.0.weight"] = state["g_a.0.weight"] * float("nan")
        torch.save(state if kind == "nan" else list(state.values()), file)
    with pytest.raises(ValueError, match=r"bad\.pth\.tar") as caught:
        encode(Learned(checkpoint=str(file)), picture)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 300
    assert not trace.exists()


def test_coding_tables_are_computed_not_read(checkpoints, picture, tmp_path):
    """The coder indexes memory by them, so that a file must not choose them."""
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    for name, tensor in state.items():
        if name.endswith(("_quantized_cdf", "_cdf_length", "_offset")):
            tensor.fill_(2**30)
    torch.save(state, tmp_path / "tables.pth.tar")
    own, other = (
        learned._compress(picture, learned._own(file, "mbt2018-mean")[0])
        for file in (checkpoints["mbt2018-mean"], tmp_path / "tables.pth.tar")
    )
    assert own[5:] == other[5:]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_what_a_training_loop_saves_is_read(checkpoints, picture, tmp_path, prefix):
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    state = {prefix + name: tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "saved.pth.tar")
    assert encode(Learned(checkpoint=str(tmp_path / "saved.pth.tar")), picture)


def test_a_file_that_was_overwritten_is_read_again(tmp_path, picture):
    strings = []
    for seed in (0, 1):
        torch.save(new_model("mbt2018-mean", seed).state_dict(), tmp_path / "same.pth.tar")
        strings.append(encode(Learned(checkpoint=str(tmp_path / "same.pth.tar")), picture)[5:])
    assert strings[0] != strings[1]


# CompressAI's own weights


def test_every_pretrained_model_has_a_byte_of_its_own_and_a_hash():
    every = [w for pair in itertools.product(MODELS, METRICS) for w in learned._pretrained(*pair)]
    assert len(every) == 4 * 2 * 8 + 2 * 2 * 6
    assert len({w.code for w in every}) == len({w.identity for w in every}) == len(every)
    for w in every:
        assert learned._candidates(w.code) == [w]
        assert len(zoo._digest(w.source)) == 8
    assert learned._candidates(254) == []
    cheng = {w.code for w in learned._pretrained("cheng2020-attn", "mse")}
    assert learned._candidates(max(cheng) + 1) == []  # there is no quality 7


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
    learned._load.cache_clear()
    _, handler = server
    codec = CODECS.create("learned")
    assert handler.asked == []
    data = [encode(codec, picture, 8 * len(encode(codec, picture)) - 8 * k) for k in (0, 1)]
    assert len(data[0]) > len(data[1])
    assert len(set(handler.asked)) == len(handler.asked) <= 3
    learned._load.cache_clear()
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
    learned._load.cache_clear()
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
    learned._load.cache_clear()
    for file in zoo.path("http://any/file").parent.iterdir():
        file.unlink()
    handler.files.clear()
    with pytest.raises(WeightsUnavailable, match="HTTP status 404"):
        Learned().decode([data], *SIZE)
    gc.collect()
