"""What every registered analog codec must do, also a third party's.

On top of the checks of ``semcom check-codec``, Hypothesis searches for side information that a
decoder does not stand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import ChannelOutput
from semcom.codecs.base import CODECS, DecodeError, grey, is_analog
from semcom.conformance.analog.calls import air, data_of, encode
from semcom.conformance.analog.checks import ANALOG_CHECKS
from semcom.conformance.base import Candidate
from semcom.conformance.garbage import cut, flipped, replaced
from semcom.conformance.samples import crop
from semcom.link.config import LinkConfig
from semcom.link.receiver import receive
from semcom.link.transmitter import transmit
from semcom.scores.psnr import psnr_db

INSTALLED = [name for name in CODECS.names() if not CODECS.entry(name).missing]
NETWORKS = Path(__file__).parents[1] / "codecs" / "torch_jscc" / "networks.py"
QUICK = {"hybrid": "hybrid:base=jpeg", "torch_jscc": f"torch_jscc:module={NETWORKS}:Phases"}
"""Codecs that take long, with options by which they take less; and one that needs a network."""
NAMES = [QUICK.get(name, name) for name in INSTALLED if is_analog(CODECS.load(name))]
NAMES.append(f"torch_jscc:module={NETWORKS}:Chosen")  # its decoder is sent bits beside symbols


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", ANALOG_CHECKS, ids=lambda check: check.name)
def test_check(name, check):
    assert check.function(Candidate(name)) in ("", "no side information")


@pytest.fixture(scope="module", params=NAMES)
def sent(request):
    """A codec, and what is received of a small picture: symbols and side information."""
    codec = CODECS.create(request.param)
    signal = encode(codec, crop(40, 90, 40, 56), 1_000)
    return codec, air(signal.symbols, 10), data_of(signal)


@pytest.fixture
def harmless(sent):
    """Check what is made of a small picture's side information."""
    codec, received, side = sent

    def check(damage):
        try:
            shown = codec.decode(*received, damage(side), 40, 56)
        except DecodeError:
            return
        assert shown.shape == (40, 56, 3)
        assert shown.dtype == "uint8"

    return check


HYPOTHESIS = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@HYPOTHESIS
@given(garbage=st.binary(min_size=1, max_size=400), keep=st.integers(0, 12))
def test_garbage_gives_an_error_or_an_image(harmless, garbage, keep):
    harmless(lambda packets: replaced(packets, keep, garbage))


@HYPOTHESIS
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 8), share=st.floats(0, 1))
def test_damage_gives_an_error_or_an_image(harmless, seed, flips, share):
    """Bits flip anywhere, and where they are few the end is missing."""
    rng = np.random.default_rng(seed)
    harmless(lambda packets: cut(flipped(packets, flips, rng), share if flips < 4 else 1))


@HYPOTHESIS
@given(
    kinds=st.lists(st.one_of(st.none(), st.binary(max_size=60), st.just(0)), max_size=4),
    symbols=st.integers(0, 2_000),
    size=st.one_of(
        st.tuples(st.integers(1, 200), st.integers(1, 200)),
        st.sampled_from([(40, 56), (1, 65_535), (65_535, 1)]),
    ),
)
def test_any_frame_gives_an_error_or_an_image(sent, kinds, symbols, size):
    """Also with another number of symbols, as behind a header whose CRC held by accident."""
    codec, _, side = sent
    y = torch.ones(symbols, dtype=torch.complex64)
    packets = [side[kind] if isinstance(kind, int) else kind for kind in kinds]
    try:
        shown = codec.decode(y, y, torch.ones(symbols), packets, *size)
    except DecodeError:
        return
    assert shown.shape == (*size, 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_length_of_a_frame_is_sent_and_not_seen(name):
    """Noise behind the frame changes nothing; what is cut off costs what it carried."""
    image, link = crop(40, 90, 40, 56), LinkConfig(snr_db=12)
    sent = transmit(image, np.ones((40, 56), dtype=np.float32), codec=name, cbr=0.25, link=link)
    rng = torch.Generator().manual_seed(0)
    y, h, noise_var = link.build_channel()(sent.x, 10**-1.2, rng)
    exact = receive(ChannelOutput(y, h, noise_var)).image
    for more in (1, 2, 50, len(y)):
        noise = torch.randn(more, dtype=y.dtype, generator=rng)
        longer = ChannelOutput(torch.cat([y, noise]), torch.cat([h, noise]), noise_var)
        assert (receive(longer).image == exact).all()
    worst = psnr_db(image, grey(40, 56)) - 1
    for less in (1, 2, 50):
        cut = receive(ChannelOutput(y[:-less], h[:-less], noise_var)).image
        assert psnr_db(image, cut) > worst
    cut = receive(ChannelOutput(y[:-1], h[:-1], noise_var)).image
    assert psnr_db(image, cut) > psnr_db(image, exact) - 3
