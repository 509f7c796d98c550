"""``semcom train sam_sc``: what is trained is what is sent, and its weights work."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.training.models.sam_sc import depth_of, transmission_errors
from semcom.codecs.parts.cells import CELL
from semcom.codecs.sam_sc.allocation import COUNTS, SNRS_DB
from semcom.codecs.sam_sc.codec import SamSc
from semcom.codecs.sam_sc.network import CHANNELS
from semcom.codecs.sam_sc.network import SamSc as SamScNetwork
from semcom.codecs.sam_sc.weights import load

MODEL = "sam_sc"


def test_a_training_from_images_to_a_picture(train, photos, tmp_path):
    done = train("--out", "out", "--steps", "3", "--pairs", "4")
    assert done.exit_code == 0, done.output
    file = tmp_path / "out" / "weights.safetensors"
    assert load(str(file)).errors.shape == (len(COUNTS), len(SNRS_DB))
    PilImage.open(photos / "p00.png").save(tmp_path / "a.png")
    codec = f"sam_sc:weights={file}"
    sent = CliRunner().invoke(main, ["send", "a.png", "--codec", codec, "--cbr", "1/6", "--blind"])
    assert sent.exit_code == 0, sent.output
    more = train("--out", "more", "--steps", "1", "--pairs", "4", "--start", str(file))
    assert more.exit_code == 0, more.output


def test_the_error_trained_is_that_of_the_codec(photo):
    """The mean over noise of the codec's own squared error, within what few draws allow."""
    image, snr_db, count = photo[:96, :128].copy(), 8.0, 32
    cells = 96 // CELL, 128 // CELL
    values = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    sent = (torch.arange(CHANNELS) < 2 * count)[None, :, None, None].expand(1, -1, *cells)
    v, rng = torch.tensor(10 ** (-snr_db / 10)), torch.Generator().manual_seed(0)
    with torch.inference_mode():
        trained = [
            float(
                transmission_errors(
                    load().network,
                    values,
                    sent,
                    torch.randn(1, CHANNELS, *cells, generator=rng),
                    v,
                )
            )
            for _ in range(8)
        ]
    codec, w = SamSc(), np.ones((96, 128), np.float32)
    signal = codec.encode(image, w, count * cells[0] * cells[1], snr_db)
    side = [packet.data for packet in signal.side]
    x, n0 = signal.symbols, 10 ** (-snr_db / 10)
    shown = []
    for _ in range(8):
        noise = torch.randn(len(x), dtype=torch.complex64, generator=rng) * n0**0.5
        ones = torch.ones_like(x)
        picture = codec.decode(x + noise, ones, torch.full((len(x),), n0), side, 96, 128)
        shown.append(np.square((picture.astype(float) - image) / 255).mean())
    assert np.mean(shown) == pytest.approx(np.mean(trained), rel=0.1)


def test_nothing_sent_leaves_a_finite_error():
    images, sent = torch.rand(2, 3, 32, 48), torch.zeros(2, CHANNELS, 2, 3, dtype=torch.bool)
    with torch.inference_mode():
        errors = transmission_errors(
            SamScNetwork(), images, sent, torch.zeros(2, CHANNELS, 2, 3), torch.tensor(0.1)
        )
    assert torch.isfinite(errors).all()


def test_the_network_grows_unless_it_starts_from_weights():
    assert [depth_of(step, 3) for step in (0, 2, 3, 6, 9, 10**6)] == [1, 1, 2, 3, 4, 4]
    assert depth_of(0, 0) == 4
