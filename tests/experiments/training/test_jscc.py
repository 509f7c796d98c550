"""``semcom train jscc``, as a user runs it: a minute of work, cut to seconds."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.training.conditions import draw_condition, receive
from experiments.training.models.jscc import make_pair
from experiments.training.pairs import Pairs
from semcom.codecs.jscc.weights import load
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.knowledge import MAPS

MODEL = "jscc"


def test_a_training_from_images_to_a_picture(train, photos, tmp_path):
    done = train("--out", "out", "--steps", "8", "--pairs", "6")
    assert done.exit_code == 0, done.output
    assert "10 images to train on, 2 to validate on, 2 skipped" in done.stderr
    assert "skipped: tiny.png: 20x20 pixels are too few" in done.stderr
    out = tmp_path / "out"
    weights = out / "weights.safetensors"
    assert done.stdout.splitlines()[-1] == "out/weights.safetensors"
    load(str(weights))
    card = (out / "MODEL_CARD.md").read_text()
    assert "8 steps of 10 crops" in card
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest) == 12
    before = weights.read_bytes()
    again = train("--out", "out", "--steps", "8", "--pairs", "6")
    assert again.exit_code == 1
    assert "holds a training already: go on with --resume" in again.stderr
    more = train("--out", "out", "--steps", "12", "--pairs", "6", "--resume")
    assert more.exit_code == 0, more.output
    assert weights.read_bytes() != before
    other = train("--out", "out", "--steps", "12", "--pairs", "7", "--resume")
    assert "is of another training, with another pairs" in other.stderr
    PilImage.open(photos / "p00.png").save(tmp_path / "a.png")
    codec = f"jscc:weights={weights}"
    arguments = ["send", "a.png", "--codec", codec, "--cbr", "1/6", "--blind"]
    sent = CliRunner().invoke(main, arguments)
    assert sent.exit_code == 0, sent.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--minutes", "0"), "give either --minutes or --steps, above 0"),
        (("--minutes", "5", "--steps", "5"), "give either --minutes or --steps, above 0"),
        (("--steps", "5", "--pairs", "999999999"), "999,999,999 pairs take"),
        (("--steps", "5", "--data", "photos", "--out", "photos"), "another folder than --data"),
        (("--steps", "5", "--out", "photos/p00.png"), "--out must be a folder, and"),
        (("--steps", "5", "--device", "cuda:9"), "device 'cuda:9' is not available"),
        (("--steps", "5", "--data", "nowhere"), "there is no folder nowhere"),
    ],
)
def test_nonsense_is_refused(train, arguments, message):
    result = train(*arguments)
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert message in line


@pytest.mark.parametrize("option", [("--seed", "-1"), ("--pairs", "0")])
def test_numbers_have_a_range(train, option):
    result = train("--steps", "5", *option)
    assert result.exit_code == 2
    assert f"{option[1]} is not in the range" in result.stderr


def test_the_list_names_what_can_be_trained():
    result = CliRunner().invoke(main, ["train", "--list"])
    assert result.exit_code == 0
    assert result.stdout.startswith("jscc: ")


def test_pairs_do_not_depend_on_where_the_work_stopped(photos, tmp_path):
    model, paths = load().side, sorted(photos.glob("p*.png"))

    def make(image, _, rng):
        return make_pair(image, draw_condition(96, rng), model, rng)

    whole = Pairs(tmp_path / "whole", 5, 96, MAPS)
    whole.fill(paths, make, 3, lambda *_: None)

    def stop(done, _):
        if done == 3:
            raise KeyboardInterrupt

    parts = Pairs(tmp_path / "parts", 5, 96, MAPS)
    with pytest.raises(KeyboardInterrupt):
        parts.fill(paths, make, 3, stop)
    parts = Pairs(tmp_path / "parts", 5, 96, MAPS)
    parts.fill(paths, make, 3, lambda *_: None)
    for ours, theirs in (
        (whole.estimates, parts.estimates),
        (whole.images, parts.images),
        (whole.cells, parts.cells),
        (whole.errors, parts.errors),
    ):
        assert np.array_equal(ours, theirs)


def test_a_pair_is_what_the_codec_receives(photo):
    """Its error is that of its estimate, and its crops are aligned with their maps."""
    rng = np.random.default_rng(1)
    image = np.ascontiguousarray(photo[:96, :96])
    how = draw_condition(96, rng)._replace(w=np.ones((96, 96), np.float32), snr_db=30.0)
    pair = make_pair(image, how, load().side, rng)
    error = np.square(pair.estimate.astype(float) - to_planes(image)).mean()
    assert pair.error == pytest.approx(error, rel=0.01)
    assert np.isfinite(pair.cells).all()
    assert (pair.cells[-1] == 1).all()


@pytest.mark.parametrize("fading", ["none", "block", "symbol"])
def test_channels_of_the_training_are_scaled_right(fading):
    """The mean power of noise and gains over many draws."""
    x = torch.ones(400, dtype=torch.complex64)
    noise, power = [], []
    for seed in range(300):
        y, h, n0 = receive(x, 7.0, fading, np.random.default_rng(seed))
        noise.append(float((y - h * x).abs().square().mean()))
        power.append(float(h.abs().square().mean()))
    assert np.mean(noise) == pytest.approx(10**-0.7, rel=0.02)
    assert float(n0[0]) == pytest.approx(10**-0.7)
    assert np.mean(power) == pytest.approx(1, abs=0.2)
