"""Similarities, row by row, against scikit-image and pytorch-msssim."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from semcom.errors import InputError
from semcom.scores import similarity
from semcom.scores.ssim import ms_ssim, ssim
from semcom.types import Image
from tests.large_photos import noisy, photo


def reference_ssim(original: Image, received: Image) -> float:
    return float(
        structural_similarity(
            original,
            received,
            channel_axis=-1,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def reference_ms_ssim(original: Image, received: Image) -> float:
    """pytorch-msssim's, in double precision."""
    from pytorch_msssim import ms_ssim as reference

    x, y = (
        torch.from_numpy(np.moveaxis(image, -1, 0)[None].astype(np.float64))
        for image in (original, received)
    )
    window = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)  # its own is rounded to single precision
    win = torch.from_numpy(window / window.sum()).expand(3, 1, 1, -1)
    return float(reference(x, y, data_range=255.0, win=win))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit.script of pytorch-msssim
@pytest.mark.parametrize("rows", [1, 7, 32, 1000])
def test_similarities_by_rows_are_those_of_the_whole(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "_ROWS", rows)
    original = photo(303, 218)  # odd at several scales
    received = noisy(original)
    assert similarity.ssim(original, received) == pytest.approx(
        reference_ssim(original, received), abs=1e-9
    )
    assert similarity.ms_ssim(original, received) == pytest.approx(
        reference_ms_ssim(original, received), abs=1e-9
    )
    assert similarity.ssim(original, original) == similarity.ms_ssim(original, original) == 1


@pytest.mark.parametrize(("height", "width"), [(1001, 2001), (11, 40), (512, 768), (90, 11)])
def test_scores_of_any_size_are_the_true_ones(height: int, width: int) -> None:
    original = photo(height, width)
    received = noisy(original)
    assert ssim(original, received) == pytest.approx(reference_ssim(original, received), abs=1e-12)
    assert ssim(original, 255 - original) == pytest.approx(
        reference_ssim(original, 255 - original), abs=1e-12
    )
    assert ssim(original, original) == 1


def test_pictures_that_cannot_be_compared_are_refused() -> None:
    picture = photo(200, 200)
    for score in (ssim, ms_ssim, similarity.ms_ssim):
        for other in (picture[:190], picture[:, :190], picture.astype(np.float32)):
            with pytest.raises(InputError, match="uint8 of one shape"):
                score(picture, other)
    with pytest.raises(InputError, match=r"sides of at least 11 pixels, got \(10, 40\)"):
        ssim(picture[:10, :40], picture[:10, :40])
