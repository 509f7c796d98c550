"""Whatever comes off the air, the receiver shows a picture of the announced size, or none."""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import ChannelOutput
from channels.packets.mcs import HEADER_SYMBOLS, SCHEMES, header_scheme
from channels.packets.packet import encode_packet
from semcom.codecs.base import CODECS, grey, is_analog
from semcom.conformance.samples import crop, flat_map
from semcom.link.frame import Header, PacketFormat, masked
from semcom.link.receiver import Reception, receive

NAMES = [name for name in CODECS.names() if not CODECS.entry(name).missing]
FAST = {"av1": "av1:cpu_used=8", "vvc": "vvc:preset=faster"}
CODE = HEADER_SYMBOLS[1]
SIZE = (40, 56)
HYPOTHESIS = settings(max_examples=12, suppress_health_check=list(HealthCheck))


def on_air(codec: str, size: tuple[int, int], packets: list[bytes]) -> torch.Tensor:
    """A frame that announces these packets, and so much of it as is no codec's own symbols."""
    formats = tuple(PacketFormat(len(packet), SCHEMES[40]) for packet in packets)
    about, table = (masked(block, CODE) for block in Header(codec, *size, formats).pack())
    parts = [encode_packet(about, header_scheme(CODE))]
    for i, packet in enumerate(packets):
        if i == 1:
            parts.append(encode_packet(table, header_scheme(CODE)))
        if packet:
            parts.append(encode_packet(packet, SCHEMES[40]))
    return torch.cat(parts)


def received(x: torch.Tensor, **options: int) -> Reception:
    return receive(ChannelOutput(x, torch.ones_like(x), torch.tensor(1e-3)), **options)


@functools.cache
def real(name: str) -> list[bytes]:
    """The packets of a small picture; none of a codec that needs weights, or is analog."""
    codec = CODECS.create(FAST.get(name, name))
    if name == "learned" or is_analog(codec):
        return []
    image = crop(40, 90, *SIZE)
    return [packet.data for packet in codec.encode(image, flat_map(image), 20_000).packets]


@pytest.mark.parametrize("name", NAMES)
@HYPOTHESIS
@given(
    garbage=st.lists(st.binary(max_size=40), max_size=6),
    place=st.integers(0, 6),
    size=st.one_of(
        st.tuples(st.integers(1, 100), st.integers(1, 100)),
        st.sampled_from([SIZE, (1, 65_535), (65_535, 1)]),
    ),
)
def test_a_frame_that_nobody_sent_is_as_good_as_lost(name, garbage, place, size):
    """Real packets among garbage, in another number and for another size."""
    packets = [*garbage[:place], *real(name), *garbage[place:]] or [b""]
    shown = received(on_air(name, size, packets))
    assert shown.header is not None
    assert shown.image is not None
    assert shown.image.shape == (*size, 3)
    assert shown.image.dtype == "uint8"
    if shown.all_lost:
        assert (shown.image == grey(*size)).all()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name != "learned" and not is_analog(CODECS.load(name))]
)
def test_what_was_sent_arrives(name):
    """The frames above are such as are read."""
    shown = received(on_air(name, SIZE, real(name)))
    assert shown.packets == tuple(real(name))
    assert (shown.image == CODECS.create(name).decode(real(name), *SIZE)).all()


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("jpeg2000", "softcast", "jscc")]
)
def test_packets_that_no_encoder_made_show_grey(name, count):
    """JPEG 2000 takes any bytes for layers."""
    shown = received(on_air(name, SIZE, [b"no such packet"] * count))
    assert shown.all_lost
    assert (shown.image == 128).all()


@HYPOTHESIS
@given(
    length=st.integers(0, 300),
    pilots=st.integers(0, 5),
    block=st.sampled_from([0, 7, 30]),
    seed=st.integers(0, 2**32),
)
def test_noise_of_any_length_is_no_frame(length, pilots, block, seed):
    x = torch.randn(length, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))
    assert received(x, num_pilots=pilots, block_length=block).image is None


def test_a_codec_that_is_not_installed_was_not_sent_here(monkeypatch):
    x = on_air("jpeg", SIZE, [b"?"])
    assert received(x).image is not None
    absent = CODECS.entry("jpeg").__class__("jpeg", "no:where", requires=("no_such_module",))
    monkeypatch.setitem(CODECS._entries, "jpeg", absent)
    assert received(x).image is None
