"""Scores of perceived quality against the packages and published definitions."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.importance.maps import importance
from semcom.scores import lpips
from semcom.scores.base import Scored, built, value_of
from semcom.scores.perceptual import region_only
from semcom.scores.psnr_hvs import WEIGHTS, PsnrHvs
from semcom.types import Mask


def noisy(photo, level):
    noise = np.random.default_rng(0).normal(0, level, photo.shape)
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)


def scored(region):
    return Scored(importance([Mask(region)], *region.shape))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("fsim", "fsim"),
        ("vif", "vif_p"),
        ("gmsd", "gmsd"),
        ("haarpsi", "haarpsi"),
        ("mdsi", "mdsi"),
    ],
)
def test_they_are_piqs(photo, region, name, function):
    import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import piq

        pair = [torch.tensor(x / 255.0).permute(2, 0, 1)[None] for x in (photo, noisy(photo, 16))]
        theirs = float(getattr(piq, function)(*pair))
    assert built(name)(photo, noisy(photo, 16), scored(region)) == pytest.approx(theirs, abs=1e-4)


def test_over_the_region_only_its_errors_count(photo, region):
    received = noisy(photo, 16)
    outside = np.where(region[..., None], photo, received)
    gmsd = built("gmsd:over=region")
    assert gmsd(photo, outside, scored(region)) == 0
    assert gmsd(photo, received, scored(region)) > 0.01
    assert gmsd(photo, received, scored(np.zeros_like(region))) is None


def test_the_cut_is_as_large_as_the_score_needs(photo):
    region = np.zeros(photo.shape[:2], bool)
    region[-1, -1] = True
    original, received = region_only(photo, 255 - photo, region, least_side=41)
    assert original.shape == received.shape == (41, 41, 3)
    assert (original != received).any(axis=2).sum() == 1
    assert built("vif:over=region")(photo, 255 - photo, scored(region)) is not None
    small = photo[:40, :40]
    assert built("vif")(small, small, scored(region[:40, :40])) is None


@pytest.mark.parametrize(
    ("level", "theirs"), [(4, 39.64244312404095), (16, 27.636477570048417), (0, 21.924220492916003)]
)
def test_psnr_hvs_is_that_of_another_implementation(photo, region, level, theirs):
    """Values of the package psnr_hvsm 0.3.0 (GPL-3.0) for BT.601's luminance of these pictures."""
    received = noisy(photo, level) if level else np.roll(photo, 1, axis=1)
    assert PsnrHvs()(photo, received, scored(region)) == pytest.approx(theirs, abs=1e-6)


def test_psnr_hvs_weighs_a_change_of_brightness_by_the_first_weight(region):
    flat = np.full((*region.shape, 3), 100, dtype=np.uint8)
    expected = 20 * math.log10(255 / (5 * WEIGHTS[0, 0]))
    assert PsnrHvs()(flat, flat + np.uint8(5), scored(region)) == pytest.approx(expected)
    assert PsnrHvs()(flat, flat, scored(region)) == math.inf


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    """A file of AlexNet's shape with random weights, and the network."""
    import_torchvision()
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.alexnet().eval()
    file = tmp_path_factory.mktemp("lpips") / "alexnet.pth"
    torch.save(network.state_dict(), file)
    return file, network


@torch.inference_mode()
def test_lpips_follows_its_formula(photo, alexnet):
    """The weighted distance of unit features, written out with torchvision's own network."""
    import lpips as package

    file, network = alexnet
    ours = lpips.Lpips(weights=str(file))
    value = ours(photo, noisy(photo, 32), None)
    linear = [layer.model[-1].weight for layer in ours._network.lins]
    mean, std = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    features = []
    for image in (photo, noisy(photo, 32)):
        x = (torch.tensor(image / 127.5 - 1, dtype=torch.float32) - mean) / std
        x, kept = x.permute(2, 0, 1)[None], []
        for layer in network.features:
            x = layer(x)
            if isinstance(layer, torch.nn.ReLU):
                kept.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        features.append(kept)
    parts = zip(*features, linear, strict=True)
    expected = sum(float(((a - b).square() * w).sum(1).mean()) for a, b, w in parts)
    assert value == pytest.approx(expected, rel=1e-4)
    assert ours(photo, photo, None) == 0
    assert package.__file__


def test_lpips_refuses_another_network(tmp_path):
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="does not hold torchvision's AlexNet"):
        lpips.Lpips(weights=str(tmp_path / "other.pth"))
    (tmp_path / "other.pth").write_bytes(b"junk")
    with pytest.raises(ValueError, match="cannot read"):
        lpips.Lpips(weights=str(tmp_path / "other.pth"))


@pytest.mark.parametrize("spec", ["haarpsi", "haarpsi:over=region"])
def test_a_black_picture_that_arrives_is_the_same(spec):
    black, region = np.zeros((64, 64, 3), np.uint8), np.eye(64, dtype=bool)
    assert value_of(spec, black, black, scored(region)) == 1
