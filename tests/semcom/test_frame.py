import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mcs import HEADER_BYTES, SCHEMES
from semcom.codecs.base import CODECS, DecodeError
from semcom.frame import Header, num_packets


@given(
    st.sampled_from(CODECS.names()),
    st.integers(16, 7000),
    st.integers(16, 7000),
    st.sampled_from(SCHEMES),
    st.lists(st.integers(1, 0xFFFFFF), min_size=1, max_size=255),
)
def test_header_survives(codec, height, width, scheme, sizes):
    header = Header(codec, height, width, scheme, tuple(sizes))
    block, lengths = header.pack()
    assert len(block) == HEADER_BYTES
    assert len(lengths) == 3 * (len(sizes) - 1)
    assert num_packets(block) == len(sizes)
    assert Header.unpack(block, lengths) == header


@given(st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES))
def test_garbage_is_refused_or_read(block):
    try:
        header = Header.unpack(block, b"")
    except DecodeError:
        return
    assert header.codec in CODECS.names()


@pytest.mark.parametrize(
    ("size", "sizes", "message"),
    [
        ((16, 70_000), (1,), "65535 pixels"),
        ((16, 16), (), "1 to 255 packets"),
        ((16, 16), (1,) * 256, "1 to 255 packets"),
        ((16, 16), (1 << 24,), "at most 16777215 bytes"),
    ],
)
def test_what_does_not_fit_is_refused(size, sizes, message):
    with pytest.raises(ValueError, match=message):
        Header("hevc", *size, SCHEMES[0], sizes).pack()
