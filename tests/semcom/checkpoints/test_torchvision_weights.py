"""Weights of torchvision's networks, from a stand-in for PyTorch's server."""

from __future__ import annotations

import hashlib
from http.client import IncompleteRead

import pytest
import torch

from semcom.checkpoints import torchvision_weights as checked
from semcom.scores.dists import Dists
from semcom.scores.lpips import Lpips


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of torch, and no network."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(checked, "SERVER", "http://127.0.0.1:1/")
    return tmp_path / "hub" / "checkpoints"


@pytest.mark.parametrize(
    ("score", "name", "message"),
    [
        (Lpips, "alexnet-owt-7be5be79.pth", r"LPIPS needs {}.*put it at .*lpips:weights=FILE"),
        (Dists, "vgg16-397923af.pth", r"DISTS needs {}.*put it at .*dists:weights=FILE"),
    ],
)
def test_without_its_features_a_score_says_what_to_fetch(cache, score, name, message):
    with pytest.raises(ValueError, match=message.format(name)):
        score()
    (cache / name).write_bytes(b"not it")
    with pytest.raises(ValueError, match=f"does not begin with {name[-12:-4]}"):
        score()


@pytest.mark.usefixtures("cache")
def test_a_transfer_that_is_cut_off_says_what_to_do(monkeypatch):
    def cut(*_, **__):
        raise IncompleteRead(b"wei", 4)

    monkeypatch.setattr(torch.hub, "download_url_to_file", cut)
    with pytest.raises(ValueError, match=r"could not be fetched from .*put it at"):
        checked.torchvision_weights("net-00000000.pth", "NET")


def test_what_has_the_right_hash_is_fetched(cache, tmp_path, monkeypatch):
    """The real code, from a folder; the file is named by its own hash, or by another."""
    content = b"weights"
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    for file in (name, "net-00000000.pth"):
        (tmp_path / file).write_bytes(content)
    monkeypatch.setattr(checked, "SERVER", tmp_path.as_uri() + "/")
    assert checked.torchvision_weights(name, "NET").read_bytes() == content
    assert (cache / name).is_file()
    with pytest.raises(ValueError, match="could not be fetched"):
        checked.torchvision_weights("net-00000000.pth", "NET")
