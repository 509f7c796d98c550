"""The file of weights: the packaged one is right, and any other is checked before it is used."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semcom.codecs.base import CODECS
from semcom.codecs.jscc import weights
from semcom.codecs.jscc.weights import ARCHITECTURE, PACKAGED, load, to_bytes

GOOD = {"architecture": ARCHITECTURE}


@pytest.fixture
def tensors():
    return load_file(PACKAGED)


def test_unusable_files_are_refused_in_one_line(tmp_path, tensors):
    file = tmp_path / "w.safetensors"

    def refuses(words):
        with pytest.raises(ValueError, match=words) as error:
            CODECS.create(f"jscc:weights={file}")
        assert "\n" not in str(error.value)

    refuses("there are no weights at")
    file.write_bytes(PACKAGED.read_bytes()[:5000])
    refuses("cannot be read as safetensors")
    file.write_bytes(b"\x80\x04junk")
    refuses("cannot be read as safetensors")
    save_file(tensors, file)
    refuses("is for 'none', and this is")
    save_file(tensors, file, {"architecture": "another"})
    refuses("is for 'another', and this is")
    save_file({k: v for k, v in tensors.items() if k != "leave.bias"}, file, GOOD)
    refuses("missing, foreign or misshapen tensors: .*leave.bias")
    save_file(tensors | {"leave.bias": torch.full_like(tensors["leave.bias"], np.nan)}, file, GOOD)
    refuses("leave.bias of .* holds NaN or infinity")
    shares = tensors["level_shares"].clone()
    shares[3, 5] = shares[3, 4]
    save_file(tensors | {"level_shares": shares}, file, GOOD)
    refuses(r"level_shares of .* are no shares of 2\^15")


def test_packaged_weights_that_were_changed_are_refused(tmp_path, monkeypatch):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(to_bytes(load(), {"changed": "yes"}))
    monkeypatch.setattr(weights, "PACKAGED", file)
    with pytest.raises(ValueError, match="is not the file of this version of semcom"):
        load(device="cpu:0")  # not opened before


def test_an_absent_device_is_refused():
    with pytest.raises(ValueError, match="device 'cuda:7' is not available"):
        CODECS.create("jscc:device=cuda:7")
