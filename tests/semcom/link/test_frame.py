import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels.models.awgn import Awgn
from channels.packets.mcs import HEADER_BYTES, HEADER_SYMBOLS, SCHEMES, header_scheme
from channels.packets.packet import encode_packet
from channels.packets.scheme_sets import scheme_set
from semcom.codecs.base import CODECS, DecodeError
from semcom.link.frame import (
    MAX_COPIES,
    MAX_PACKET_BYTES,
    UNSENT,
    Header,
    PacketFormat,
    masked,
    table_bytes,
)
from semcom.link.receiver import receive

FORMATS = st.builds(
    PacketFormat,
    st.integers(0, MAX_PACKET_BYTES),
    st.sampled_from(SCHEMES),
    st.integers(1, MAX_COPIES),
)


@given(
    st.sampled_from(CODECS.names()),
    st.integers(16, 7000),
    st.integers(16, 7000),
    st.lists(FORMATS, min_size=1, max_size=255),
)
def test_header_survives(codec, height, width, packets):
    header = Header(codec, height, width, tuple(packets))
    block, table = header.pack()
    assert len(block) == HEADER_BYTES
    assert len(table) == table_bytes(len(packets))
    assert Header.unpack(block, table) == header
    alone = Header.unpack(block, b"")
    assert alone.packets[0] == packets[0]
    assert not any(packet.num_bytes for packet in alone.packets[1:])


@given(st.lists(FORMATS, min_size=1, max_size=30))
def test_every_copy_is_sent_once_and_no_second_before_a_first(packets):
    order = list(Header("hevc", 16, 16, tuple(packets)).order())
    wanted = [(i, copy) for i, p in enumerate(packets) if p.num_bytes for copy in range(p.copies)]
    assert sorted(order) == wanted
    first = [i for i, _ in order].count(0)
    assert all(i == 0 for i, _ in order[:first])
    assert [copy for _, copy in order[first:]] == sorted(copy for _, copy in order[first:])


@pytest.mark.parametrize("sent", HEADER_SYMBOLS)
def test_no_start_of_a_header_passes_for_a_shorter_one(sent):
    """Without noise, the first half of a long codeword can be decoded as if it were all."""
    header = Header("hevc", 16, 16, (PacketFormat(10, SCHEMES[0]), PacketFormat(20, SCHEMES[5], 2)))
    data = (bytes(range(10)), bytes(range(20)))
    about, table = (encode_packet(masked(b, sent), header_scheme(sent)) for b in header.pack())
    first, *others = (encode_packet(data[i], header.packets[i].scheme) for i, _ in header.order())
    x = torch.cat([about, first, table, *others])
    reception = receive(Awgn()(x, 1e-3, torch.Generator().manual_seed(0)))
    assert reception.header == header


@given(st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES))
def test_garbage_is_refused_or_read(block):
    try:
        header = Header.unpack(block, b"")
    except DecodeError:
        return
    assert header.codec in CODECS.names()


@pytest.mark.parametrize(
    ("size", "packets", "message"),
    [
        ((16, 70_000), (PacketFormat(1, SCHEMES[0]),), "65535 pixels"),
        ((16, 16), (), "1 to 255 packets"),
        ((16, 16), (PacketFormat(1, SCHEMES[0]),) * 256, "1 to 255 packets"),
        ((16, 16), (PacketFormat(1 << 22, SCHEMES[0]),), "at most 4194303 bytes"),
        ((16, 16), (PacketFormat(1, SCHEMES[0], 5),), "1 to 4 copies, got 5"),
    ],
)
def test_what_does_not_fit_is_refused(size, packets, message):
    with pytest.raises(ValueError, match=message):
        Header("hevc", *size, packets).pack()


def test_unknown_schemes_are_refused():
    block, _ = Header("hevc", 16, 16, (PacketFormat(1, SCHEMES[0]),)).pack()
    damaged = block[:-4] + bytes([len(SCHEMES)]) + block[-3:]
    with pytest.raises(DecodeError, match=f"scheme {len(SCHEMES)}"):
        Header.unpack(damaged, b"")


@given(st.lists(st.integers(0, 7), min_size=1, max_size=30))
def test_a_header_refers_to_the_agreed_set(places):
    known = scheme_set("papers")
    header = Header("hevc", 16, 16, tuple(PacketFormat(9, known[k]) for k in places), "papers")
    block, table = header.pack()
    assert Header.unpack(block, table, "papers") == header
    assert block[-4] == places[0]
    taken_for_nr = Header.unpack(block, table)
    assert [packet.scheme for packet in taken_for_nr.packets] == [SCHEMES[k] for k in places]


def test_a_packet_that_is_not_sent_needs_no_scheme_of_the_set():
    header = Header("hevc", 16, 16, (PacketFormat(9, scheme_set("papers")[3]), UNSENT), "papers")
    assert [p.num_bytes for p in Header.unpack(*header.pack(), "papers").packets] == [9, 0]
