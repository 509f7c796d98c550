"""Objects that the user names: boxes of a detector become masks of a segmenter, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semcom
from semcom.detectors.base import Found
from semcom.errors import InputError
from semcom.importance import by_text
from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.base import SEGMENTERS
from semcom.sizes import shrink
from semcom.types import Image, Mask, Prompts

RED, BLUE = (24, 20, 56, 60), (84, 30, 120, 84)


class Seeing:
    """A detector that knows where the red and the blue square are, and finds nothing else."""

    provenance = "seeing:threshold=0.5 (sha256 0123)"

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], tuple[str, ...]]] = []

    def __call__(self, image: Image, texts: Sequence[str]) -> list[Found]:
        self.asked.append((image.shape, tuple(texts)))
        scale = image.shape[1] / 144
        known = {"red": [RED], "blue": [BLUE], "square": [BLUE, RED]}
        return [
            Found(text, 0.9 - 0.1 * i, tuple(side * scale for side in box))  # type: ignore[arg-type]
            for text in texts
            for i, box in enumerate(known.get(text, []))
        ]


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> Seeing:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    made = Seeing()
    monkeypatch.setattr(by_text, "_detector", lambda _: made)
    return made


@pytest.fixture
def picture() -> Any:
    image = np.full((108, 144, 3), 60, dtype=np.uint8)
    for (x0, y0, x1, y1), colour in ((RED, (220, 30, 30)), (BLUE, (20, 40, 230))):
        image[y0:y1, x0:x1] = colour
    return image


def options(text: str, segmenter: str = "graph", **others: Any) -> RegionOptions:
    return RegionOptions(segmenter, Prompts(text=text, **others))  # type: ignore[arg-type]


def test_masks_are_those_of_the_boxes_in_the_order_of_the_texts(
    seeing: Seeing, picture: Any
) -> None:
    found = find_region(picture, options("blue; red"))
    boxes = Prompts(boxes=(BLUE, RED))
    by_box = find_region(picture, RegionOptions("graph", boxes))
    assert [mask.label for mask in found.masks] == ["blue", "red"]
    for mask, same, (x0, y0, x1, y1) in zip(found.masks, by_box.masks, (BLUE, RED), strict=True):
        assert np.array_equal(mask.pixels, same.pixels)
        assert mask.score == same.score
        assert mask.pixels[y0:y1, x0:x1].all()
    assert np.array_equal(found.importance.w, by_box.importance.w)
    assert seeing.asked == [((108, 144, 3), ("blue", "red"))]
    assert found.notes == ()


@pytest.mark.usefixtures("seeing")
def test_a_text_may_name_several_objects(picture: Any) -> None:
    found = find_region(picture, options("square"))
    assert [mask.label for mask in found.masks] == ["square", "square"]
    assert found.record["num_masks"] == 2


@pytest.mark.usefixtures("seeing")
def test_the_record_holds_what_was_found(picture: Any) -> None:
    record = find_region(picture, options("red; unicorn")).record
    assert record["text"] == ("red", "unicorn")
    assert record["detector"] == Seeing.provenance
    assert record["found"] == ({"text": "red", "score": 0.9, "box": list(map(float, RED))},)
    assert record["boxes"] == ()
    assert "text" not in find_region(picture, RegionOptions("graph")).record


@pytest.mark.usefixtures("seeing")
def test_nothing_found_is_said_and_never_guessed(picture: Any) -> None:
    some = find_region(picture, options("red; unicorn"))
    assert some.notes == (f"text 'unicorn': nothing found by {Seeing.provenance}",)
    assert [mask.label for mask in some.masks] == ["red"]
    none = find_region(picture, options("unicorn"))
    assert none.masks == ()
    assert not none.importance.region.any()
    assert (none.importance.w == 1).all()
    assert none.notes[0] == f"text 'unicorn': nothing found by {Seeing.provenance}"
    assert "the region is empty" in none.notes[1]


@pytest.mark.usefixtures("seeing")
def test_points_and_boxes_come_before_texts(picture: Any) -> None:
    found = find_region(picture, options("red", points=((100, 50),), boxes=(BLUE,)))
    assert [mask.label for mask in found.masks] == [None, None, "red"]
    assert found.masks[0].pixels[50, 100]
    assert found.masks[2].pixels[40, 40]
    unseen = find_region(picture, options("unicorn", points=((100, 50),)))
    assert len(unseen.masks) == 1


def test_a_shrunk_picture_has_the_same_objects(seeing: Seeing, picture: Any) -> None:
    large = np.kron(picture, np.ones((4, 4, 1), dtype=np.uint8))
    small = shrink(large, 144)
    found = find_region(small, options("blue; red"), shrunk_from=(432, 576))
    assert [mask.label for mask in found.masks] == ["blue", "red"]
    assert seeing.asked[0][0] == (108, 144, 3)
    (x0, y0, x1, y1) = RED
    assert found.masks[1].pixels[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].all()
    assert not found.masks[1].pixels[:, 80:].any()


@pytest.mark.usefixtures("seeing")
def test_texts_choose_among_the_masks_of_a_file(picture: Any, tmp_path: Path) -> None:
    labels = np.zeros((108, 144), dtype=np.uint8)
    for value, (x0, y0, x1, y1) in enumerate((RED, BLUE), 1):
        labels[y0:y1, x0:x1] = value
    np.save(tmp_path / "masks.npy", labels)
    found = find_region(
        picture, RegionOptions(mask=str(tmp_path / "masks.npy"), prompts=Prompts(text=("blue",)))
    )
    assert [mask.label for mask in found.masks] == ["blue"]
    assert np.array_equal(found.importance.region, labels == 2)


class Reading:
    """A segmenter that takes texts itself."""

    takes_text = True

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        half = np.arange(image.shape[1]) < image.shape[1] // 2
        return [
            Mask(np.tile(half, (image.shape[0], 1)), 0.7, text)
            for text in prompts.text
            if text != "unicorn"
        ]


def test_a_segmenter_that_takes_texts_is_asked_directly(
    seeing: Seeing, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semcom.importance import region

    monkeypatch.setattr(region, "opened", lambda _: Reading())
    found = find_region(picture, options("left; unicorn", "graph"))
    assert seeing.asked == []
    assert [(mask.label, mask.score) for mask in found.masks] == [("left", 0.7)]
    assert found.notes[0] == "text 'unicorn': nothing found by the segmenter"
    assert found.record["text"] == ("left", "unicorn")


@pytest.mark.usefixtures("seeing")
def test_send_takes_texts(picture: Any) -> None:
    delivery = semcom.send(picture, segmenter="graph", text="red;  blue", codec="jpeg", cbr="1/4")
    assert delivery.record["text"] == ("red", "blue")
    same = semcom.send(
        picture, segmenter="graph", text=["red", "blue"], codec="jpeg", cbr="1/4"
    ).record
    assert same["received_sha256"] == delivery.record["received_sha256"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: options("red", "whole_image"),
            "'whole_image' cannot follow points, boxes or text",
        ),
        (lambda: RegionOptions("graph", detector="owlv2"), "detector 'owlv2' needs a text"),
        (
            lambda: RegionOptions("graph", Prompts(text=("red",)), detector="yolo"),
            "unknown detector 'yolo'",
        ),
        (lambda: Prompts(text=("red", " ")), "names one kind of object in words, got ' '"),
        (lambda: Prompts(text=(3,)), "names one kind of object in words, got 3"),  # type: ignore[arg-type]
        (lambda: SEGMENTERS.create("sam3:threshold=1"), "sam3: threshold must be above 0"),
    ],
)
def test_what_does_not_fit_is_refused_before_work_starts(build: Any, message: str) -> None:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize("name", ["graph", "median:of=graph", "blurred:of=graph"])
def test_segmenters_do_not_overlook_a_text(name: str, picture: Any) -> None:
    with pytest.raises(InputError, match="takes points and boxes, not the text 'red'"):
        SEGMENTERS.create(name)(picture, Prompts(text=("red",)))


def test_sam3_takes_texts_alone(picture: Any) -> None:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    segment = SEGMENTERS.create("sam3")
    with pytest.raises(InputError, match="takes texts, not points or boxes"):
        segment(picture, Prompts(points=((1, 1),), text=("red",)))
    with pytest.raises(InputError, match="needs a text that names what to look for"):
        segment(picture)
