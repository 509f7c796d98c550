"""The parts that the embedded segmenter is made of."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from semcom.segmenters.graph import focus, grab_cut, raster, saliency, superpixels, tree
from semcom.segmenters.overlap import iou
from tests.semcom.segmenters.drawings import FIGURE, disc, paint


def test_min_cut_is_the_minimum():
    colour = np.random.default_rng(1).uniform(0, 50, (3, 4, 4))
    (i, j), price = grab_cut.borders(colour)
    assert len(price) == 3 * 3 + 2 * 4
    for seed in range(5):
        unary = np.random.default_rng(seed).normal(0, 2 * price.mean(), 12)

        def energy(figure: np.ndarray, unary: np.ndarray = unary) -> float:
            return float(price[figure[i] != figure[j]].sum() - unary @ figure)

        best = min(energy(np.array(f)) for f in itertools.product((0, 1), repeat=12))
        found = grab_cut.min_cut(unary, np.stack([i, j]), price)
        assert 0 < found.sum() < 12
        # Capacities are rounded to a millionth of the largest.
        assert energy(found) - best <= 1e-6 * 29 * max(np.abs(unary).max(), price.max())


def test_evidence_is_the_likelihood_ratio_of_the_colours():
    code = np.array([0] * 60 + [9] * 40)  # bins too far apart for smoothing to mix them
    figure = np.concatenate([np.full(60, 0.9), np.full(40, 0.2)])
    ratio = grab_cut.evidence(code, (10,), figure)
    inside, outside = 54 / (54 + 8), 6 / (6 + 32)
    assert ratio[0] == pytest.approx(np.log(inside / outside), abs=0.02)
    assert ratio[-1] == pytest.approx(np.log((1 - inside) / (1 - outside)), abs=0.02)


def test_background_is_what_the_frame_is_connected_to():
    truth = disc(120, 160, 60, 80, 30)
    parts = superpixels.superpixels(paint((truth, FIGURE)), 300)
    away = np.sqrt(np.square(parts.look[:, None] - parts.look[None]).sum(axis=-1))
    ground = saliency.background(parts, away)
    inside = superpixels.mean(parts.labels, truth.astype(float), parts.area)
    assert ground[inside > 0.9].max() < 0.05
    assert ground[inside < 0.1].min() > 0.9


def test_detail_tells_sharp_from_blurred():
    texture = np.random.default_rng(0).uniform(0, 255, (120, 160, 1)).repeat(3, axis=2)
    blurred = ndimage.gaussian_filter(texture, (2, 2, 0))
    blurred = 128 + (blurred - blurred.mean()) * texture.std() / blurred.std()  # of equal contrast
    blurred[:, :80] = texture[:, :80]
    picture = np.clip(blurred, 0, 255).astype(np.uint8)
    parts = superpixels.superpixels(picture, 200)
    fine, coarse = focus.detail(picture, parts)
    left = parts.centre[:, 1] * 160 < 70
    right = parts.centre[:, 1] * 160 > 90
    assert (fine / coarse)[left].min() > 2 * (fine / coarse)[right].max()


def test_tree_counts_every_pixel_once():
    parts = superpixels.superpixels(data.rocket()[::4, ::4], 100)
    merged = tree.merge(parts)
    n = len(parts)
    assert len(merged.children) == n - 1
    area = merged.collect(parts.area)
    assert area[-1] == parts.labels.size
    for node in (0, n, n + (n // 2), 2 * n - 2):
        assert parts.area[merged.members(node)].sum() == area[node]
    assert (merged.parent[:-1] > np.arange(2 * n - 2)).all()
    assert merged.perimeter[-1] == 0
    above = merged.above(3)
    assert above[3]
    assert above.sum() == sum(3 in merged.members(k) for k in range(2 * n - 1))


def test_superpixel_borders():
    labels = np.array([[0, 0, 1], [2, 2, 1]])
    pairs, length, _ = superpixels.borders(labels, np.zeros((2, 3, 3)))
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert length.tolist() == [1, 2, 1]


@pytest.mark.parametrize("scale", [1, 3, 5])
def test_enlarge_follows_the_picture(scale):
    small = disc(60, 100, 30, 50, 20)
    # The true border is off the small one by half a working pixel.
    truth = disc(60 * scale, 100 * scale, 30.5 * scale, 50.5 * scale, 20.5 * scale)
    large = raster.enlarge(small, paint((truth, FIGURE)))
    assert large.shape == truth.shape
    assert iou(large, truth) > 0.95
    assert not raster.enlarge(np.zeros((60, 100), bool), paint((truth, FIGURE))).any()


def test_tidy():
    mask = disc(60, 60, 30, 30, 20)
    dirty = mask.copy()
    dirty[2, 2] = True
    dirty[30, 30] = False
    np.testing.assert_array_equal(raster.tidy(dirty), mask)
    ring = mask & ~disc(60, 60, 30, 30, 10)
    np.testing.assert_array_equal(raster.tidy(ring), ring)


@pytest.mark.parametrize(
    ("shape", "size"), [((16, 16), (64, 64)), ((100, 200), (200, 400)), ((1, 900), (8, 400))]
)
def test_resize(shape, size):
    assert raster.resize(np.zeros((*shape, 3), np.uint8), 400).shape == (*size, 3)
