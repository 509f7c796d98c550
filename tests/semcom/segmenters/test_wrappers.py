"""Segmenters that ask another one: the vote of several answers, and a blurred view."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters import inner as inner_module
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.blurred import Blurred
from semcom.segmenters.inner import asked, resolved, without_note
from semcom.segmenters.median import Median
from semcom.segmenters.overlap import iou
from semcom.types import Mask, Prompts


class Recording:
    """A segmenter that notes what it is asked, and marks pixels right of a prompt."""

    def __init__(self):
        self.asked = []

    def __call__(self, image, prompts=Prompts()):  # noqa: B008
        self.asked.append((image, prompts))
        height, width = image.shape[:2]
        x = np.arange(width)
        starts = [*(px for px, _ in prompts.points), *(box[0] for box in prompts.boxes)]
        if not prompts:
            starts = [width / 2, width / 4]
        return [Mask(np.tile(x >= start, (height, 1)), score=0.8) for start in starts]


@pytest.fixture
def recording(monkeypatch):
    made = Recording()
    for module in ("median", "blurred"):
        name = f"semcom.segmenters.{module}.build_inner"
        monkeypatch.setattr(name, lambda *_: (made, " (recording:1)"))
    return made


IMAGE = np.random.default_rng(0).integers(0, 256, (60, 200, 3), dtype=np.uint8)


def test_the_answers_to_moved_prompts_vote(recording):
    point, box = (100.0, 30.0), (20.0, 10.0, 120.0, 50.0)
    found = Median(draws=99, spread=0.05)(IMAGE, Prompts((point,), (box,)))
    ((image, prompts),) = recording.asked  # one question, so that the picture is analysed once
    assert image is IMAGE
    assert (prompts.points[0], prompts.boxes[0]) == (point, box)
    moved = np.array(prompts.points)[:, 0]
    assert moved.std() == pytest.approx(0.05 * 200, rel=0.25)
    corners = np.array(prompts.boxes)[:, 0]
    assert corners.std() == pytest.approx(0.05 * 100, rel=0.25)
    for mask, starts in zip(found, (moved, corners), strict=True):
        edge = int(mask.pixels[0].argmax())
        assert edge == np.ceil(np.median(starts))  # the median of half-planes is that of edges
        edges = [np.arange(200) >= start for start in starts]
        agreement = np.mean([iou(one[None], mask.pixels[:1]) for one in edges])
        assert mask.score == pytest.approx(0.8 * agreement)


def test_without_prompts_the_picture_is_moved_by_a_grey_level(recording):
    found = Median(draws=3)(IMAGE)
    assert [int(mask.pixels[0].argmax()) for mask in found] == [100, 50]
    assert all(mask.score == pytest.approx(0.8) for mask in found)
    first, *others = (image for image, _ in recording.asked)
    assert (first == IMAGE).all()
    assert len(others) == 2
    for image in others:
        assert set(np.unique(image.astype(int) - IMAGE)) == {-1, 0, 1}


def test_blurred_shows_a_blurred_picture(recording):
    Blurred(sigma=3.0)(IMAGE, Prompts(((100.0, 30.0),)))
    ((image, prompts),) = recording.asked
    assert prompts.points == ((100.0, 30.0),)
    wanted = np.stack([gaussian_filter(IMAGE[..., c].astype(float), 3.0) for c in range(3)], -1)
    assert np.abs(image - wanted).max() <= 0.51


@pytest.mark.usefixtures("recording")
def test_the_record_names_everything():
    assert Median(of="graph").provenance == "median:of=graph,draws=5,spread=0.02 (recording:1)"
    fine = Blurred(of="graph", sigma=0.123456789).provenance
    assert fine == "blurred:of=graph,sigma=0.123456789 (recording:1)"
    assert without_note(fine) == "blurred:of=graph,sigma=0.123456789"
    assert without_note("from_file:path=a (1).png") == "from_file:path=a (1).png"


def test_noise_leads_a_blurred_view_less_astray():
    image = np.full((96, 128, 3), 70, dtype=np.uint8)
    disc = np.hypot(*np.mgrid[-48:48, -64:64]) < 30
    image[disc] = (170, 150, 60)
    noise = np.random.default_rng(2).normal(0, 50, image.shape)
    seen = np.clip(image + noise, 0, 255).astype(np.uint8)
    point = Prompts(((64.0, 48.0),))
    found = {
        name: SEGMENTERS.create(name)(seen, point)[0] for name in ("graph", "blurred:of=graph")
    }
    assert iou(found["blurred:of=graph"].pixels, disc) > iou(found["graph"].pixels, disc) + 0.3


def test_the_region_and_its_record(monkeypatch):
    monkeypatch.setattr(inner_module.weights, "available", lambda: False)
    assert asked("median") == "graph"
    image = np.full((96, 96, 3), 40, dtype=np.uint8)
    image[32:64, 24:56] = (220, 40, 40)
    options = RegionOptions("median:draws=3", Prompts(((40, 48),)), theta="auto")
    found = find_region(image, options)
    assert found.record["segmenter"] == "median:of=graph,draws=3,spread=0.02"
    assert found.record["confidence"] == pytest.approx(found.masks[0].score)
    assert found.importance.region[32:64, 24:56].all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("median:draws=4", "draws must be an odd number from 3 to 99, got 4"),
        ("median:draws=1", "draws must be an odd number from 3 to 99, got 1"),
        ("median:spread=0", "spread must be above 0 and at most 0.2, got 0"),
        ("median:of=blurred", "'median' cannot ask 'blurred', which asks another one itself"),
        ("blurred:of=median:of=graph", "cannot ask 'median:of=graph', which asks another one"),
        ("median:of=graph:work_size=64", "with its default options, got 'graph:work_size=64'"),
        ("blurred:of=grahp", "unknown segmenter 'grahp'"),
        ("blurred:sigma=0", "sigma must be above 0 and at most 50, got 0"),
    ],
)
def test_what_cannot_be_is_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        SEGMENTERS.create(spec)


@pytest.mark.parametrize("here", ["graph", "mobile_sam"])
def test_auto_is_resolved_wherever_it_stands(monkeypatch, here):
    """The name says what it does on this machine, in one form, and loads no weights."""
    monkeypatch.setattr(inner_module.weights, "available", lambda: here == "mobile_sam")
    named = {resolved(spec) for spec in ("median", "median:of=auto", "median:draws=5,of=auto")}
    assert named == {f"median:of={here}", f"median:of={here},draws=5"}
    assert resolved("blurred:sigma=3,of=auto") == f"blurred:of={here},sigma=3.0"
    assert (resolved("auto"), resolved("graph:max_masks=4")) == (here, "graph:max_masks=4")
    assert asked("blurred:sigma=3") == here
    SEGMENTERS.create("median:of=mobile_sam")  # its weights are looked for when it is asked


def test_graph_doubts_a_box_in_which_it_finds_nothing():
    flat = np.full((80, 80, 3), 90, dtype=np.uint8)
    (mask,) = SEGMENTERS.create("graph")(flat, Prompts(boxes=((20, 20, 60, 60),)))
    assert (int(mask.pixels.sum()), mask.score) == (40 * 40, 0.5)


@pytest.mark.parametrize("spec", ["median:of=from_file", "blurred:of=from_file", "median:of=sam3"])
def test_what_can_never_answer_is_refused_at_once(spec):
    with pytest.raises(ValueError, match="cannot ask"):
        SEGMENTERS.create(spec)
