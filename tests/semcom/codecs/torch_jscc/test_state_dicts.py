"""Files of weights that people hold: read without running code, recognised, and fitted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from semcom.codecs.base import CODECS
from semcom.codecs.torch_jscc.deep_jscc import DeepJscc
from semcom.codecs.torch_jscc.state_dicts import read_state_dict
from semcom.errors import InputError
from tests.semcom.codecs.torch_jscc.public_swin import public_swin

_PUBLIC = {
    "encoder": [("conv1", 3, 16), ("conv2", 16, 32), ("conv3", 32, 32), ("conv4", 32, 32)],
    "decoder": [("tconv2", 32, 32), ("tconv3", 32, 32)],
}


def public_deep_jscc(channels):
    """Random weights with the names and shapes of chunbaobao/Deep-JSCC-PyTorch."""
    torch.manual_seed(0)
    shapes = {}
    down = zip((3, 16, 32, 32, 32), (16, 32, 32, 32, channels), strict=True)
    for i, (before, after) in enumerate(down, 1):
        shapes[f"encoder.conv{i}.conv.weight"] = (after, before, 5, 5)
        shapes[f"encoder.conv{i}.conv.bias"] = (after,)
        shapes[f"encoder.conv{i}.prelu.weight"] = (1,)
    up = zip((channels, 32, 32, 32, 16), (32, 32, 32, 16, 3), (5, 5, 5, 6, 6), strict=True)
    for i, (before, after, kernel) in enumerate(up, 1):
        shapes[f"decoder.tconv{i}.transconv.weight"] = (before, after, kernel, kernel)
        shapes[f"decoder.tconv{i}.transconv.bias"] = (after,)
        if i < 5:
            shapes[f"decoder.tconv{i}.activate.weight"] = (1,)
    return {name: 0.1 * torch.randn(shape) for name, shape in shapes.items()}


def reference(state, image):
    """The public network, from its weights by plain functions."""
    from torch.nn.functional import conv2d, conv_transpose2d, prelu

    x = image
    for i, (stride, pad) in enumerate([(2, 0), (2, 0), (1, 2), (1, 2), (1, 2)], 1):
        name = f"encoder.conv{i}"
        x = conv2d(x, state[f"{name}.conv.weight"], state[f"{name}.conv.bias"], stride, pad)
        x = prelu(x, state[f"{name}.prelu.weight"])
    latents = x * (x.numel() / x.square().sum()).sqrt()
    x = latents
    for i, (stride, pad) in enumerate([(1, 2), (1, 2), (1, 2), (2, 0), (2, 0)], 1):
        name = f"decoder.tconv{i}"
        weight, bias = state[f"{name}.transconv.weight"], state[f"{name}.transconv.bias"]
        x = conv_transpose2d(x, weight, bias, stride, pad)
        x = prelu(x, state[f"{name}.activate.weight"]) if i < 5 else torch.sigmoid(x)
    return latents, x


@pytest.mark.parametrize("wrap", ["", "state_dict", "DataParallel"])
def test_the_public_deep_jscc_is_rebuilt_from_its_weights(photo, tmp_path, wrap):
    """Latents and picture are those of the public network, and half a symbol is a real value."""
    state = public_deep_jscc(16)
    kept = {f"module.{name}": v for name, v in state.items()} if wrap == "DataParallel" else state
    file = tmp_path / "deep.pth"
    torch.save({"epoch": 3, "state_dict": kept} if wrap == "state_dict" else kept, file)
    image = photo[:64, :96].copy()
    latents, shown = reference(state, torch.from_numpy(image).permute(2, 0, 1)[None] / 255)
    codec = CODECS.create(f"torch_jscc:weights={file}")
    signal = codec.encode(image, np.ones((64, 96), np.float32), 10**5, 20.0)
    sent = torch.view_as_real(signal.symbols).reshape(-1)
    assert len(signal.symbols) == latents.numel() // 2
    assert torch.allclose(sent * 2**0.5, latents.reshape(-1), atol=1e-4)
    x, side = signal.symbols, [packet.data for packet in signal.side]
    ours = codec.decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 64, 96)
    theirs = (255 * shown[0]).round().clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).max() <= 1


def test_our_own_weights_are_recognised(tmp_path):
    file = tmp_path / "own.safetensors"
    save_file(DeepJscc(channels=8).state_dict(), file)
    assert CODECS.create(f"torch_jscc:weights={file}").least_symbols(32, 32) == 8 * 64 // 2


@pytest.mark.parametrize("adaptive", [True, False])
def test_witt_is_rebuilt_from_its_weights(photo, tmp_path, adaptive):
    """Its size follows from the tensors; the SNR changes what is sent if it is told."""
    file = tmp_path / "witt.model"
    torch.save(public_swin((8, 16), (2, 4), (2, 4), 4, 24), file)
    codec = CODECS.create(f"torch_jscc:weights={file},adaptive={adaptive}")
    assert codec.least_symbols(64, 96) == 24 * 16 * 24 // 2  # a token for each 4x4 pixels
    image, w = photo[:64, :96].copy(), np.ones((64, 96), np.float32)
    signals = [codec.encode(image, w, 10**5, snr_db) for snr_db in (0.0, 20.0)]
    differs = float((signals[0].symbols - signals[1].symbols).abs().max())
    assert (differs > 1e-3) == adaptive
    x, side = signals[1].symbols, [packet.data for packet in signals[1].side]
    shown = codec.decode(x, torch.ones_like(x), torch.full((len(x),), 0.01), side, 64, 96)
    assert shown.shape == (64, 96, 3)


def test_a_file_without_a_stage_says_so(tmp_path):
    state = public_swin((8, 16), (2, 2), (2, 4), 4, 24)
    file = tmp_path / "half.model"
    torch.save({n: v for n, v in state.items() if "decoder.layers.1" not in n}, file)
    with pytest.raises(InputError, match="does not fit the network in"):
        CODECS.create(f"torch_jscc:weights={file}")
    torch.save({"encoder.head_list.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(InputError, match="lacks a part of the network of KeYang8/WITT"):
        CODECS.create(f"torch_jscc:weights={file}")


class Dangerous:
    """A pickle that would run code."""

    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"w": Dangerous()}, "cannot be opened without running code"),
        ({"weight": 3}, "'weight' of .* is no tensor"),
        ({}, "holds no state_dict"),
        ([1, 2], "holds no state_dict"),
        ({"weight": torch.tensor([float("nan")])}, "weight of .* holds NaN or infinity"),
        ({"weight": torch.zeros(1)}, "is of no network that is known here"),
        (DeepJscc(8).state_dict() | {"encoder.0.bias": torch.zeros(5)}, "does not fit the network"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path, capsys, content, message):
    file = tmp_path / "w.pth"
    torch.save(content, file)
    with pytest.raises(InputError, match=message):
        CODECS.create(f"torch_jscc:weights={file}")
    assert "ran" not in capsys.readouterr().out


def test_damaged_files_say_so(tmp_path):
    for name in ("w.pth", "w.safetensors"):
        file = tmp_path / name
        file.write_bytes(b"junk" * 9)
        with pytest.raises(InputError, match=r"cannot be (opened|read)") as refused:
            read_state_dict(file)
        assert "weights_only" not in str(refused.value)  # torch's own advice is to run the code


def test_weights_are_loaded_into_a_named_module(tmp_path):
    file = tmp_path / "w.pth"
    torch.save(nn.Linear(2, 2).state_dict(), file)
    module = "semcom.codecs.torch_jscc.deep_jscc:DeepJscc"
    with pytest.raises(InputError, match=r"does not fit the network in \d+ tensors: bias has no"):
        CODECS.create(f"torch_jscc:module={module},weights={file}")
