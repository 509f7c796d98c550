"""The real network of FID with random weights, and how its weights are fetched."""

from __future__ import annotations

import hashlib
import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

import semcom
from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.scores.sets import inception as network
from semcom.scores.sets.inception import features_of, inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights for the network; features are of the order of 1."""
    import_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("inception") / "random.pth"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        patched.setattr(torch, "load", lambda *_, **__: None)
        made = FeatureExtractorInceptionV3("", ["2048"], feature_extractor_weights_path=file)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    torch.save(made.state_dict(), file)
    return file


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of torch, and no network."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(network, "SERVER", "http://127.0.0.1:1/")
    return tmp_path / "hub" / "checkpoints"


def test_it_is_torch_fidelitys(weights, photo):
    """Its own pipeline, on the same patches, with the weights as a file."""
    import_torchvision()
    from torch_fidelity import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("", ["2048"], feature_extractor_weights_path=weights)
    cut = [photo[:150, :150], photo[:150, 75:225]]
    with torch.inference_mode():
        expected = theirs.eval()(torch.tensor(np.stack(cut)).permute(0, 3, 1, 2))[0]
    found = features_of(iter(cut), inception(str(weights)), patch=0)
    assert found.shape == (2, 2048)
    assert found.dtype == np.float64
    assert found == pytest.approx(expected.numpy(), abs=1e-4)
    assert found.std(axis=0).max() > 0.01


def test_a_copy_is_nearer_than_noise(weights, photo):
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8)
    copied, far = (
        semcom.set_distance([photo] * 2, [other] * 2, patch=120, weights=str(weights))
        for other in (photo, noise)
    )
    assert copied.num_patches == far.num_patches == 4
    assert copied.fid == pytest.approx(0, abs=1e-6)
    assert copied.kid <= 0 < far.kid
    assert far.fid > 1
    assert far.caveat.startswith("4 patches are fewer than the 2048 features of each")


def test_without_weights_it_says_what_to_fetch(cache):
    message = (
        f"the network of FID needs {network.NAME}, which could not be fetched from "
        f"http://127.0.0.1:1/{network.NAME} .*put it at {cache / network.NAME}, or name a file "
        "with --weights FILE"
    )
    with pytest.raises(ValueError, match=message):
        inception()
    (cache / network.NAME).write_bytes(b"not it")
    with pytest.raises(ValueError, match=f"does not begin with {network.SHA256}"):
        inception()


def test_they_are_fetched_and_checked(cache, weights, tmp_path, monkeypatch):
    """The real code, from a folder."""
    (tmp_path / network.NAME).write_bytes(weights.read_bytes())
    monkeypatch.setattr(network, "SERVER", tmp_path.as_uri() + "/")
    with pytest.raises(ValueError, match="could not be fetched"):
        inception()
    assert not list(cache.iterdir())
    monkeypatch.setattr(network, "SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())
    assert features_of([np.zeros((32, 32, 3), np.uint8)], inception(), patch=32).shape == (1, 2048)
    assert (cache / network.NAME).is_file()


def test_the_hash_begins_as_the_name_ends():
    assert network.NAME.endswith(f"-{network.SHA256[:8]}.pth")


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(3)}, file)
    with pytest.raises(ValueError, match=r"does not hold torch-fidelity's Inception v3$"):
        inception(str(file))
    torch.save(print, file)
    with pytest.raises(ValueError, match="cannot read"):
        inception(str(file))


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"FID and KID need .*pip install 'semcom\[scores\]'"):
        inception()


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="there are no pictures"):
        features_of([], lambda x: (x,))
