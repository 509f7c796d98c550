"""FID and KID of features beside other implementations and closed forms, and the patches."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from semcom.scores.sets.distance import distance_of
from semcom.scores.sets.frechet import frechet_distance
from semcom.scores.sets.kernel import SUBSETS, kernel_distance, subset_size
from semcom.scores.sets.patches import corners, patches


@pytest.fixture
def pair():
    """Two sets of different numbers of samples, with correlated dimensions."""
    rng = np.random.default_rng(0)
    mix, other = rng.normal(size=(2, 12, 12))
    return rng.normal(size=(80, 12)) @ mix, rng.normal(size=(60, 12)) @ other + 0.5


def by_the_root(one, other):
    """The formula as it stands, with SciPy's root of a matrix."""
    c1, c2 = (np.cov(x, rowvar=False) for x in (one, other))
    difference = one.mean(axis=0) - other.mean(axis=0)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return difference @ difference + np.trace(c1 + c2 - 2 * root)


def test_the_frechet_distance_is_the_formula(pair):
    assert frechet_distance(*pair) == pytest.approx(by_the_root(*pair), rel=1e-9)
    assert frechet_distance(*pair) == pytest.approx(frechet_distance(*pair[::-1]), rel=1e-12)


def test_the_frechet_distance_of_scaled_and_shifted_samples(pair):
    """Of s·x + d and x it is |mean|² + (s − 1)²·tr C: commuting covariances have a simple root."""
    x, shift = pair[0], np.arange(12)
    mean = x.mean(axis=0) + shift
    expected = mean @ mean + np.trace(np.cov(x, rowvar=False))
    assert frechet_distance(x, 2 * x + shift) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, rel=1e-10)


@pytest.mark.parametrize("number", [2, 5, 80])
def test_equal_sets_have_no_frechet_distance(pair, number):
    assert frechet_distance(pair[0][:number], pair[0][:number]) == pytest.approx(0, abs=1e-9)


def test_fewer_samples_than_dimensions(pair):
    """Samples in a plane of 1000 dimensions are as far apart as in the plane."""
    one, other = (x[:9] for x in pair)
    basis, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(1000, 12)))
    expected = frechet_distance(one, other)
    assert frechet_distance(one @ basis.T, other @ basis.T) == pytest.approx(expected, rel=1e-9)
    assert distance_of(one, other).fid == expected


def mmd2(x, y):
    """The unbiased estimate, pair by pair."""
    m, d = x.shape

    def k(a, b):
        return (float(a @ b) / d + 1) ** 3

    others = [(i, j) for i in range(m) for j in range(m) if i != j]
    within = sum(k(x[i], x[j]) + k(y[i], y[j]) for i, j in others) / len(others)
    return within - 2 * sum(k(a, b) for a in x for b in y) / m**2


def test_the_kernel_distance_is_the_mean_over_subsets(pair):
    one, other = pair[0][:9], pair[1][:6]
    rng, size = np.random.RandomState(2020), subset_size(6)
    draws = [[rng.choice(n, size, replace=False) for n in (9, 6)] for _ in range(SUBSETS)]
    found = [mmd2(one[a], other[b]) for a, b in draws]
    assert size == 3
    assert kernel_distance(one, other) == pytest.approx((np.mean(found), np.std(found)), rel=1e-9)
    assert kernel_distance(one, other) == kernel_distance(one, other)


def test_the_kernel_distance_has_no_bias():
    """Independent samples of one law: 0 within the error of the mean, with few and with many."""
    for number in (10, 80):
        values = []
        for seed in range(20):
            x = np.random.default_rng(seed).normal(size=(2, number, 4))
            values.append(kernel_distance(*x)[0])
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values)) < 3 * error
        assert kernel_distance(x[0], x[1] + 1)[0] > 0


def test_the_kernel_distance_of_a_copy_is_below_0():
    """By 2/N of the difference between the kernel of a pair and that of other samples."""
    x = np.random.default_rng(0).normal(size=(40, 4))
    kernel = (x @ x.T / 4 + 1) ** 3
    pairs = np.trace(kernel) / 40
    others = (kernel.sum() - 40 * pairs) / (40 * 39)
    found, deviation = kernel_distance(x, x)
    assert found == pytest.approx(-2 / 40 * (pairs - others), abs=4 * deviation / SUBSETS**0.5)


def test_a_note_says_when_the_frechet_distance_is_too_high(pair):
    assert distance_of(*pair).caveat == ""
    few = distance_of(pair[0], pair[1][:11])
    assert few.caveat.startswith("11 patches are fewer than the 12 features of each")
    with pytest.raises(ValueError, match="4 patches or more, and there are 1"):
        distance_of(pair[0], pair[1][:1])


@pytest.mark.parametrize(
    ("size", "number"),
    [((512, 768), 8), ((256, 256), 1), ((383, 400), 1), ((384, 384), 2), ((255, 999), 0)],
)
def test_the_patches_that_fit_are_counted(size, number):
    assert len(corners(*size, 256)) == number


def test_patches_are_cut_from_both_grids():
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    found = patches(picture, 16)
    assert len(found) == 6 + 4
    assert (found[1] == picture[:16, 16:32]).all()
    assert (found[-1] == picture[24:40, 24:40]).all()
    assert (patches(picture, 0) == picture[None]).all()


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (41, "50x40 pixels are smaller than a patch of 41x41: .*or 0 for whole pictures"),
        (15, "at least 16 pixels, or 0 for whole pictures, got 15"),
        (-1, "got -1"),
    ],
)
def test_patches_that_cannot_be_cut_are_refused(side, message):
    with pytest.raises(ValueError, match=message):
        patches(np.zeros((40, 50, 3), np.uint8), side)
