"""SwinJSCC with rate adaptation, from files with the public names, against its description."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import linear

import semcom
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.torch_jscc.state_dicts import read_state_dict, recognise
from semcom.conformance.analog import checks
from semcom.conformance.analog.calls import air
from semcom.conformance.base import Candidate
from semcom.errors import InputError
from tests.semcom.codecs.torch_jscc.public_swin import public_swin

CHANNELS, TOKENS = 16, 16 * 24  # of 64x96 pixels: a token for each 4x4
MODULATORS = {"RA": ("",), "SAandRA": ("", "1")}


@pytest.fixture(params=MODULATORS)
def file(request, tmp_path):
    path = tmp_path / f"{request.param}.model"
    modulators = MODULATORS[request.param]
    state = public_swin((8, CHANNELS), (2, 2), (2, 4), 4, 0, modulators=modulators)
    for name in state:
        if "norm" in name and name.endswith("weight"):
            state[name] += 1  # as trained ones are, so that the picture depends on the tokens
    torch.save(state, path)
    return path


@pytest.fixture
def image(photo):
    return photo[:64, :96].copy()


def encode(codec, image, num_symbols, snr_db=10.0):
    return codec.encode(image, np.ones(image.shape[:2], np.float32), num_symbols, snr_db)


def factors(state, end, ending, x, number):
    """What tokens (L, C) are multiplied by, from the weights by plain functions."""

    def layer(name, value):
        return linear(value, state[f"{end}.{name}.weight"], state[f"{end}.{name}.bias"])

    inner = x
    for i in range(7):
        gate = torch.tensor([float(number)])
        for part in (0, 2):
            gate = torch.relu(layer(f"bm_list{ending}.{i}.fc.{part}", gate))
        gate = torch.sigmoid(layer(f"bm_list{ending}.{i}.fc.4", gate))
        inner = layer(f"sm_list{ending}.{i}", inner) * gate
    return torch.sigmoid(layer(f"sm_list{ending}.7", inner))


def test_symbols_and_picture_are_those_of_the_description(file, image):
    """Both modulators, the mask, the power over what is sent, and zeros at the receiver."""
    state, rate, snr_db = read_state_dict(file), 6, 7.0
    network = recognise(state, file).eval()
    by_snr = "SA" in file.stem
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        x = network.encoder.tokens(pixels).reshape(TOKENS, CHANNELS)
        if by_snr:
            x = x * factors(state, "encoder", "1", x, snr_db)
        by_rate = factors(state, "encoder", "", x, rate)
        x = x * by_rate
        kept = by_rate.sum(dim=0).sort(descending=True).indices[:rate].sort().values
        power = x[:, kept].square().sum() / (rate * TOKENS)
        full = torch.zeros_like(x)
        full[:, kept] = x[:, kept]
        if by_snr:
            full = full * factors(state, "decoder", "", full, snr_db)
        theirs = network.decoder.picture(full.reshape(1, 16, 24, CHANNELS))[0]
    codec = CODECS.create(f"torch_jscc:weights={file}")
    signal = encode(codec, image, rate * TOKENS // 2, snr_db)
    sent = torch.view_as_real(signal.symbols).reshape(TOKENS, rate)
    assert torch.allclose(sent, x[:, kept] / (2 * power).sqrt(), atol=1e-4)
    bits = np.unpackbits(np.frombuffer(signal.side[0].data[-2:], np.uint8))
    assert np.flatnonzero(bits).tolist() == kept.tolist()
    told = torch.full((len(signal.symbols),), 10 ** (-snr_db / 10))  # beside no noise
    side = [packet.data for packet in signal.side]
    ours = codec.decode(signal.symbols, torch.ones_like(signal.symbols), told, side, 64, 96)
    theirs = (255 * theirs).round().clamp(0, 255).permute(1, 2, 0).numpy()
    assert theirs.std() > 20
    assert np.abs(ours - theirs).max() <= 1


def test_one_file_serves_every_bandwidth(file, image):
    """As many channels as fit, half a symbol for each token; and two bytes say which."""
    codec = CODECS.create(f"torch_jscc:weights={file}")
    assert codec.least_symbols(64, 96) == TOKENS // 2
    for channels in (1, 2, 5, CHANNELS):
        for allowed in (channels * TOKENS // 2, (channels + 1) * TOKENS // 2 - 1):
            signal = encode(codec, image, allowed)
            assert len(signal.symbols) == channels * TOKENS // 2
            data = [packet.data for packet in signal.side]
            assert len(data[0]) == 4 + 4 + 1 + 12 + 4 + CHANNELS // 8
            marked = int.from_bytes(data[0][-2:], "big")
            assert marked.bit_count() == channels
            assert codec.decode(*air(signal.symbols, 10), data, 64, 96).shape == (64, 96, 3)
    assert len(encode(codec, image, 10**5).symbols) == CHANNELS * TOKENS // 2
    with pytest.raises(
        InputError, match=r"makes 192 symbols of 96x64 pixels.* but 191 are allowed"
    ):
        encode(codec, image, TOKENS // 2 - 1)


def test_a_frame_that_is_too_small_for_a_channel_says_so(file, image):
    with pytest.raises(
        InputError, match=r"too small for this 96x64 image; the smallest that fits is 0\.0"
    ):
        semcom.send(image, codec=f"torch_jscc:weights={file}", cbr=1 / 128, snr_db=10, blind=True)


def test_the_mask_is_needed_and_a_damaged_one_is_an_error(file, image):
    codec = CODECS.create(f"torch_jscc:weights={file}")
    signal = encode(codec, image, 5 * TOKENS // 2)
    data = signal.side[0].data
    marked = int.from_bytes(data[-2:], "big")
    one_less, one_more = marked & (marked - 1), marked | (marked + 1)
    for other in (one_less, one_more):
        damaged = data[:-2] + other.to_bytes(2, "big")
        with pytest.raises(DecodeError, match=r"5 channels sent, \[[46]\] marked as sent"):
            codec.decode(*air(signal.symbols, 10), [damaged], 64, 96)


def test_the_snr_is_told_where_the_file_has_layers_for_it(file, image):
    """SwinJSCC_w/_RA has none at its encoder, and its decoder's were never used."""
    for adaptive in (True, False):
        codec = CODECS.create(f"torch_jscc:weights={file},adaptive={adaptive}")
        low, high = (encode(codec, image, 10**5, snr_db).symbols for snr_db in (0.0, 20.0))
        differs = float((low - high).abs().max()) > 1e-3
        assert differs == (adaptive and "SA" in file.stem)


@pytest.mark.parametrize(
    "check",
    [
        checks.check_signal,
        checks.check_same_signal,
        checks.check_other_process,
        checks.check_garbage,
        checks.check_frames,
    ],
)
@pytest.mark.parametrize("file", ["SAandRA"], indirect=True)
def test_what_holds_for_every_codec_holds_with_random_weights(file, check):
    """All but a good picture; the receiver in another process has the file, packet and symbols."""
    check(Candidate(f"torch_jscc:weights={file}"))
