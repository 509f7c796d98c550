"""Headers of JPEG 2000's packets: what is written is read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.codecs.parts import jpeg2000_packets as j2k_packets


@pytest.mark.parametrize("passes", range(1, 165))
def test_numbers_of_passes(passes):
    bits = j2k_packets._BitWriter()
    j2k_packets._write_passes(bits, passes)
    assert j2k_packets._read_passes(j2k_packets._BitReader(bits.end() + b"\0", 0)) == passes


@given(st.lists(st.integers(0, 1), max_size=100))
def test_bits_are_stuffed_after_ff(bits):
    writer = j2k_packets._BitWriter()
    for bit in bits:
        writer.write(bit, 1)
    data = writer.end()
    assert not data.endswith(b"\xff")
    assert all(after < 0x90 for before, after in itertools.pairwise(data) if before == 255)
    reader = j2k_packets._BitReader(data, 0)
    assert [reader.read(1) for _ in bits] == bits
    assert reader.end() == len(data)


@given(st.integers(1, 6), st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_tag_trees(columns, values):
    leaves = values[: len(values) // columns * columns] or [values[0]] * columns
    writer, reader = j2k_packets._BitWriter(), None
    tree = j2k_packets._TagTree(leaves, columns)
    questions = [(leaf, threshold) for threshold in range(7) for leaf in range(len(leaves))]
    for leaf, threshold in questions:
        tree.write(writer, leaf, threshold)
    reader = j2k_packets._BitReader(writer.end(), 0)
    tree = j2k_packets._TagTree([j2k_packets._UNKNOWN] * len(leaves), columns)
    for leaf, threshold in questions:
        assert tree.read(reader, leaf, threshold) == (leaves[leaf] < threshold)
