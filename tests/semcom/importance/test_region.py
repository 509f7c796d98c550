"""What matters follows from masks, prompts and options, and the record says how."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from semcom.checkpoints import mobile_sam as weights
from semcom.importance import region as regions
from semcom.importance.region import RegionOptions, find_region
from semcom.importance.segmenting import find_masks
from semcom.segmenters.base import Masks
from semcom.types import Image, Mask, Prompts


@pytest.fixture(scope="module")
def image() -> Image:
    """48 rows, 64 columns of a face."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[60:108, 190:254])


@pytest.fixture
def square(tmp_path: Path) -> Path:
    return _mask(tmp_path / "x_mask.png", slice(8, 24), slice(20, 44))


def _mask(path: Path, rows: slice, columns: slice) -> Path:
    pixels = np.zeros((48, 64), dtype=np.uint8)
    pixels[rows, columns] = 255
    PilImage.fromarray(pixels).save(path)
    return path


def _union(masks: tuple[Mask, ...]) -> NDArray[np.bool_]:
    return np.any([mask.pixels for mask in masks], axis=0)


def test_a_mask_file_is_what_matters(image: Image, square: Path) -> None:
    seen = find_region(image, RegionOptions(mask=str(square), theta=0.8))
    expected = np.zeros((48, 64), dtype=bool)
    expected[8:24, 20:44] = True
    np.testing.assert_array_equal(seen.importance.region, expected)
    area = expected.mean()
    np.testing.assert_allclose(seen.importance.w[expected], 0.8 / area, rtol=1e-6)
    np.testing.assert_allclose(seen.importance.w[~expected], 0.2 / (1 - area), rtol=1e-6)
    assert seen.notes == ()
    assert seen.record == {
        "segmenter": "from_file",
        "mask": str(square),
        "mask_sha256": hashlib.sha256(square.read_bytes()).hexdigest(),
        "points": (),
        "boxes": (),
        "importance": "region",
        "num_masks": 1,
    }


def test_every_mask_of_a_file_matters_even_beyond_a_third_of_the_frame(
    image: Image, tmp_path: Path
) -> None:
    labels = np.zeros((48, 64), dtype=np.uint8)
    labels[:30, :40], labels[30:, :40] = 1, 2
    PilImage.fromarray(labels).save(tmp_path / "labels.png")
    seen = find_region(image, RegionOptions(mask=str(tmp_path / "labels.png")))
    np.testing.assert_array_equal(seen.importance.region, labels > 0)
    assert seen.record["num_masks"] == 2


def test_without_prompts_the_first_masks_matter_and_the_rest_does_not(image: Image) -> None:
    seen = find_region(image, RegionOptions("graph"))
    chosen = seen.importance.masks
    assert chosen[0] is seen.masks[0]
    assert 0 < len(chosen) < len(seen.masks) == seen.record["num_masks"]
    np.testing.assert_array_equal(seen.importance.region, _union(chosen))
    assert len(chosen) == 1 or seen.importance.region.mean() <= 0.3


def test_prompts_are_what_matters(image: Image) -> None:
    prompts = Prompts(points=((30.0, 20.0),), boxes=((4.0, 4.0, 20.0, 30.0),))
    seen = find_region(image, RegionOptions("graph", prompts))
    np.testing.assert_array_equal(seen.importance.region, _union(seen.masks))
    assert seen.importance.region[20, 30]
    assert seen.importance.region[4:30, 4:20].any()
    assert seen.record["points"] == ((30.0, 20.0),)
    assert seen.record["boxes"] == ((4.0, 4.0, 20.0, 30.0),)
    assert seen.record["segmenter"] == "graph"


def test_the_record_is_strict_json(image: Image, square: Path) -> None:
    for region_options in (
        RegionOptions("graph", Prompts(((1.5, 2.5),))),
        RegionOptions(mask=str(square)),
    ):
        record = find_region(image, region_options).record
        again = json.loads(json.dumps(record, allow_nan=False))
        assert again["num_masks"] == record["num_masks"]


def test_a_prompt_chooses_among_the_masks_of_a_file(image: Image, square: Path) -> None:
    inside = RegionOptions(mask=str(square), prompts=Prompts(((30.0, 10.0),)))
    assert find_region(image, inside).importance.region.sum() == 16 * 24
    outside = RegionOptions(mask=str(square), prompts=Prompts(((0.0, 0.0),)))
    with pytest.raises(ValueError, match="point 0,0 lies in none of the masks"):
        find_region(image, outside)


@pytest.mark.parametrize("region_options", [RegionOptions("whole_image"), None])
def test_a_region_without_an_outside_says_so_and_weighs_nothing(
    image: Image, tmp_path: Path, region_options: RegionOptions | None
) -> None:
    if region_options is None:
        region_options = RegionOptions(
            mask=str(_mask(tmp_path / "all.png", slice(None), slice(None)))
        )
    seen = find_region(image, region_options)
    assert (seen.importance.w == 1).all()
    (note,) = seen.notes
    assert note == "the region is empty or fills the frame, so importance has no effect (w = 1)"


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (Prompts(points=((64.0, 3.0),)), "point 64,3 lies outside the 64x48 image"),
        (Prompts(points=((3.0, 48.0),)), "point 3,48 lies outside"),
        (Prompts(points=((-1.0, 3.0),)), "point -1,3 lies outside"),
        (Prompts(boxes=((10.0, 10.0, 5.0, 20.0),)), "box 10,10,5,20 must satisfy"),
        (Prompts(boxes=((5.0, 5.0, 5.0, 9.0),)), "box 5,5,5,9 must satisfy"),
        (Prompts(boxes=((0.0, 0.0, 65.0, 48.0),)), "box 0,0,65,48 must satisfy"),
    ],
)
def test_prompts_outside_of_the_image_are_refused(
    image: Image, prompts: Prompts, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        find_region(image, RegionOptions("graph", prompts))


@pytest.mark.parametrize(
    ("segmenter", "prompts", "message"),
    [
        ("whole_image", Prompts(((3.0, 3.0),)), "'whole_image' cannot follow points, boxes or"),
        ("tile", Prompts(text="dog"), "'tile' cannot follow points, boxes or text"),
        ("median:of=tile", Prompts(text="dog"), "'tile' cannot follow points, boxes or text"),
        ("blurred:of=whole_image", Prompts(((3.0, 3.0),)), "'whole_image' cannot follow"),
        ("blurred:of=sam3", Prompts(), "'sam3' needs a text"),
    ],
)
def test_a_segmenter_that_cannot_follow_prompts_is_refused_at_once(
    segmenter: str, prompts: Prompts, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RegionOptions(segmenter, prompts)


def test_a_mask_of_another_size_is_refused(image: Image, square: Path) -> None:
    with pytest.raises(ValueError, match="masks are 64x48, but the image is 64x40"):
        find_region(image[:40], RegionOptions(mask=str(square)))


@pytest.mark.parametrize("theta", [0.0, 1.0, -1.0, 2.0, float("nan"), float("inf")])
def test_a_theta_outside_of_0_and_1_is_refused_at_once(theta: float) -> None:
    with pytest.raises(ValueError, match=r"theta must be in \(0, 1\), or auto, got"):
        RegionOptions(theta=theta)


def test_unknown_names_are_refused_at_once_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'graph'.*choices: mobile_sam, graph"):
        RegionOptions("grph")
    with pytest.raises(ValueError, match="unknown importance 'grade'; choices: region, graded"):
        RegionOptions(kind="grade")
    for mask in (tmp_path / "nope.png", tmp_path, tmp_path / f"{'n' * 300}.png"):
        with pytest.raises(ValueError, match="no such mask file"):
            RegionOptions(mask=str(mask))


@pytest.mark.parametrize("mask", ["beside", "m.png"])
def test_a_mask_and_a_segmenter_together_are_refused_at_once(mask: str) -> None:
    with pytest.raises(ValueError, match="segmenter 'graph' exclude each other: give one"):
        RegionOptions("graph", mask=mask)


def test_a_mask_without_an_object_leaves_nothing_to_prefer(image: Image, tmp_path: Path) -> None:
    PilImage.new("L", (64, 48)).save(tmp_path / "x_mask.png")
    seen = find_region(image, RegionOptions(mask=str(tmp_path / "x_mask.png")))
    assert (seen.importance.w == 1).all()
    assert not seen.importance.region.any()
    assert seen.notes == (
        "x_mask.png: holds no object: every pixel is 0",
        "the region is empty or fills the frame, so importance has no effect (w = 1)",
    )
    assert seen.record["num_masks"] == 0
    for prompts in (Prompts(((3.0, 3.0),)), Prompts(boxes=((3.0, 3.0, 9.0, 9.0),))):
        with pytest.raises(ValueError, match="none of the masks of"):
            find_region(image, RegionOptions(mask=str(tmp_path / "x_mask.png"), prompts=prompts))


def test_notes_of_a_third_partys_masks_reach_the_user(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Masks([Mask(np.ones((48, 64), dtype=bool))], ["seen through fog"])
    monkeypatch.setattr(regions, "_build", lambda _: ("theirs", lambda *_: found, ["first"]))
    assert find_region(image, RegionOptions()).notes[:2] == ("first", "seen through fog")


def test_an_unknown_option_of_a_segmenter_is_refused_with_the_options(image: Image) -> None:
    with pytest.raises(ValueError, match="'graph' has no option 'foo=1'; options and defaults"):
        find_region(image, RegionOptions("graph:foo=1"))


def test_beside_is_resolved_for_each_image(image: Image, square: Path) -> None:
    region_options = RegionOptions(mask="beside")
    assert region_options.beside(square.with_name("x.jpg")).mask == str(square)
    assert RegionOptions(mask=str(square)).beside(Path("y.png")).mask == str(square)
    assert RegionOptions(mask=str(square)).beside(Path("x/y.png")).image == str(Path("x/y.png"))
    assert RegionOptions().beside(Path("y.png")).mask is None
    with pytest.raises(ValueError, match=r"y_mask\.png: no such mask file"):
        find_region(image, region_options.beside(square.with_name("y.png")))


@pytest.mark.parametrize(
    ("present", "used"), [(True, "mobile_sam"), (False, "graph")], ids=["weights", "no weights"]
)
def test_auto_takes_mobile_sam_where_its_weights_are_and_says_what_it_took(
    image: Image, monkeypatch: pytest.MonkeyPatch, present: bool, used: str
) -> None:
    built = []

    def segmenter(spec: str) -> object:
        built.append(spec)
        return lambda image, _: [Mask(np.arange(image[..., 0].size).reshape(48, 64) < 300)]

    monkeypatch.setattr(weights, "available", lambda: present)
    monkeypatch.setattr(regions, "opened", segmenter)
    seen = find_region(image, RegionOptions())
    assert built == [used]
    assert seen.record["segmenter"] == used
    assert seen.notes[0].startswith(f"segmenter auto: using {used}")


def test_auto_names_the_file_of_weights_that_it_does_not_take(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pt"
    own.write_bytes(b"not it")
    monkeypatch.setenv(weights.ENVIRONMENT, str(own))
    note = find_region(image, RegionOptions()).notes[0]
    assert note.startswith(f"segmenter auto: using graph ({own}, named by SEMCOM_MOBILE_SAM, has 6")


def test_attention_is_repeatable(image: Image) -> None:
    first, second = (
        find_region(image, RegionOptions("graph")),
        find_region(image, RegionOptions("graph")),
    )
    np.testing.assert_array_equal(first.importance.w, second.importance.w)
    assert first.record == second.record


def test_masks_in_the_cache_are_those_of_the_same_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "cache"))
    image, asked = np.zeros((8, 8, 3), np.uint8), []

    class Search:
        def __init__(self, points: int) -> None:
            self.settings = points

        def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
            assert not prompts
            asked.append(self.settings)
            return [Mask(np.ones(image.shape[:2], bool), 0.5)]

    for points in (6, 12, 6):
        find_masks(Search(points), "mobile_sam:01234567", image, Prompts(), None)
    assert asked == [6, 12]
