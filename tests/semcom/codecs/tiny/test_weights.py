"""The file of weights of ``tiny``: the packaged one is right, and any other is checked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semcom.codecs.base import CODECS
from semcom.codecs.tiny.weights import ARCHITECTURE, PACKAGED, load, to_bytes


def test_the_packaged_weights_are_small():
    assert PACKAGED.stat().st_size <= 4_000_000
    assert sum(p.numel() for p in load().refiner.parameters()) <= 1_000_000


def test_weights_survive(tmp_path):
    file = tmp_path / "w.safetensors"
    file.write_bytes(to_bytes(load(), {"steps": "7"}))
    again = load(str(file))
    for ours, theirs in zip(load().tables, again.tables, strict=True):
        assert np.array_equal(ours, theirs)
    for name, tensor in load().refiner.state_dict().items():
        assert torch.equal(tensor, again.refiner.state_dict()[name])


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
