"""Checkpoints of the user's: wrong ones are refused, and nothing in them runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from semcom.codecs.base import CODECS
from semcom.codecs.learned import codec as learned
from semcom.codecs.learned import weights as known
from semcom.codecs.learned.codec import Learned
from tests.semcom.codecs.learned.networks import encode, new_model

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


# Checkpoints


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "mbt2019"}, "unknown model 'mbt2019'; choices: bmshj2018-factorized, "),
        ({"metric": "psnr"}, "unknown metric 'psnr'; choices: mse, ms-ssim"),
        ({"checkpoint": "/no/such/file"}, "must be a file or a folder of files, got /no/such/file"),
    ],
)
def test_wrong_options_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        Learned(**options)


class _Hostile:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.trace),))


@pytest.mark.parametrize("kind", ["truncated", "garbage", "hostile", "other model", "nan", "bare"])
def test_a_wrong_checkpoint_is_refused_in_one_line(checkpoints, picture, tmp_path, kind):
    file, trace = tmp_path / "bad.pth.tar", tmp_path / "trace"
    whole = checkpoints["mbt2018-mean"].read_bytes()
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    if kind in ("truncated", "garbage"):
        file.write_bytes(whole[:-200] if kind == "truncated" else whole[::-1])
    elif kind == "other model":
        file.write_bytes(checkpoints["cheng2020-attn"].read_bytes())
    elif kind == "hostile":
        torch.save({"state_dict": state, "epoch": _Hostile(trace)}, file)
    else:
        state["g_a.0.weight"] = state["g_a.0.weight"] * float("nan")
        torch.save(state if kind == "nan" else list(state.values()), file)
    with pytest.raises(ValueError, match=r"bad\.pth\.tar") as caught:
        encode(Learned(checkpoint=str(file)), picture)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 300
    assert not trace.exists()


def test_coding_tables_are_computed_not_read(checkpoints, picture, tmp_path):
    """The coder indexes memory by them, so that a file must not choose them."""
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    for name, tensor in state.items():
        if name.endswith(("_quantized_cdf", "_cdf_length", "_offset")):
            tensor.fill_(2**30)
    torch.save(state, tmp_path / "tables.pth.tar")
    own, other = (
        learned._compress(picture, known.own(file, "mbt2018-mean")[0], None)
        for file in (checkpoints["mbt2018-mean"], tmp_path / "tables.pth.tar")
    )
    assert own[5:] == other[5:]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_what_a_training_loop_saves_is_read(checkpoints, picture, tmp_path, prefix):
    state = torch.load(checkpoints["mbt2018-mean"], weights_only=True)
    state = {prefix + name: tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "saved.pth.tar")
    assert encode(Learned(checkpoint=str(tmp_path / "saved.pth.tar")), picture)


def test_a_file_that_was_overwritten_is_read_again(tmp_path, picture):
    strings = []
    for seed in (0, 1):
        torch.save(new_model("mbt2018-mean", seed).state_dict(), tmp_path / "same.pth.tar")
        strings.append(encode(Learned(checkpoint=str(tmp_path / "same.pth.tar")), picture)[5:])
    assert strings[0] != strings[1]
