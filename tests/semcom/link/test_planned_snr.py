"""A sender that is unsure of the SNR plans for the whole of its distribution, tails included."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.link.delivery import carry
from semcom.link.transmitter import transmit
from semcom.link.unequal_protection import expected_worth
from semcom.types import Mask


@pytest.mark.parametrize("number", [5, 33, 500])
def test_planned_snrs_have_the_mean_and_nearly_the_deviation_that_is_assumed(number):
    snrs = LinkConfig(snr_db=3.0, planned_snr_db=10.0, planned_std_db=6.0).usable_snrs_db(number)
    assert np.mean(snrs) == pytest.approx(10)
    assert np.std(snrs) == pytest.approx(6, rel=0.6 / np.sqrt(number))
    assert sorted(snrs) == list(snrs)


@pytest.mark.parametrize("channel", ["awgn", "rayleigh_fast"])
def test_what_is_expected_to_arrive_does_so_over_the_distribution(photo, region, channel):
    """Each of the packets, over 200 evenly spread quantiles of the true SNR."""
    link = LinkConfig(channel, planned_snr_db=12.0, planned_std_db=6.0, protection="unequal")
    w = importance([Mask(region)], *region.shape).w
    sent = transmit(photo, w, codec="jpeg2000:layers=4", cbr=0.1, link=link)
    count = len(sent.stream.packets)
    planned = [expected_worth(one, sent.stream, sent.plan) for one in np.eye(count)]
    arrived = np.zeros(count)
    true = link.usable_snrs_db(200)
    for seed, snr_db in enumerate(true):
        packets = carry(sent, LinkConfig(channel, snr_db), seed=seed).packets
        lost = [packet is None for packet in packets]
        arrived[: lost.index(True) if any(lost) else count] += 1
    assert arrived / len(true) == pytest.approx(np.array(planned), abs=0.02)
    assert planned[0] < 1
