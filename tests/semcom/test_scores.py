import math
import warnings

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from semcom.importance.maps import importance
from semcom.scores import score
from semcom.scores.base import ALWAYS
from semcom.scores.psnr import (
    background_psnr_db,
    psnr_db,
    region_psnr_db,
    theta_psnr_db,
    weighted_psnr_db,
)
from semcom.scores.ssim import ms_ssim, ssim
from semcom.types import Mask


@pytest.fixture
def pair(photo):
    noise = np.random.default_rng(1).normal(0, 8, photo.shape)
    return photo, np.clip(photo + noise, 0, 255).astype(np.uint8)


def test_psnr_is_scikit_images(pair):
    assert psnr_db(*pair) == pytest.approx(peak_signal_noise_ratio(*pair, data_range=255))


def test_known_error():
    original = np.full((20, 20, 3), 100, dtype=np.uint8)
    assert psnr_db(original, original + 5) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr_db(original, original) == math.inf


def test_uint8_does_not_wrap():
    black, white = (np.full((20, 20, 3), level, dtype=np.uint8) for level in (0, 255))
    assert psnr_db(black, white) == 0


def test_region_and_background(pair, region):
    original, received = pair
    reference = peak_signal_noise_ratio(original[region], received[region], data_range=255)
    assert region_psnr_db(original, received, region) == pytest.approx(reference)
    assert background_psnr_db(original, received, ~region) == pytest.approx(reference)
    none, everything = np.zeros_like(region), np.ones_like(region)
    assert region_psnr_db(original, received, none) is None
    assert background_psnr_db(original, received, everything) is None


def test_theta_psnr(pair, region):
    original, received = pair
    mse = [255**2 / 10 ** (region_psnr_db(*pair, r) / 10) for r in (region, ~region)]
    expected = 10 * math.log10(255**2 / (0.65 * mse[0] + 0.35 * mse[1]))
    assert theta_psnr_db(original, received, region, 0.65) == pytest.approx(expected)
    assert theta_psnr_db(original, received, region, region.mean()) == pytest.approx(psnr_db(*pair))
    assert theta_psnr_db(original, received, np.ones_like(region), 0.65) is None


def test_weight_one_is_plain_psnr(pair):
    w = np.ones(pair[0].shape[:2], dtype=np.float32)
    assert weighted_psnr_db(*pair, w) == pytest.approx(psnr_db(*pair))


def test_ssim_is_scikit_images_of_wang(pair):
    reference = np.mean(
        [
            structural_similarity(
                pair[0][..., c],
                pair[1][..., c],
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
            for c in range(3)
        ]
    )
    assert ssim(*pair) == pytest.approx(reference)
    assert ssim(pair[0], pair[0]) == pytest.approx(1)


def test_ms_ssim_is_pytorch_msssims():
    import skimage.data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorch_msssim import MS_SSIM

    original = skimage.data.rocket()[:200, :230]
    received = np.clip(original.astype(int) + 9, 0, 255).astype(np.uint8)
    tensors = [
        torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() for x in (original, received)
    ]
    reference = MS_SSIM(data_range=255, size_average=True, channel=3)(*tensors)
    assert ms_ssim(original, received) == pytest.approx(float(reference), abs=1e-5)
    assert ms_ssim(original[:160], received[:160]) is None


def test_score_has_every_name(pair, region):
    made = importance([Mask(region)], *region.shape, theta=0.65)
    scores = score(*pair, made)
    assert list(scores) == list(ALWAYS)
    assert scores["ms_ssim"] is None  # 160 pixels high
    assert all(value > 0 for name, value in scores.items() if name != "ms_ssim")


def test_different_shapes_and_types_are_refused(photo):
    with pytest.raises(ValueError, match="uint8 of one shape"):
        psnr_db(photo, photo[:-1])
    with pytest.raises(ValueError, match="uint8 of one shape"):
        psnr_db(photo, photo.astype(float))
