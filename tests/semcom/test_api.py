"""Options of ``semcom.send`` that are of another type are refused by name, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import semcom

GREY = np.full((64, 64, 3), 99, dtype=np.uint8)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("max_side", "64", "max_side must be a whole number, got '64'"),
        ("max_side", float("nan"), "max_side must be a whole number, got nan"),
        ("seed", 1.5, r"seed must be a whole number, got 1\.5"),
        ("seed", True, "seed must be a whole number, got True"),
        ("blind", "no", "blind must be True or False, got 'no'"),
        ("theta", None, "theta must be a number or 'auto', got None"),
        ("text", 5, "text must be a text, or a list of texts, got 5"),
        ("scores", None, "scores must be a list of names, got None"),
        ("scores", [None], "a score must be a name, got None"),
        ("segmenter", None, "segmenter must be a name, got None"),
        ("codec", None, "codec must be a name, got None"),
        ("disturb", None, "disturb must be a name, got None"),
        ("points", None, "points must be a list, got None"),
        ("mask", "", "mask needs the path of a file, got ''"),
        ("mask", "beside", "mask 'beside' needs an image from a file"),
    ],
)
def test_options_of_another_type_are_refused(option: str, value: Any, message: str) -> None:
    with pytest.raises(semcom.InputError, match=message):
        semcom.send(GREY, **{option: value})


def test_numpys_numbers_are_numbers() -> None:
    theta, seed, side = np.float32(0.5), np.int64(3), np.int32(48)
    about: dict[str, Any] = {"theta": theta, "seed": seed, "max_side": side}
    assert semcom.send(GREY, cbr="1/6", codec="jpeg", **about).received.shape == (48, 48, 3)
