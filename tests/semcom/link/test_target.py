"""The link loses what its target allows, whatever the picture and however short its packets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import ImageDraw
from scipy.stats import binom

from semcom.link.config import LinkConfig
from semcom.link.delivery import carry
from semcom.link.transmitter import transmit

FRAMES = 60
SNRS_DB = (4, 7, 10, 13)
SURE = 1e-5
"""Probability that a link on its target fails one of the tests."""


def flat():
    return np.full((96, 128, 3), 90, dtype=np.uint8)


def logo():
    drawn = PilImage.new("RGB", (96, 96), "white")
    ImageDraw.Draw(drawn).ellipse((20, 20, 76, 76), fill="navy", outline="orange", width=6)
    return np.array(drawn)


def page():
    drawn = PilImage.new("RGB", (160, 128), "white")
    for line in range(10):
        ImageDraw.Draw(drawn).text((6, 4 + 12 * line), "What matters is sent first.", fill="black")
    return np.array(drawn)


PICTURES = {
    "flat": (flat, "hevc", Fraction(1, 16)),
    "flat, webp": (flat, "webp", Fraction(1, 16)),
    "logo": (logo, "webp", Fraction(1, 6)),
    "page": (page, "jpeg2000", Fraction(1, 4)),
    "photo": (None, "hevc", Fraction(1, 8)),
    "tiles": (None, "hevc:tiles=4x4", Fraction(1, 5)),
}


def _lost(name, photo, link, frames=FRAMES):
    """Send a picture once, let it pass the channel often, and count the frames that lack a part."""
    make, codec, cbr = PICTURES[name]
    image = photo if make is None else make()
    w = np.ones(image.shape[:2], dtype=np.float32)
    try:
        sent = transmit(image, w, codec=codec, cbr=cbr, link=link)
    except ValueError as error:
        cbr = float(str(error).split("that fits is ")[1].split()[0])
        sent = transmit(image, w, codec=codec, cbr=cbr, link=link)
    receptions = (carry(sent, link, seed=seed) for seed in range(frames))
    return sum(r.header is None or None in r.packets for r in receptions)


@pytest.mark.slow
@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_losses_on_awgn_keep_to_the_target(photo, snr_db):
    link = LinkConfig("awgn", snr_db)
    accepted = 1.2 * link.target.bler  # a tenth each for header and table
    lost = {name: _lost(name, photo, link) for name in PICTURES}
    for name, count in lost.items():
        assert count <= binom.ppf(1 - SURE, FRAMES, accepted), name
    assert sum(lost.values()) <= binom.ppf(1 - SURE, len(lost) * FRAMES, accepted)


@pytest.mark.slow
def test_losses_on_block_fading_keep_to_the_outage(photo):
    links = [LinkConfig("rayleigh", snr_db) for snr_db in SNRS_DB]
    outage, bler = links[0].target.outage, links[0].target.bler
    for name in PICTURES:
        # Only the photo is also held to a lower bound, which takes more frames.
        frames = FRAMES if name == "photo" else FRAMES // 3
        lost = [_lost(name, photo, link, frames) for link in links]
        assert max(lost) <= binom.ppf(1 - SURE, frames, outage + 1.2 * bler), name
        assert sum(lost) <= binom.ppf(1 - SURE, len(lost) * frames, outage + 1.2 * bler), name
        # What fills its budget is as daring as it may be; a waterfall of a decibel is sharp enough.
        if name == "photo":
            assert sum(lost) >= binom.ppf(SURE, len(lost) * frames, 0.7 * outage) > 0
