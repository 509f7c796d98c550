"""Masks survive the cache bit for bit, and nothing in it is run."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.segmenters.base import Masks
from semcom.segmenters.mask_archive import pack, unpack
from semcom.types import Mask


@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    about=st.lists(
        st.tuples(st.floats(0, 1), st.none() | st.text(min_size=1, max_size=8)), max_size=4
    ),
    seed=st.integers(0, 99),
)
def test_masks_come_back_bit_for_bit(
    height: int, width: int, about: list[tuple[float, str | None]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    about = [(score, (label and label.rstrip("\0")) or None) for score, label in about]
    masks = [Mask(rng.random((height, width)) < 0.5, s, label) for s, label in about]
    found = unpack(pack(masks))
    assert [(m.score, m.label) for m in found] == [(m.score, m.label) for m in masks]
    for one, other in zip(found, masks, strict=True):
        assert one.pixels.dtype == bool
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_notes_come_back() -> None:
    mask = Mask(np.eye(9, dtype=bool), 0.5)
    assert unpack(pack(Masks([mask], ("not sure", "of θ")))).notes == ("not sure", "of θ")
    assert unpack(pack([mask])).notes == ()


def test_the_same_masks_are_the_same_bytes() -> None:
    masks = [Mask(np.eye(9, dtype=bool), 0.5, "eye")]
    assert pack(masks) == pack(masks)
    assert len(pack([Mask(np.zeros((512, 768), dtype=bool), 1.0)])) < 3000


def test_objects_are_refused() -> None:
    sink = io.BytesIO()
    np.savez(sink, shape=np.array([1, 1, 1]), bits=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        unpack(sink.getvalue())
