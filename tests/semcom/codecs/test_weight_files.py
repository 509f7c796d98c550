"""The files of weights in the package: small, and the same after they were written again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.codecs.jscc import weights as jscc
from semcom.codecs.tiny import weights as tiny

CODECS = pytest.mark.parametrize("codec", [jscc, tiny], ids=["jscc", "tiny"])


@CODECS
def test_the_packaged_weights_are_small(codec):
    assert codec.PACKAGED.stat().st_size <= 4_000_000
    assert sum(p.numel() for p in codec.load().refiner.parameters()) <= 1_000_000


@CODECS
def test_weights_survive(tmp_path, codec):
    file = tmp_path / "w.safetensors"
    file.write_bytes(codec.to_bytes(codec.load(), {"steps": "7"}))
    numbers, refiner = codec.load(str(file))
    for ours, theirs in zip(codec.load()[0], numbers, strict=True):
        assert np.array_equal(ours, theirs)
    for name, tensor in codec.load().refiner.state_dict().items():
        assert torch.equal(tensor, refiner.state_dict()[name])
