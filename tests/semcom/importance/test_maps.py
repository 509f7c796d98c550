import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.importance.maps import DEFAULT_THETA, check_map, confidence, importance
from semcom.scores.psnr import theta_psnr_db, weighted_psnr_db
from semcom.types import Mask


def box(top, bottom, left, right, size=(40, 60)):
    pixels = np.zeros(size, dtype=bool)
    pixels[top:bottom, left:right] = True
    return Mask(pixels)


@given(st.floats(0.01, 0.99), st.integers(1, 40), st.integers(1, 59))
def test_region_has_share_theta_and_mean_one(theta, bottom, right):
    mask = box(0, bottom, 0, right)
    made = importance([mask], 40, 60, theta=theta)
    assert made.w.dtype == np.float32
    assert made.w.mean(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert made.w[mask.pixels].sum() / made.w.sum() == pytest.approx(theta, rel=1e-4)
    check_map(made.w, 40, 60)


def test_weighted_psnr_is_theta_psnr():
    rng = np.random.default_rng(0)
    original, received = rng.integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    made = importance([box(5, 20, 10, 30)], 40, 60, theta=0.7)
    expected = theta_psnr_db(original, received, made.region, 0.7)
    assert weighted_psnr_db(original, received, made.w) == pytest.approx(expected, abs=1e-4)


def test_theta_065_on_a_tenth_asks_for_twelve_qp():
    made = importance([box(0, 40, 0, 6)], 40, 60, theta=0.65)
    assert 3 * np.log2(made.w.max() / made.w.min()) == pytest.approx(12.2, abs=0.05)


def test_graded_halves_the_weight_from_mask_to_mask():
    first, second = box(0, 10, 0, 10), box(5, 20, 0, 10)  # they overlap: the first wins
    made = importance([first, second], 40, 60, theta=0.6, kind="graded")
    assert made.w[7, 5] == pytest.approx(2 * made.w[15, 5])
    assert made.w[made.region].sum() / made.w.sum() == pytest.approx(0.6, rel=1e-5)
    assert (made.region == (first.pixels | second.pixels)).all()


@pytest.mark.parametrize("masks", [[], [box(0, 40, 0, 60)], [box(0, 0, 0, 0)]])
def test_nothing_to_prefer_gives_one(masks):
    assert (importance(masks, 40, 60).w == 1).all()


def test_blind_keeps_the_region():
    made = importance([box(0, 10, 0, 10)], 40, 60)
    assert (made.blind().w == 1).all()
    assert made.blind().region is made.region


@pytest.mark.parametrize("theta", [0, 1, -0.1, 1.5, float("nan")])
def test_theta_outside_is_refused(theta):
    with pytest.raises(ValueError, match=r"theta must be in \(0, 1\)"):
        importance([], 40, 60, theta=theta)


def test_bad_kind_and_size_are_refused():
    with pytest.raises(ValueError, match="unknown importance 'salient'; choices: region, graded"):
        importance([], 40, 60, kind="salient")
    with pytest.raises(ValueError, match="mask is 60x40, the image is 64x40"):
        importance([box(0, 1, 0, 1)], 40, 64)


def test_bad_maps_are_refused():
    good = np.ones((4, 6), dtype=np.float32)
    for change, message in (
        (lambda w: w[:, :3], "shape"),
        (lambda w: np.where(np.eye(4, 6), np.nan, w), "4 values not finite"),
        (lambda w: w - 2, "at least 0"),
        (lambda w: 2 * w, "mean 1"),
    ):
        with pytest.raises(ValueError, match=message):
            check_map(change(good), 4, 6)


@pytest.mark.parametrize("kind", ["region", "graded"])
def test_doubt_gives_the_map_of_least_expected_error(kind):
    """With probability c the masks are right, and otherwise nothing is known."""
    masks = [
        Mask(box(0, 10, 0, 10).pixels, score=0.9),
        Mask(box(20, 30, 0, 30).pixels, score=0.5),  # three times as large
    ]
    assert confidence(masks) == pytest.approx(0.6)
    sure = importance(masks, 40, 60, theta=DEFAULT_THETA, kind=kind)
    doubting = importance(masks, 40, 60, theta="auto", kind=kind)
    error = np.random.default_rng(1).random((40, 60))
    expected = 0.6 * (sure.w * error).mean() + 0.4 * error.mean()
    assert (doubting.w * error).mean() == pytest.approx(expected, rel=1e-5)
    share = doubting.w[doubting.region].sum() / doubting.w.sum()
    assert doubting.theta == pytest.approx(share, rel=1e-5)


@pytest.mark.parametrize(("score", "theta"), [(1.0, DEFAULT_THETA), (0.0, 0.25)])
def test_sure_masks_get_the_default_theta_and_hopeless_ones_their_area(score, theta):
    made = importance([Mask(box(0, 20, 0, 30).pixels, score=score)], 40, 60, theta="auto")
    assert made.theta == pytest.approx(theta)
    assert (made.w == 1).all() == (score == 0)


def test_doubt_about_no_masks_changes_nothing():
    assert confidence([]) == 0
    assert (importance([], 40, 60, theta="auto").w == 1).all()
