"""Importance in the models with a hyperprior: gains of latents, sent and paid for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.checkpoints import compressai as zoo
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.learned import gains as latent_gains
from semcom.codecs.learned.codec import Learned
from semcom.scores.psnr import psnr_db, region_psnr_db
from tests.semcom.codecs.learned.networks import mean_network

pytestmark = pytest.mark.skipif(
    bool(CODECS.entry("learned").missing), reason="CompressAI is not installed"
)


def weights_for(region):
    return np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)


@pytest.mark.parametrize("model", latent_gains.MODELS)
def test_gains_of_one_are_the_model_s_own_strings(checkpoints, picture, model):
    network = zoo.load(checkpoints[model], model)
    x = torch.from_numpy(np.pad(picture, ((0, 58), (0, 28), (0, 0)), "edge"))
    x = x.permute(2, 0, 1)[None].float() / 255
    ones = torch.ones(8, 8)
    with torch.inference_mode():
        expected = network.compress(x)
        found = latent_gains.compress(network, x, ones)
        assert found == [string for (string,) in expected["strings"]]
        strings = [[string] for string in found]
        shown = latent_gains.decompress(network, strings, (2, 2), ones)
        assert torch.equal(shown, network.decompress(strings, (2, 2))["x_hat"])


@pytest.mark.parametrize("model", latent_gains.MODELS)
def test_finer_gains_leave_less_error_of_the_latents(checkpoints, picture, model):
    """A gain of g leaves errors of at most half a step, 1/(2g), in each latent."""
    network = zoo.load(checkpoints[model], model)
    x = torch.from_numpy(picture[:64, :64].copy()).permute(2, 0, 1)[None].float() / 255
    seen = {}
    with torch.inference_mode():
        y = network.g_a(x)
        for gain in (0.5, 1.0, 4.0):
            gains = torch.full((4, 4), gain)
            strings = [[s] for s in latent_gains.compress(network, x, gains)]
            z_hat = network.entropy_bottleneck.decompress(strings[1], (1, 1))
            scales, means = latent_gains._expected(network, z_hat, gains)
            indexes = network.gaussian_conditional.build_indexes(scales)
            y_hat = network.gaussian_conditional.decompress(
                strings[0], indexes, torch.float32, means
            )
            seen[gain] = float((y_hat / gains - y).abs().max())
            assert seen[gain] <= 0.5 / gain + 1e-3
    assert seen[4.0] < seen[0.5]


def test_importance_moves_quality_within_the_budget(tmp_path):
    """Rounding errors of step²/12 fall by the square of the gain, for no more bits."""
    torch.save(mean_network(amplitude=20).state_dict(), tmp_path / "means.pth.tar")
    codec = Learned(checkpoint=str(tmp_path / "means.pth.tar"))
    assert codec.steerable
    blocks = np.random.default_rng(0).integers(64, 192, (12, 16, 3)).astype(np.uint8)
    image = blocks.repeat(16, 0).repeat(16, 1)
    region = np.zeros(image.shape[:2], bool)
    region[:, :64] = True
    even = codec.encode(image, np.ones(region.shape, np.float32), 10**7)
    before = codec.decode([even.packets[0].data], *region.shape)
    w = weights_for(region)
    while (stream := codec.encode(image, w, 10**7)).num_bits > even.num_bits:
        w = w * 0.9  # one quality only: a smaller mean takes fewer bits
    after = codec.decode([stream.packets[0].data], *region.shape)
    step_db = 20 * np.log10(255 * np.sqrt(12) / (255 / 20))
    assert psnr_db(image, before) == pytest.approx(step_db, abs=0.5)
    gained_db = region_psnr_db(image, after, region) - region_psnr_db(image, before, region)
    assert gained_db == pytest.approx(10 * np.log10(w[region].mean()), abs=1)
    assert region_psnr_db(image, after, ~region) < region_psnr_db(image, before, ~region) - 1
    assert gained_db > 2


def test_models_without_a_hyperprior_of_their_own_ignore_it(checkpoints, picture):
    codec = Learned(
        model="bmshj2018-factorized", checkpoint=str(checkpoints["bmshj2018-factorized"])
    )
    assert not codec.steerable
    w = np.ones(picture.shape[:2], np.float32)
    w[:32] = 3
    packets = [codec.encode(picture, m, 10**7).packets[0].data for m in (w, np.ones_like(w))]
    assert packets[0] == packets[1]


def test_damaged_gains_are_refused(trained, photo, region):
    codec = Learned(checkpoint=str(trained))
    (packet,) = codec.encode(photo, weights_for(region), 10**7).packets
    for at in (0, 5, 9, 40):
        data = bytearray(packet.data)
        data[at] ^= 0x80
        with pytest.raises(DecodeError, match="packet is damaged"):
            codec.decode([bytes(data)], *photo.shape[:2])
