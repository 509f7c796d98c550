"""Learned codecs: real strings, the same in any process and thread."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import semcom
from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import CODECS, grey
from semcom.codecs.learned import weights as known
from semcom.codecs.learned.codec import Learned
from semcom.scores.psnr import psnr_db
from tests.semcom.codecs.learned.networks import SIZE, encode

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


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
    """Also where importance steers them, as one of these does."""
    left = np.arange(SIZE[1]) < SIZE[1] // 3
    maps = {"even": np.ones(SIZE), "steered": np.broadcast_to(np.where(left, 2.0, 0.5), SIZE)}
    for kind, w in maps.items():
        np.save(tmp_path / f"{kind}.npy", w.astype(np.float32))
    np.save(tmp_path / "picture.npy", picture)
    code = (
        "import sys, numpy as np, torch; from pathlib import Path\n"
        "from semcom.codecs.learned.codec import Learned\n"
        "torch.set_num_threads(2); folder = Path(sys.argv[1])\n"
        "picture = np.load(folder / 'picture.npy')\n"
        "for spec in sys.argv[2:]:\n"
        "    model, _, file = spec.partition('=')\n"
        "    codec = Learned(model=model, checkpoint=file)\n"
        "    for kind in ('even', 'steered'):\n"
        "        w = np.load(folder / f'{kind}.npy')\n"
        "        data = (folder / f'{model}-{kind}.bin').read_bytes()\n"
        "        np.save(folder / f'{model}-{kind}.npy', codec.decode([data], *w.shape))\n"
        "        (packet,) = codec.encode(picture, w, 10**7).packets\n"
        "        assert packet.data == data, (model, kind)\n"
    )
    shown = {}
    models = ("bmshj2018-factorized", "mbt2018-mean", "cheng2020-anchor")
    for model, kind in itertools.product(models, maps):
        codec, w = Learned(model=model, checkpoint=str(checkpoints[model])), maps[kind]
        (packet,) = codec.encode(picture, w.astype(np.float32), 10**7).packets
        (tmp_path / f"{model}-{kind}.bin").write_bytes(packet.data)
        shown[f"{model}-{kind}"] = codec.decode([packet.data], *SIZE)
    assert not np.array_equal(shown["mbt2018-mean-even"], shown["mbt2018-mean-steered"])
    specs = [f"{model}={checkpoints[model]}" for model in models]
    subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", code, str(tmp_path), *specs],
        check=True,
    )
    for name, expected in shown.items():
        assert (np.load(tmp_path / f"{name}.npy") == expected).all()
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
    known.load.cache_clear()
    state = torch.get_rng_state()
    encode(Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"])), picture)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.is_grad_enabled()


def test_what_libraries_say_of_their_future_stays_here(checkpoints, picture, monkeypatch):
    """As torch does of names that CompressAI uses; pytest makes an error of every warning."""
    codec = Learned(model="mbt2018-mean", checkpoint=str(checkpoints["mbt2018-mean"]))
    network = known.load(codec._qualities[0])

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
