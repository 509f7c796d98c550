"""What codec sam_sc promises: the estimate of its symbols, no seams, symbols by the map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.sam_sc import network as network_module
from semcom.codecs.sam_sc.allocation import SYMBOLS
from semcom.codecs.sam_sc.codec import SamSc, combine
from semcom.codecs.sam_sc.network import to_latents, to_picture
from semcom.codecs.sam_sc.weights import PACKAGED, load, to_bytes
from semcom.conformance.analog.calls import air
from semcom.errors import InputError
from semcom.scores.psnr import psnr_db, region_psnr_db


def blind(image):
    return np.ones(image.shape[:2], np.float32)


def send(image, w, num_symbols, snr_db, codec=None):
    codec = codec or SamSc()
    signal = codec.encode(image, w, num_symbols, snr_db)
    side = [packet.data for packet in signal.side]
    return signal, codec.decode(*air(signal.symbols, snr_db), side, *image.shape[:2])


def test_the_encoder_is_the_published_one():
    """Four times convolution of 3x3, ReLU, batch normalisation, pooling: 16, 32, 64, 128."""
    layers = list(load().network.encoder)
    assert [type(layer).__name__ for layer in layers] == [
        "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d"
    ] * 4  # fmt: skip
    assert [(m.out_channels, m.kernel_size) for m in layers[::4]] == [
        (n, (3, 3)) for n in (16, 32, 64, 128)
    ]
    assert PACKAGED.stat().st_size <= 4_000_000


def test_all_latents_are_a_twelfth_of_the_samples(photo):
    """128 reals of 16x16 pixels are 64 symbols of 768 samples; twice as many are sent twice."""
    image = photo[:160, :240].copy()
    once, _ = send(image, blind(image), image.size // 12, 15)
    assert len(once.symbols) == image.size // 12
    twice, _ = send(image, blind(image), image.size // 6, 15)
    cells = twice.symbols.reshape(-1, 2, SYMBOLS)
    assert torch.allclose(cells[:, 0], cells[:, 1])
    assert torch.allclose(cells[:, 0].reshape(-1), once.symbols, atol=1e-4)


def test_copies_are_combined_as_the_linear_estimate():
    """Against ``C h* (h h* C + N0)⁻¹ y``, from the covariances of all copies of one symbol."""
    counts = np.array([[2 * SYMBOLS + 3, 0, 5]], np.uint8)
    rng = torch.Generator().manual_seed(0)
    n = int(counts.sum())
    y, h = (torch.randn(n, dtype=torch.complex64, generator=rng) for _ in range(2))
    n0 = 0.05 + torch.rand(n, generator=rng)
    found = combine(y, h, n0, counts)
    for place in (0, 2, 3, 63):
        at = [i for i in range(2 * SYMBOLS + 3) if i % SYMBOLS == place]
        covariance = torch.outer(h[at], h[at].conj()) + torch.diag(n0[at]).to(torch.complex64)
        expected = h[at].conj() @ torch.linalg.solve(covariance, y[at])
        assert found[0, place] == pytest.approx(complex(expected), abs=1e-5)
    assert not found[1].any()
    assert not found[2, 5:].any()


def test_strips_have_no_seams(photo, monkeypatch):
    image = torch.from_numpy(photo[:150, :90].copy()).permute(2, 0, 1).float() / 255
    network = load().network
    whole = to_latents(network, image)
    shown = to_picture(network, whole, 150, 90)
    monkeypatch.setattr(network_module, "_STRIP_PIXELS", 16 * 96)
    assert torch.allclose(to_latents(network, image), whole, atol=1e-4)
    assert torch.allclose(to_picture(network, whole, 150, 90), shown, atol=1e-4)


def test_more_of_anything_is_better(photo):
    def quality(share, snr_db):
        return psnr_db(photo, send(photo, blind(photo), photo.size // share, snr_db)[1])

    assert quality(48, 10) < quality(24, 10) < quality(12, 10)
    assert quality(12, 0) < quality(12, 8) < quality(12, 16)


def test_importance_moves_quality(photo, region):
    w = np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)
    before, after = (send(photo, m, photo.size // 96, 10)[1] for m in (blind(photo), w))
    assert region_psnr_db(photo, after, region) > region_psnr_db(photo, before, region) + 0.5
    assert region_psnr_db(photo, after, ~region) < region_psnr_db(photo, before, ~region)


def test_a_user_s_weights_are_found_by_their_identity(photo, tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes(to_bytes(load(), {"steps": "7"}))
    image = photo[:64, :64].copy()
    signal, shown = send(image, blind(image), 2000, 20, SamSc(weights=str(file)))
    side = [packet.data for packet in signal.side]
    x = air(signal.symbols, 20)
    assert np.array_equal(CODECS.create("sam_sc").decode(*x, side, 64, 64), shown)
    with pytest.raises(DecodeError, match="are not open here"):
        SamSc().decode(*x, [side[0][:5] + b"??" + side[0][7:]], 64, 64)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("errors", -torch.ones(8, 8), "errors or variances of .* are negative"),
        ("encoder.2.running_var", -torch.ones(16), "errors or variances of .* are negative"),
        ("encoder.0.bias", torch.full((16,), torch.nan), "holds NaN or infinity"),
        ("decoder.0.bias", torch.zeros(3), "missing, foreign or misshapen tensors: decoder.0.bias"),
    ],
)
def test_weights_that_no_training_writes_are_refused(tmp_path, name, value, message):
    tensors = load_file(PACKAGED) | {name: value}
    file = tmp_path / "bad.safetensors"
    save_file(tensors, file, {"architecture": "semcom sam_sc 1"})
    with pytest.raises(InputError, match=message):
        SamSc(weights=str(file))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p[:2], "cut off"),
        (lambda p: b"\x07" + p[1:], "impossible head"),
        (lambda p: p[:1] + b"\x7f\x80\x00\x00" + p[5:], "impossible head"),
        (lambda p: p[:-3], "map of cells"),
    ],
)
def test_damaged_side_information_is_refused(photo, damage, message):
    image = photo[:64, :64].copy()
    signal, _ = send(image, blind(image), 900, 20)
    with pytest.raises(DecodeError, match=message):
        SamSc().decode(*air(signal.symbols, 20), [damage(signal.side[0].data)], 64, 64)
