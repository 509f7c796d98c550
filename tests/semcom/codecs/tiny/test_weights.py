"""The file of weights of ``tiny``: the packaged one is right, and any other is checked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semcom.codecs.base import CODECS
from semcom.codecs.tiny.weights import ARCHITECTURE, PACKAGED, load


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("weights", lambda t: t - 5000, "weights of .* are not in 0 to 4096"),
        ("weights", lambda t: t + 5000, "weights of .* are not in 0 to 4096"),
        ("detail_shares", lambda t: 0 * t, r"detail_shares of .* are no shares of 2\^15"),
        ("offset_shares", lambda t: t.flip(-1), r"offset_shares of .* are no shares of 2\^15"),
        ("coarsest_shares", lambda t: t[:-1], "missing, foreign or misshapen tensors: "),
        ("leave.bias", lambda t: t * np.nan, "leave.bias of .* holds NaN or infinity"),
    ],
)
def test_unusable_files_are_refused_in_one_line(tmp_path, name, spoil, words):
    file, tensors = tmp_path / "w.safetensors", load_file(PACKAGED)
    tensors[name] = spoil(tensors[name]).contiguous()
    save_file(tensors, file, {"architecture": ARCHITECTURE})
    with pytest.raises(ValueError, match=words) as error:
        CODECS.create(f"tiny:weights={file}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [torch.uint32, torch.bfloat16, torch.complex64])
def test_numbers_of_another_type_are_refused(tmp_path, kind):
    file, tensors = tmp_path / "w.safetensors", load_file(PACKAGED)
    tensors["detail_shares"] = tensors["detail_shares"].to(kind)
    save_file(tensors, file, {"architecture": ARCHITECTURE})
    with pytest.raises(ValueError, match=rf"detail_shares of .* is of {kind}"):
        CODECS.create(f"tiny:weights={file}")


def test_a_file_that_was_replaced_is_read_again(tmp_path):
    file, tensors = tmp_path / "w.safetensors", load_file(PACKAGED)
    save_file(tensors, file, {"architecture": ARCHITECTURE})
    before = load(str(file))
    assert load(str(file)) is before
    tensors["leave.bias"] = tensors["leave.bias"] + 1
    save_file(tensors, file, {"architecture": ARCHITECTURE})
    assert torch.equal(load(str(file)).refiner.leave.bias, before.refiner.leave.bias + 1)
