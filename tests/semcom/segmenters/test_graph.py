import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data

from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.graph.segmenter import UNSURE, Graph, Scene
from semcom.segmenters.overlap import iou
from semcom.types import Prompts
from tests.semcom.segmenters.drawings import FIGURE, OTHER, disc, paint


def check(masks: list, shape: tuple[int, ...]) -> None:
    assert masks
    for mask in masks:
        assert mask.pixels.dtype == bool
        assert mask.pixels.shape == shape[:2]
        assert mask.pixels.any()
        assert 0 <= mask.score <= 1
    scores = [mask.score for mask in masks]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("shape", [(16, 16), (33, 47), (101, 64), (240, 320), (500, 333)])
def test_disc_comes_first(shape):
    height, width = shape
    truth = disc(height, width, 0.45 * height, 0.55 * width, 0.28 * min(shape))
    masks = SEGMENTERS.create("graph")(paint((truth, FIGURE)))
    check(masks, shape)
    # A border one working pixel off on a disc of this radius.
    assert iou(masks[0].pixels, truth) > (0.8 if min(shape) < 20 else 0.92)


def test_objects_before_background():
    one, two = disc(200, 300, 80, 90, 35), disc(200, 300, 120, 210, 35)
    masks = Graph()(paint((one, FIGURE), (two, OTHER)))
    check(masks, (200, 300))
    assert iou(masks[0].pixels, one | two) > 0.9
    background = [k for k, m in enumerate(masks) if (m.pixels & (one | two)).sum() < 50]
    objects = [k for k, m in enumerate(masks) if max(iou(m.pixels, one), iou(m.pixels, two)) > 0.8]
    assert objects
    assert not background or max(objects) < min(background)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_image_is_one_mask_of_everything(value):
    (mask,) = Graph()(np.full((50, 70, 3), value, np.uint8))
    assert mask.pixels.all()


def test_grey_image():
    truth = disc(120, 160, 60, 80, 30)
    grey = paint((truth, (220, 220, 220))).mean(axis=2, keepdims=True).astype(np.uint8)
    masks = Graph()(np.repeat(grey, 3, axis=2))
    assert iou(masks[0].pixels, truth) > 0.9


def test_point_chooses_its_object():
    one, two = disc(200, 300, 80, 90, 35), disc(200, 300, 120, 210, 35)
    picture = paint((one, FIGURE), (two, OTHER))
    masks = Graph()(picture, Prompts(points=((90, 80), (210.5, 119.5))))
    assert len(masks) == 2
    assert iou(masks[0].pixels, one) > 0.9
    assert iou(masks[1].pixels, two) > 0.9


def test_box_is_cut_inside():
    one, two = disc(200, 300, 80, 90, 35), disc(200, 300, 120, 210, 35)
    picture = paint((one, FIGURE), (two, OTHER))
    box = (50.5, 40.0, 130.0, 120.0)
    point, mask = Graph()(picture, Prompts(points=((210, 120),), boxes=(box,)))
    assert iou(point.pixels, two) > 0.9
    assert iou(mask.pixels, one) > 0.9
    outside = np.ones((200, 300), bool)
    outside[40:120, 50:130] = False
    assert not (mask.pixels & outside).any()


def test_box_without_figure_is_the_box():
    (mask,) = Graph()(np.full((60, 80, 3), 90, np.uint8), Prompts(boxes=((10, 20, 40, 50),)))
    expected = np.zeros((60, 80), bool)
    expected[20:50, 10:40] = True
    np.testing.assert_array_equal(mask.pixels, expected)


@given(
    st.integers(16, 40),
    st.integers(16, 40),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1, 8, 255]),
)
@settings(max_examples=12)
def test_contract_on_noise(height, width, seed, contrast):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, contrast + 1, (height, width, 3), dtype=np.uint8)
    segment = Graph(max_masks=4)
    masks = segment(picture)
    check(masks, (height, width))
    assert len(masks) <= 4
    x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
    x0, x1 = sorted(rng.choice(width + 1, 2, replace=False).tolist())
    y0, y1 = sorted(rng.choice(height + 1, 2, replace=False).tolist())
    point, box = segment(picture, Prompts(points=((x, y),), boxes=((x0, y0, x1, y1),)))
    assert point.pixels[int(y), int(x)]
    assert box.pixels.any()
    assert box.pixels.sum() == box.pixels[y0:y1, x0:x1].sum()


def test_deterministic():
    picture = data.rocket()
    first, second = Graph()(picture), Graph()(picture)
    assert [m.score for m in first] == [m.score for m in second]
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)


def test_photos():
    """Rough boxes around the main objects of two photos that ship with scikit-image."""
    rocket = Graph(max_masks=1)(data.rocket())[0].pixels
    body = np.zeros_like(rocket)
    body[115:405, 300:360] = True
    assert (rocket & body).sum() > 0.6 * rocket.sum()
    assert 0.01 < rocket.mean() < 0.1
    coffee = Graph(max_masks=1)(data.coffee())[0].pixels
    assert coffee[60:150, 250:350].all()  # what the cup holds
    assert not coffee[:, :30].any()


def textured(height: int, width: int, seed: int, low: tuple, high: tuple) -> np.ndarray:
    """Draw grains of two colours, three pixels wide, shape (height, width, 3), as floats."""
    grains = np.random.default_rng(seed).random((height // 3 + 1, width // 3 + 1)) < 0.5
    grains = np.kron(grains, np.ones((3, 3)))[:height, :width, None]
    return np.where(grains, low, high).astype(np.float64)


def test_sharp_before_a_blurred_background():
    """The background has stronger colours than the object, but it is out of focus."""
    truth = disc(240, 320, 125, 150, 55)
    background = textured(240, 320, 1, (190, 120, 40), (30, 90, 140))
    background = ndimage.gaussian_filter(background, (9, 9, 0))
    background = background.mean(axis=(0, 1)) + 4 * (background - background.mean(axis=(0, 1)))
    object_ = textured(240, 320, 2, (60, 60, 60), (150, 150, 140))
    picture = np.where(truth[..., None], object_, background)
    first = Graph()(np.clip(picture, 0, 255).astype(np.uint8))[0]
    assert iou(first.pixels, truth) > 0.85


def test_object_that_touches_the_frame():
    truth = disc(200, 300, 150, 160, 75)  # cut off below
    assert truth[-1].any()
    first = Graph()(paint((truth, FIGURE)))[0]
    assert iou(first.pixels, truth) > 0.9


def test_box_around_a_textured_object_on_a_texture():
    """Object and ground share one of their two colours."""
    truth = disc(240, 320, 120, 140, 60)
    ground = textured(240, 320, 3, (90, 110, 60), (60, 70, 40))
    picture = np.where(
        truth[..., None], textured(240, 320, 4, (90, 110, 60), (170, 120, 70)), ground
    )
    (mask,) = Graph()(picture.astype(np.uint8), Prompts(boxes=((80, 60, 201, 181),)))
    assert iou(mask.pixels, truth) > 0.85


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 3), (1, 200), (7, 5)])
@pytest.mark.parametrize("contrast", [0, 255])
def test_tiny_pictures(shape, contrast):
    picture = np.random.default_rng(0).integers(0, contrast + 1, (*shape, 3), dtype=np.uint8)
    height, width = shape
    check(Graph()(picture), shape)
    prompts = Prompts(points=((width - 1, 0),), boxes=((0, 0, width, height),))
    point, box = Graph()(picture, prompts)
    assert point.pixels[0, width - 1]
    assert box.pixels.any()


def test_the_score_is_lower_where_it_is_less_sure():
    """A disc on a plain ground is an object; none of many patches stands out."""
    truth = disc(200, 300, 100, 150, 50)
    clear = Graph()(paint((truth, FIGURE)))
    patches = np.random.default_rng(3).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    unclear = Graph()(np.kron(patches, np.ones((25, 25, 1), dtype=np.uint8)))
    assert clear[0].score > 0.8
    assert clear.notes == ()
    assert unclear[0].score < UNSURE
    (note,) = unclear.notes
    assert note.startswith(f"graph is not sure of the object: score {unclear[0].score:.2f}")


def test_expected_iou_is_the_mean_over_the_regions():
    scene = Scene(paint((disc(60, 90, 30, 45, 15), FIGURE)), 90)
    regions, chance = scene.candidates()
    assert chance.sum() == pytest.approx(1)
    assert (np.diff(chance) <= 0).all()
    one = scene.region(regions[0])
    found = scene.expected_iou(regions, chance, regions[:1])[0]
    expected = sum(c * iou(one, scene.region(r)) for c, r in zip(chance, regions, strict=True))
    assert found == pytest.approx(expected)


def test_bad_input():
    with pytest.raises(ValueError, match="max_masks must be 1 to 1000, got 0"):
        SEGMENTERS.create("graph:max_masks=0")
    with pytest.raises(ValueError, match="work_size must be 32 to 2048, got 5"):
        Graph(work_size=5)
    with pytest.raises(ValueError, match=r"image must be \(H, W, 3\) uint8, got \(8, 8\) float64"):
        Graph()(np.zeros((8, 8)))
    with pytest.raises(ValueError, match="outside the 20x20 image"):
        Graph()(np.zeros((20, 20, 3), np.uint8), Prompts(points=((20, 0),)))
