"""Users' networks: what they are given, what they are refused for, and that the rules hold."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage
from torch import nn
from torch.nn import functional

import semcom
from experiments.cli.main import main
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.parts.cells import CELL, levels_of, weights_of
from semcom.codecs.torch_jscc import opening
from semcom.conformance.analog.calls import air
from semcom.errors import InputError
from tests.semcom.codecs.torch_jscc.sending import NETWORKS, codec, means, send


@pytest.mark.parametrize("name", ["Phases", "RealPhases", "Encoder+{file}:Decoder"])
@pytest.mark.parametrize("size", [(64, 80), (33, 47)])
def test_the_picture_of_a_network_comes_back(photo, name, size):
    """The network shows the means of blocks; two reals are a symbol, as one complex number is."""
    image = photo[100 : 100 + size[0], 60 : 60 + size[1]].copy()
    signal, shown = send(codec(name.format(file=NETWORKS)), image)
    cells = -(-size[0] // 16) * -(-size[1] // 16)
    assert len(signal.symbols) == 3 * 16 * cells
    assert signal.symbols.abs().square().mean() == pytest.approx(1)
    assert np.abs(shown - means(image)).max() <= 2  # noise of 60 dB, and rounding


def test_patches_are_put_together_again(photo):
    image = photo[:100, :140].copy()
    whole, patches = (send(codec("Phases", **about), image)[1] for about in ({}, {"patch": 32}))
    assert np.abs(whole.astype(int) - patches).max() <= 2


def test_a_network_of_one_size_works_by_patches(photo):
    with pytest.raises(InputError, match=r"fails for \(1, 3, 80, 100\).*needs patch=SIZE"):
        codec("OneSize", multiple=20)
    image = photo[:64, :96].copy()
    assert np.abs(send(codec("OneSize", patch=32), image)[1] - means(image)).max() <= 2


def test_signed_values_are_twice_the_unit_ones_less_one(photo, tmp_path):
    file = tmp_path / "signed.py"
    file.write_text(
        f"import runpy\nPhases = runpy.run_path({str(NETWORKS)!r})['Phases']\n"
        "class Signed(Phases):\n"
        "    def encode(self, image):\n        return super().encode((image + 1) / 2)\n"
        "    def decode(self, received):\n        return 2 * super().decode(received) - 1\n"
    )
    network = CODECS.create(f"torch_jscc:module={file}:Signed,values=signed")
    image = photo[:64, :64].copy()
    assert np.abs(send(network, image)[1] - means(image)).max() <= 2


def test_what_an_argument_asks_for_is_handed_over(photo):
    network = codec("Told")
    assert network.least_symbols(64, 64) == 768  # it ignores that one is allowed
    send(network, photo[:64, :64].copy(), snr_db=15.0, num_symbols=5000)
    planned, allowed, received = network._network.network.module.told
    assert planned == 15.0
    assert allowed == 5000
    assert received == pytest.approx(15.0, abs=0.01)


def test_a_mask_is_sent_and_paid_for(photo, region):
    """Its decoder shows the region and grey elsewhere; the side information describes the mask."""
    image, inside = photo[:160, :160].copy(), region[:160, :160]
    w = np.where(inside, 4.0, 0.25).astype(np.float32)
    network = codec("Weighted")
    assert network.steerable
    assert not codec("Phases").steerable
    signal, shown = send(network, image, w)
    cells = weights_of(levels_of(w)).repeat(CELL, 0).repeat(CELL, 1) >= 1
    assert np.abs(shown - means(image))[cells].max() <= 2
    assert np.abs(shown[~cells].astype(int) - 128).max() <= 2
    blind, _ = send(codec("Phases"), image)
    assert len(signal.side[0].data) > len(blind.side[0].data)
    damaged = signal.side[0].data[:-2]
    with pytest.raises(DecodeError, match="map of cells"):
        network.decode(*air(signal.symbols, 60), [damaged], 160, 160)


def test_without_a_network_nothing_is_sent(photo):
    with pytest.raises(InputError, match="name a network: torch_jscc:module="):
        send(CODECS.create("torch_jscc"), photo[:32, :32].copy())


def test_the_power_that_the_decoder_knows_is_given_back(photo):
    """A quiet network that was trained for power 1 gets symbols of power 1, whatever it made."""
    image = photo[:64, :64].copy()
    network = codec("Quiet", power=1.0)
    signal, shown = send(network, image)
    values = means(image)[::4, ::4].transpose(2, 0, 1).reshape(-1, 2) / 255
    rms = np.sqrt(np.square(values).sum(axis=1).mean())
    expected = np.clip(means(image) / rms, 0, 255)
    assert signal.symbols.abs().square().mean() == pytest.approx(1)
    assert np.abs(shown - expected).max() <= 3


def test_a_power_that_depends_on_the_picture_is_sent(photo):
    image = photo[:64, :64].copy()
    for picture in (image, image // 4):
        signal, shown = send(codec("Quiet"), picture)
        assert signal.symbols.abs().square().mean() == pytest.approx(1)
        assert np.abs(shown - means(picture)).max() <= 2
    steady, _ = send(codec("Quiet", power=1.0), image)
    assert len(signal.side[0].data) == len(steady.side[0].data) + 4
    assert "its scale in four bytes" in codec("Quiet").remarks()[1]
    for scale, message in (
        (b"\x7f\x80\x00\x00", "no picture has the scale inf"),
        (b"", "cut off"),
    ):
        damaged = signal.side[0].data[:4] + scale + signal.side[0].data[8 if scale else 99 :]
        with pytest.raises(DecodeError, match=message):
            codec("Quiet").decode(*air(signal.symbols, 60), [damaged], 64, 64)


def test_a_power_that_is_constant_for_dark_pictures_only_is_sent():
    """A network that normalises its input leaves its power to the texture."""
    assert "does not normalise power" in codec("Instance").remarks()[1]


def test_a_power_that_depends_on_the_bandwidth_is_sent():
    assert "does not normalise power" in codec("Louder").remarks()[1]


def test_remarks_say_how_the_network_counts():
    bandwidth, power, noise = codec("RealPhases").remarks()
    assert "1,920 real values of 80x64 pixels" in bandwidth
    assert "960 channel uses: CBR 1/16" in bandwidth
    assert "stands at 1/8" in bandwidth
    assert "mean power 1." in power
    assert "half of it per real dimension" in noise
    assert noise in codec("Louder").remarks()
    assert "960 complex symbols of 80x64 pixels: CBR 1/16." in codec("Phases").remarks()[0]
    assert any("normalises power over the batch" in r for r in codec("Batched").remarks())
    assert any(
        "takes the mask, which is side information" in r for r in codec("Weighted").remarks()
    )


def test_a_frame_that_is_too_small_says_what_is_needed(photo, tmp_path, monkeypatch):
    """64x64 pixels are 768 symbols, a CBR of 1/16; header and side information come on top."""
    image = photo[:64, :64].copy()
    monkeypatch.chdir(tmp_path)
    PilImage.fromarray(image).save("a.png")
    name = f"torch_jscc:module={NETWORKS}:Phases"
    asked = ["send", "a.png", "--codec", name, "--cbr", "1/24", "--blind"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code
    (needed,) = re.findall(r"the smallest that fits is (0\.\d+) \(", result.output)
    assert 0.0625 < float(needed) < 0.1
    asked[5] = "1/16"
    assert f"the smallest that fits is {needed}" in CliRunner().invoke(main, asked).output
    asked[5] = needed
    assert CliRunner().invoke(main, asked).exit_code == 0
    delivery = semcom.send(image, codec=name, cbr=1 / 4, snr_db=40, blind=True)
    assert np.abs(delivery.received.astype(int) - means(image)).max() <= 4


def test_fades_are_divided_out_and_do_not_amplify_noise(photo):
    image = photo[:64, :64].copy()
    network = codec("Phases")
    signal = network.encode(image, np.ones((64, 64), np.float32), 10**6, 20.0)
    side = [packet.data for packet in signal.side]
    gains = 0.5 * torch.exp(1j * torch.arange(len(signal.symbols)))
    turned = network.decode(*air(signal.symbols, 60, gains=gains), side, 64, 64)
    assert np.abs(turned - means(image)).max() <= 2
    lost = network.decode(*air(signal.symbols, 60, gains=0.0), side, 64, 64)
    assert np.abs(lost.astype(int) - 128).max() <= 1


def test_a_network_that_fails_for_its_own_latents_is_no_lost_picture(photo, tmp_path):
    """Its decoder takes every picture for a square of 64x64 pixels, or of 64x80 as in the trial."""
    file = tmp_path / "square.py"
    file.write_text(
        f"import runpy\nPhases = runpy.run_path({str(NETWORKS)!r})['Phases']\n"
        "class Square(Phases):\n"
        "    def decode(self, received):\n"
        "        return super().decode(received.reshape(1, 3, 16, 20))\n"
    )
    network = CODECS.create(f"torch_jscc:module={file}:Square")
    with pytest.raises(InputError, match=r"decode of .* fails for \(1, 3, 24, 16\)"):
        send(network, photo[:96, :64].copy())


def test_random_weights_are_the_same_whenever_the_network_is_built():
    name = "semcom.codecs.torch_jscc.deep_jscc:DeepJscc"
    first, again = (
        opening.build(opening.Options(name, "", "unit", 0, 0, 0.0, True, "cpu")) for _ in range(2)
    )
    assert first.identity == again.identity
    assert first.network is not again.network


def test_a_picture_without_power_is_sent(photo):
    black = np.zeros_like(photo[:64, :64])
    for options in ({}, {"power": 1.0}):  # with and without a scale in the side information
        signal, shown = send(codec("Quiet", **options), black)
        assert signal.symbols.abs().square().mean() == 1
        assert not shown.any()


def test_flipped_pictures_are_taken(photo):
    image = photo[:64, 63::-1]
    assert np.abs(send(codec("Phases"), image)[1] - means(image)).max() <= 2


def test_symbols_that_do_not_fill_the_latents_are_refused(photo):
    network = codec("Phases")
    signal, _ = send(network, photo[:64, :64].copy())
    side = [packet.data for packet in signal.side]
    with pytest.raises(DecodeError, match="700 symbols do not fill"):
        network.decode(*(part[:700] for part in air(signal.symbols, 60)), side, 64, 64)
    with pytest.raises(DecodeError, match="is not open here"):
        network.decode(*air(signal.symbols, 60), [b"????" + side[0][4:]], 64, 64)


def test_a_network_is_built_once(tmp_path, monkeypatch):
    """Asking for it again, as a suite does for each draw, finds the open one."""
    (tmp_path / "counted.py").write_text(
        f"import runpy\nPhases = runpy.run_path({str(NETWORKS)!r})['Phases']\n"
        "class Counted(Phases):\n    def __init__(self):\n        super().__init__()\n"
        "        with open('built.txt', 'a') as log:\n            log.write('x')\n"
    )
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        CODECS.create("torch_jscc:module=counted.py:Counted")
    assert (tmp_path / "built.txt").read_text() == "x"


def test_deep_jscc_is_as_described():
    """The paper's layers: five 5x5 convolutions each way, strides 2, 2, 1, 1, 1."""
    from semcom.codecs.torch_jscc.deep_jscc import DeepJscc

    network = DeepJscc(channels=8)
    down = [m for m in network.encoder if isinstance(m, nn.Conv2d)]
    up = [m for m in network.decoder if isinstance(m, nn.ConvTranspose2d)]
    assert [(m.out_channels, m.kernel_size[0], m.stride[0]) for m in down] == [
        (16, 5, 2), (32, 5, 2), (32, 5, 1), (32, 5, 1), (8, 5, 1)
    ]  # fmt: skip
    assert [(m.out_channels, m.kernel_size[0], m.stride[0]) for m in up] == [
        (32, 5, 1), (32, 5, 1), (32, 5, 1), (16, 5, 2), (3, 5, 2)
    ]  # fmt: skip
    image = functional.interpolate(torch.rand(1, 3, 8, 12), scale_factor=4.0)
    with torch.inference_mode():
        latents = network.encode(image)
        assert latents.square().mean() == pytest.approx(1, rel=1e-5)
        assert network.decode(latents).shape == image.shape
