"""Files of weights that people hold: read without running code, recognised, and fitted."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from semcom.codecs.base import CODECS
from semcom.codecs.torch_jscc.deep_jscc import DeepJscc
from semcom.codecs.torch_jscc.state_dicts import KNOWN, read_state_dict
from semcom.errors import InputError

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


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("encoder.bm_list1.0.fc.0.weight", "semcomm/SwinJSCC"),
        ("encoder.layers.0.blocks.0.attn.qkv.weight", "semcomm/SwinJSCC or KeYang8/WITT"),
    ],
)
def test_networks_that_are_not_rebuilt_are_named(tmp_path, name, repository):
    file = tmp_path / "w.pth"
    torch.save({name: torch.zeros(2, 2)}, file)
    with pytest.raises(InputError, match=f"is of {repository}, whose network is not rebuilt here"):
        CODECS.create(f"torch_jscc:weights={file}")


def test_each_sign_is_of_one_repository():
    signs = [r"encoder.0.weight", "encoder.conv1.conv.weight", "encoder.bm_list1.0.fc.0.weight"]
    for name in signs:
        assert sum(bool(re.fullmatch(known.sign, name)) for known in KNOWN) == 1


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
        with pytest.raises(InputError, match=r"cannot be (opened|read)"):
            read_state_dict(file)


def test_weights_are_loaded_into_a_named_module(tmp_path):
    file = tmp_path / "w.pth"
    torch.save(nn.Linear(2, 2).state_dict(), file)
    module = "semcom.codecs.torch_jscc.deep_jscc:DeepJscc"
    with pytest.raises(InputError, match=r"does not fit the network in \d+ tensors: bias has no"):
        CODECS.create(f"torch_jscc:module={module},weights={file}")
