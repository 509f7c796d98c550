"""Scores of tasks: the receiver segments and reads."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as PilImage

import semcom
from experiments.datasets.signs import SIGNS, draw
from semcom.checkpoints.ocr import Line, read_lines
from semcom.hashes import sha256_of
from semcom.importance.maps import importance
from semcom.scores.base import Scored, built, check_scores
from semcom.scores.tasks.codes import read_codes
from semcom.scores.tasks.text_recall import recall
from semcom.segmenters.base import SEGMENTERS
from semcom.types import Mask, Prompts


@pytest.fixture(scope="module")
def ticket():
    """A photo with a line of text and a QR code, and the mask of their board."""
    return draw(SIGNS["ticket"])


@pytest.fixture(scope="module")
def street():
    return draw(SIGNS["street"])


def scored(region, look=None):
    return Scored(importance([Mask(region)], *region.shape), look)


def grey(image, mask):
    """Return the picture with mid-grey in place of a mask."""
    return np.where(mask[..., None], np.uint8(128), image)


def test_the_made_signs_read_as_they_were_written():
    for name, sign in SIGNS.items():
        picture, mask = draw(sign)
        assert 0.01 < mask.mean() < 0.15
        assert built("codes")(picture, picture, scored(mask)) == (1 if sign.code else None), name


def test_codes_are_lost_with_their_pixels(ticket):
    picture, mask = ticket
    codes = built("codes")
    assert codes(picture, grey(picture, mask), scored(mask)) == 0
    assert codes(picture, grey(picture, ~mask), scored(mask)) == 1
    other, _ = draw(SIGNS["table-card"])
    assert codes(picture, np.array(other)[:400, :600], scored(mask)) == 0  # another code


def test_text_that_is_gone_is_not_read(street):
    picture, mask = street
    text = built("text_recall")
    assert text(picture, picture, scored(mask)) == 1
    assert text(picture, grey(picture, mask), scored(mask)) == 0
    assert text(grey(picture, mask), picture, scored(mask)) is None
    sink = io.BytesIO()
    PilImage.fromarray(picture).save(sink, "JPEG", quality=1)
    blurred = np.asarray(PilImage.open(sink))
    assert text(picture, blurred, scored(mask)) < 1
    region = built("text_recall:over=region")
    assert region(picture, picture, scored(mask)) == 1
    assert region(picture, picture, scored(np.zeros_like(mask))) is None


@pytest.mark.parametrize(
    ("said", "share"),
    [("Main Street", 1), ("MAINSTREET", 1), ("Man Street", 0.9), ("Main", 0.4), ("x" * 90, 0)],
)
def test_recall_counts_characters(said, share):
    sign = Line((10, 10, 90, 30), "Main Street")
    assert recall([sign], [Line((12, 12, 88, 28), said)]) == pytest.approx(share)
    assert recall([sign], [Line((110, 12, 188, 28), said)]) == 0  # elsewhere


def test_the_receiver_segments_as_the_sender_did(photo):
    about = {"codec": "jpeg", "cbr": "1/6", "snr_db": 20, "segmenter": "graph"}
    with_point = semcom.send(photo, **about, points=[(118, 60)], scores=["mask_iou"])
    again = semcom.find_region(
        with_point.received, semcom.RegionOptions("graph", Prompts(points=((118, 60),)))
    ).importance.region
    sent = with_point.importance.region
    iou = (again & sent).sum() / (again | sent).sum()
    assert with_point.scores["mask_iou"] == pytest.approx(iou)
    assert 0 < iou < 1


def test_mask_iou_of_an_exact_copy_is_one_and_of_grey_is_low(photo, region):
    for spec in ("mask_iou:segmenter=graph", "mask_iou:segmenter=graph,prompt=point"):
        score = built(spec)
        assert score(photo, photo.copy(), scored(region)) == 1
        assert score(photo, np.full_like(photo, 128), scored(region)) < 0.7
    truth = built("mask_iou:segmenter=graph,prompt=box,against=region")
    found = SEGMENTERS.create("graph")(photo, Prompts(boxes=((90, 30, 138, 110),)))[0].pixels
    expected = (found & region).sum() / (found | region).sum()
    assert truth(photo, photo, scored(region)) == pytest.approx(expected)
    nothing = scored(np.zeros_like(region))
    assert truth(photo, photo, nothing) is None


def test_another_sender_is_another_mask(photo, region):
    """The mask in the original is remembered for the sender's way to look, and no other."""
    score = built("mask_iou")
    left, right = (lambda image, part=part: _half(image, part) for part in (0, 1))
    assert score(photo, photo, scored(region, left)) == 1
    assert score(photo, photo, scored(region, right)) == 1
    assert score(photo, photo[:, ::-1].copy(), scored(region, right)) == 1


def _half(image, part):
    mask = np.zeros(image.shape[:2], bool)
    mask[:, part * image.shape[1] // 2 :] = True
    return mask


def test_text_and_codes_are_segments(ticket, street):
    picture, board = ticket
    for name in ("ocr", "codes"):
        (mask,) = SEGMENTERS.create(name)(picture)
        assert mask.pixels.any()
        assert (mask.pixels & board).sum() > 0.9 * mask.pixels.sum()
    top, left = np.argwhere(board).min(axis=0)
    (line,) = SEGMENTERS.create("ocr")(picture, Prompts(points=((left + 20.0, top + 14.0),)))
    assert line.label == "text"
    assert line.pixels[top + 14, left + 20]
    (nothing,) = SEGMENTERS.create("codes")(picture, Prompts(points=((0, 0),)))
    assert not nothing.pixels.any()
    found = SEGMENTERS.create("codes")(street[0])
    assert list(found) == []
    assert "no code was found" in found.notes[0]
    with pytest.raises(ValueError, match="margin must be 0 to 2"):
        SEGMENTERS.create("ocr:margin=3")


@pytest.mark.parametrize("colour", [(0, 0, 255), (255, 0, 0), (0, 255, 0)])
def test_codes_in_colour_read_as_their_luminance_does(ticket, colour):
    """Ink of one colour on a grey of nearly the luminance of another one."""
    picture, mask = ticket
    luminance = PilImage.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))
    ink = (np.asarray(PilImage.fromarray(picture).convert("L")) < 128)[..., None]
    for paper in (luminance + 60, luminance - 60):
        if not 0 <= paper <= 255:
            continue
        drawn = np.where(ink, np.uint8(colour), np.uint8(paper))
        drawn = np.where(mask[..., None], drawn, np.uint8(paper))
        grey_one = np.where(ink, np.uint8(luminance), np.uint8(paper))
        grey_one = np.where(mask[..., None], grey_one, np.uint8(paper))
        grey_one = np.broadcast_to(grey_one, drawn.shape).copy()
        assert read_codes(drawn) == read_codes(grey_one)


@pytest.mark.parametrize("upright", [False, True])
def test_a_long_picture_is_read_without_being_enlarged_beyond_measure(monkeypatch, upright):
    seen = []

    def engine(image, **_):
        seen.append(image.shape[:2])
        height, width = image.shape[:2]
        places = [[0, 0], [width, 0], [width, height], [0, height]]
        return [[places, "all", 0.9]], None

    monkeypatch.setattr("semcom.checkpoints.ocr.engine", lambda: engine)
    picture = np.zeros((1300, 64, 3) if upright else (64, 1300, 3), np.uint8)
    (line,) = read_lines(picture)
    assert seen == [(1300, 324) if upright else (324, 1300)]
    assert line.box == (0, 0, *picture.shape[1::-1])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mask_iou:segmenter=from_file,prompt=box", "does not look for objects"),
        ("mask_iou:segmenter=sam3", "does not look for objects"),
        ("mask_iou:segmenter=tile,prompt=point", "'tile' cannot follow points"),
    ],
)
def test_a_receiver_that_cannot_look_is_refused_at_once(spec, message):
    with pytest.raises(ValueError, match=message):
        check_scores([spec], can_look=True)


def test_a_segmenter_that_reads_a_file_finds_nothing_again(photo, region, tmp_path):
    PilImage.fromarray(region).save(tmp_path / "m.png")
    spec = f"from_file:path={tmp_path / 'm.png'}"
    with pytest.raises(ValueError, match="the mask is from a file: name a segmenter"):
        semcom.send(photo, segmenter=spec, scores=["mask_iou"])
    record = semcom.send(photo, segmenter=spec, codec="jpeg", cbr="1/6").record
    assert record["mask_sha256"] == sha256_of(tmp_path / "m.png")
