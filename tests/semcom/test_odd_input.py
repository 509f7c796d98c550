"""Values of a wrong kind are refused by name, before they turn into a wrong number."""

from __future__ import annotations

import numpy as np
import pytest

import semcom
from channels.packets.target import Target
from experiments.analysis.bd_rate import bd_rate
from experiments.axis_values import ratio
from semcom.api import order_of
from semcom.errors import InputError
from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.scores.masks import mask_scores
from semcom.scores.psnr import psnr_db, region_psnr_db, theta_psnr_db
from semcom.types import Mask, Prompts

PHOTO = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
REGION = np.zeros((32, 48), bool)
REGION[8:24, 8:24] = True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"scheme": 0}, "scheme must be a name, or a number as text, got 0"),
        ({"snr_db": "10"}, "snr_db must be a number, got '10'"),
        ({"snr_db": True}, "snr_db must be a number, got True"),
        ({"planned_snr_db": "5"}, "planned_snr_db must be a number, got '5'"),
        ({"planned_std_db": None}, "planned_std_db must be a number, got None"),
        ({"channel": None}, "channel must be a name, got None"),
        ({"copies": 1.5}, "copies must be a whole number, got 1.5"),
        ({"target": 3}, "target must be a Target, got 3"),
        (
            {"channel": "rayleigh:block_length=10", "csi": "pilots", "num_pilots": 100},
            "block_length must be 0 .one block. or exceed the 100 pilots",
        ),
    ],
)
def test_a_link_refuses_options_of_another_kind(options, told):
    with pytest.raises(InputError, match=told):
        LinkConfig(**options)
    with pytest.raises(InputError, match=told):
        order_of(options)


def test_a_scheme_may_be_its_number_as_text():
    assert len(LinkConfig(scheme="0").allowed_schemes()) == 1


def test_numbers_of_numpy_become_plain_ones():
    link = LinkConfig(snr_db=np.float32(3), copies=np.int64(2), target=Target())
    assert (type(link.snr_db), type(link.copies)) == (float, int)
    assert link == LinkConfig(snr_db=3.0, copies=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"snr_db": "abc"}, "snr_db must be a number, got 'abc'"),
        ({"snr_db": None}, "snr_db must be a number, got None"),
        ({"seed": 1.9}, "seed must be a whole number, got 1.9"),
        ({"seed": True}, "seed must be a whole number, got True"),
        ({"draws": 1.5}, "draws must be a whole number, got 1.5"),
        ({"systems": ["hevc"]}, "systems must be names with options, got"),
        ({"systems": {"one": 3}}, "one must be the options of a system, got 3"),
        ({"max_side": 8}, "max_side must be at least 16, got 8"),
        ({"points": [(float("nan"), 3)]}, "a point needs 2 numbers"),
    ],
)
def test_a_sweep_refuses_options_of_another_kind(options, told):
    with pytest.raises(InputError, match=told):
        semcom.sweep(PHOTO, segmenter="graph", codec="jpeg", **options)


@pytest.mark.parametrize(
    "prompts",
    [
        {"text": 5},
        {"points": 5},
        {"points": ((float("nan"), 3.0),)},
        {"points": ((3.0, float("inf")),)},
        {"boxes": [(0, 0, 9)]},
        {"boxes": ((float("nan"), 0.0, 3.0, 3.0),)},
    ],
)
def test_prompts_of_another_kind_are_refused(prompts):
    with pytest.raises(InputError):
        Prompts(**prompts)


@pytest.mark.parametrize(
    "image", [PHOTO[..., 0], PHOTO[..., :1], np.dstack([PHOTO, REGION]), PHOTO[:0]]
)
def test_only_colour_pictures_are_compared(image):
    image = image.astype(np.uint8)
    with pytest.raises(InputError, match=r"images must be \(H, W, 3\) uint8 of one shape"):
        psnr_db(image, image)


@pytest.mark.parametrize("region", [REGION.astype(np.uint8), REGION[:, :40], REGION[:1]])
def test_a_region_is_a_mask_of_the_picture(region):
    for refuse in (
        lambda: region_psnr_db(PHOTO, PHOTO, region),
        lambda: theta_psnr_db(PHOTO, PHOTO, region, 0.5),
        lambda: mask_scores(REGION, truth=region),
        lambda: mask_scores(REGION, clean=region),
        lambda: importance([Mask(region)], 32, 48),
    ):
        with pytest.raises(InputError, match=r"mask (must be bool|is)"):
            refuse()


def test_a_delivery_checks_its_image_and_options():
    what = importance([Mask(REGION)], 32, 48)
    for image in (PHOTO[..., 0], np.dstack([PHOTO, PHOTO[..., :1]]), PHOTO / 255):
        with pytest.raises(InputError, match="an image must be uint8"):
            semcom.deliver(image, what, codec="jpeg")
    with pytest.raises(InputError, match="seed must be a whole number"):
        semcom.deliver(PHOTO, what, codec="jpeg", seed=0.5)
    with pytest.raises(InputError, match="CBR must be a positive number"):
        semcom.deliver(PHOTO, what, codec="jpeg", cbr="two")
    sent = semcom.deliver(PHOTO, what, codec="jpeg", cbr="1/2", scores="gmsd")
    assert sent.record["cbr_budget"] == 0.5
    assert sent.scores["gmsd"] is not None


def test_a_side_that_a_codec_cannot_take_is_the_users_to_mend():
    wide = np.zeros((16, 17_000, 3), np.uint8)
    with pytest.raises(InputError, match="webp: a side takes at most 16383 pixels"):
        semcom.send(wide, codec="webp", segmenter="whole_image")


def test_a_rate_needs_finite_qualities_and_rates_above_none():
    curve = [(1 / 48, 28.0), (1 / 24, 31.0), (1 / 16, 33.0), (1 / 12, 35.0)]
    assert bd_rate(curve, [*curve[:3], (1 / 12, float("inf"))]) is None
    assert bd_rate(curve, [(0.0, 28.0), *curve[1:]]) is None
    assert ratio(3000.0) == "3e+03"


def test_only_packets_on_the_air_count_as_sent():
    photo = np.repeat(np.repeat(PHOTO, 4, axis=0), 4, axis=1)
    link = {"channel": "rayleigh", "snr_db": 4, "protection": "unequal"}
    sent = semcom.send(photo, segmenter="tile", codec="hevc:tiles=4x4", cbr="1/24", **link)
    planned = [packet.num_bytes for packet in sent.transmission.plan.packets]
    assert 0 in planned  # there is no room for all tiles
    assert sent.record["packets_sent"] == sum(size > 0 for size in planned)
    assert sent.record["num_bits"] == 8 * sum(planned)
