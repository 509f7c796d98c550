"""Models by path: newer ones, or one's own, that speak CompressAI's language."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.learned import foreign
from semcom.codecs.learned.codec import Learned
from semcom.errors import InputError

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


def made_by_path(name, folder):
    """Return a model with random weights, and the codec that opens it by its path."""
    zoo.import_zoo()
    import compressai.models

    torch.manual_seed(0)
    network = getattr(compressai.models, name)(8, 12)
    with torch.no_grad():
        [p for p in network.g_a.parameters() if p.ndim == 4][-1].mul_(30)
    file = folder / "newer.pth"
    network.update()
    torch.save(network.state_dict(), file)
    return network, Learned(model=f"compressai.models:{name}", checkpoint=str(file))


@pytest.mark.parametrize("name", ["FactorizedPriorReLU", "ScaleHyperprior"])
def test_a_model_by_path_shows_what_it_shows_itself(picture, tmp_path, name):
    network, codec = made_by_path(name, tmp_path)
    w = np.ones(picture.shape[:2], np.float32)
    (packet,) = codec.encode(picture, w, 10**7).packets
    shown = CODECS.create("learned").decode([packet.data], *picture.shape[:2])
    x = torch.from_numpy(np.pad(picture, ((0, 58), (0, 28), (0, 0)), "edge"))
    x = x.permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        made = network.eval().compress(x)
        expected = network.decompress(made["strings"], made["shape"])["x_hat"]
    pixels = (255 * expected[0].permute(1, 2, 0)).round().byte().numpy()
    assert np.array_equal(shown, pixels[: shown.shape[0], : shown.shape[1]])


class Broken:
    """Fails either way."""

    def compress(self, x):
        return {"strings": [], "shape": {"y": x.shape}}

    def decompress(self, _, shape):
        return {"x_hat": torch.full((1, 3, *shape), torch.nan)}


@pytest.mark.parametrize("error", [ValueError("cannot"), SystemExit(3)])
def test_a_model_that_cannot_read_its_own_strings_is_bad_input(
    picture, tmp_path, monkeypatch, error
):
    network, codec = made_by_path("FactorizedPriorReLU", tmp_path)

    def fail(*_):
        raise error

    monkeypatch.setattr(type(network), "decompress", fail)
    with pytest.raises(InputError, match="learned: decompress fails: "):
        codec.encode(picture, np.ones(picture.shape[:2], np.float32), 10**7)


def test_models_that_break_the_contract_are_named():
    with pytest.raises(InputError, match="compress of the model fails: "):
        foreign.compress(Broken(), torch.zeros(1, 3, 64, 64))
    with pytest.raises(DecodeError, match="makes NaN"):
        foreign.decompress(Broken(), b"\x01\x00\x01\x00\x01string", 1, 1)
    for body in (b"", b"\x01\x00", b"\x00\x00\x01\x00\x01", b"\x02\x00\x01\x00\x01\x00\x00\x09s"):
        with pytest.raises(DecodeError, match=r"cut off|shorter than its strings"):
            foreign.decompress(Broken(), body, 64, 64)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("compressai.models:ScaleHyperprior", "needs a checkpoint"),
        ("no.such:Model", "needs a checkpoint"),
        ("newest", "unknown model 'newest'; choices: bmshj2018-factorized"),
    ],
)
def test_models_that_cannot_be_are_refused(model, message):
    with pytest.raises(InputError, match=message):
        Learned(model=model)


def test_a_class_that_is_no_model_says_so(picture, checkpoints):
    for model, message in (
        ("fractions:Fraction", "is not a checkpoint of fractions:Fraction"),
        ("no.such:Model", "no.such:Model cannot be imported"),
    ):
        codec = Learned(model=model, checkpoint=str(checkpoints["mbt2018-mean"]))
        with pytest.raises(InputError, match=message):
            codec.encode(picture, np.ones(picture.shape[:2], np.float32), 10**7)
