"""Pictures sent with another set of schemes, and schemes that are not in the agreed set."""

from fractions import Fraction

import pytest
import skimage.data

from channels.packets.scheme_sets import scheme_set
from semcom.importance.region import RegionOptions, find_region
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver


@pytest.fixture(scope="module")
def photo():
    return skimage.data.astronaut()[:128, :128].copy()


@pytest.fixture(scope="module")
def what(photo):
    return find_region(photo, RegionOptions("whole_image")).importance


@pytest.mark.parametrize("protection", ["equal", "unequal"])
def test_the_papers_schemes_carry_a_picture(photo, what, protection):
    """The receiver reads the header by the agreed set, and every packet has one of its schemes."""
    link = LinkConfig(snr_db=12.0, schemes="papers", protection=protection)
    delivery = deliver(photo, what, cbr=Fraction(1, 4), link=link)
    known = scheme_set("papers")
    assert all(p.scheme in known for p in delivery.transmission.header.packets if p.num_bytes)
    assert delivery.reception.header == delivery.transmission.header
    assert not delivery.all_lost
    assert delivery.record["schemes"] == "papers"
    assert sum(delivery.record["accounting"].values()) <= photo.size / 4


def test_a_scheme_of_another_set_is_refused():
    assert LinkConfig(scheme="16-QAM 0.500", schemes="papers").allowed_schemes()[0].block_bits
    with pytest.raises(ValueError, match=r"unknown scheme '16-QAM 0\.500'; closest"):
        LinkConfig(scheme="16-QAM 0.500")
    with pytest.raises(ValueError, match=r"'16-QAM 0\.499' in this set; choices: 'QPSK 0"):
        LinkConfig(scheme="16-QAM 0.499", schemes="papers")
    with pytest.raises(ValueError, match="unknown set of schemes 'lte'"):
        LinkConfig(schemes="lte")
