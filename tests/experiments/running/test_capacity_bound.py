"""A codec at the channel's capacity: how many bits that is, and what becomes of them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from channels.catalogue import CHANNELS
from channels.theory.capacity import CAPACITIES, capacity
from experiments.running.capacity_bound import bound
from semcom.codecs.base import CODECS
from semcom.importance.maps import importance
from semcom.importance.region import RegionOfInterest
from semcom.types import Mask

Photo = NDArray[np.uint8]


@pytest.fixture(scope="session")
def seen(photo: Photo, region: NDArray[np.bool_]) -> RegionOfInterest:
    height, width = photo.shape[:2]
    what = importance([Mask(region)], height, width, theta=0.7)
    return RegionOfInterest(
        what, (Mask(region),), (), {"segmenter": "made", "importance": "region"}
    )


def test_capacity_on_awgn_is_shannons() -> None:
    for snr_db in (-10.0, 0.0, 10.0, 20.0):
        assert capacity("awgn", snr_db) == pytest.approx(math.log2(1 + 10 ** (snr_db / 10)))


def test_capacity_on_fast_fading_is_the_mean_over_the_gain() -> None:
    gains = np.random.default_rng(1).exponential(size=200_000)
    for snr_db in (0.0, 10.0, 20.0):
        rates = np.log2(1 + gains * 10 ** (snr_db / 10))
        error = rates.std() / math.sqrt(len(rates))
        assert capacity("rayleigh_fast", snr_db) == pytest.approx(rates.mean(), abs=4 * error)
        assert capacity("rayleigh_fast", snr_db) < capacity("awgn", snr_db)  # Jensen


def test_a_channel_without_one_is_refused_with_the_choices() -> None:
    for name in set(CHANNELS.names()) - set(CAPACITIES):
        with pytest.raises(ValueError, match=f"for channel '{name}'; choices: awgn, rayleigh_fast"):
            capacity(name, 10.0)


@pytest.mark.parametrize("codec", ["jpeg2000", "hevc:tiles=2x2", "layered:base=webp"])
@pytest.mark.parametrize("blind", [True, False])
def test_the_bound_is_the_codec_with_as_many_bits(
    photo: Photo, seen: RegionOfInterest, codec: str, blind: bool
) -> None:
    options = {"cbr": Fraction(1, 16), "channel": "rayleigh_fast", "snr_db": 7.0}
    w = np.ones_like(seen.importance.w) if blind else seen.importance.w
    record, decoded = bound(photo, w, codec=codec, **options)  # type: ignore[arg-type]
    bits = capacity("rayleigh_fast", 7.0) * (photo.size // 16)
    assert 0.9 * bits < record["num_bits"] <= bits
    coder = CODECS.create(codec)
    stream = coder.encode(photo, w, 8 * int(bits / 8))
    alone = coder.decode([packet.data for packet in stream.packets], *photo.shape[:2])
    assert np.array_equal(alone, decoded)
    assert record["capacity"] == capacity("rayleigh_fast", 7.0)
    assert record["cbr"] == pytest.approx(record["num_bits"] / record["capacity"] / photo.size)
    assert record["cbr"] <= 1 / 16


def test_too_few_bits_for_any_stream_are_refused(photo: Photo, seen: RegionOfInterest) -> None:
    with pytest.raises(ValueError, match="the smallest stream has"):
        bound(
            photo,
            seen.importance.w,
            codec="jpeg",
            cbr=Fraction(1, 10_000),
            channel="awgn",
            snr_db=0.0,
        )
