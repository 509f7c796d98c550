"""DISTS, with random features of VGG16's shape, beside another implementation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.scores import dists


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A file with the convolutions of VGG16, random, and the layers."""
    import_torchvision()
    from torchvision.models import vgg

    torch.manual_seed(0)
    layers = vgg.make_layers(vgg.cfgs["D"]).eval()
    file = tmp_path_factory.mktemp("dists") / "vgg16.pth"
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, file)
    return file, layers


@pytest.fixture
def noisy(photo):
    noise = np.random.default_rng(0).normal(0, 24, photo.shape)
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)


def test_it_is_that_of_piq(photo, noisy, vgg, monkeypatch):
    """The package has its own code, and fetches the same weights, which we hand to it."""
    file, layers = vgg
    import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import piq
        from piq import perceptual

        network = type("Network", (), {"features": layers})
        monkeypatch.setattr(perceptual, "vgg16", lambda **_: network)
        weights = {name: value.view(1, -1, 1, 1) for name, value in dists._weights().items()}
        monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: weights)
        other = piq.DISTS()
        pair = [torch.tensor(x / 255.0).float().permute(2, 0, 1)[None] for x in (photo, noisy)]
        total = sum(float(value.sum()) for value in weights.values())
        theirs = total - (1 - float(other(*pair)))  # piq takes the weights' sum for 1
    ours = dists.Dists(weights=str(file))
    assert total == pytest.approx(1, abs=1e-4)
    assert ours(photo, noisy, None) == pytest.approx(theirs, abs=1e-5)
    assert ours(photo, noisy, None) > 0.001


def test_a_copy_has_0_and_a_shift_less_than_noise(photo, noisy, vgg):
    score = dists.Dists(weights=str(vgg[0]))
    assert score(photo, photo, None) == pytest.approx(0, abs=1e-5)
    assert score(photo, np.roll(photo, 1, axis=1), None) < score(photo, noisy, None)


def test_large_pictures_are_reduced_and_small_ones_have_no_score(photo, vgg):
    large = np.repeat(np.repeat(photo, 3, axis=0), 3, axis=1)  # 480x720
    assert dists._reduced(large).shape == (1, 3, 256, 384)
    assert dists.Dists(weights=str(vgg[0]))(photo[:31], photo[:31], None) is None


def test_another_network_is_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"does not hold torchvision's VGG16 \(features.0\)"):
        dists.Dists(weights=str(tmp_path / "other.pth"))


def test_the_weights_of_the_channels_are_the_authors():
    weights = dists._weights()
    assert {name: len(value) for name, value in weights.items()} == {"alpha": 1475, "beta": 1475}
    assert min(float(value.min()) for value in weights.values()) >= 0
