"""``semcom train tiny``: its tables and pairs are the codec's own, and its weights work."""

from __future__ import annotations

import numpy as np
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.training.models.tiny import make_pair
from experiments.training.models.tiny_tables import fit
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.tiny.coding import encode
from semcom.codecs.tiny.number_kernels import DEAD
from semcom.codecs.tiny.repair import MAPS
from semcom.codecs.tiny.transform import Source, rebuild
from semcom.codecs.tiny.weights import load

MODEL = "tiny"


def test_a_training_from_images_to_a_picture(train, photos, tmp_path):
    done = train("--out", "out", "--steps", "3", "--pairs", "4")
    assert done.exit_code == 0, done.output
    weights = tmp_path / "out" / "weights.safetensors"
    load(str(weights))
    PilImage.open(photos / "p00.png").save(tmp_path / "a.png")
    codec = f"tiny:weights={weights}"
    sent = CliRunner().invoke(main, ["send", "a.png", "--codec", codec, "--cbr", "1/6", "--blind"])
    assert sent.exit_code == 0, sent.output
    more = train("--out", "more", "--steps", "1", "--pairs", "4", "--start", str(weights))
    assert more.exit_code == 0, more.output
    ours, theirs = (load(str(tmp_path / name / weights.name)).tables for name in ("out", "more"))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_pair_is_what_the_codec_shows(photo, region):
    image, tables = photo[:160, :160].copy(), load().tables
    w = np.where(region[:160, :160], 3, 0.8).astype(np.float32)
    pair = make_pair(image, w, 300, tables)
    source = Source.of(image, w)
    _, sent = encode(source.wavelet, 300, source.offsets, tables)
    shown = to_planes(rebuild(sent, source.turn, 160, 160))
    assert np.array_equal(pair.estimate, shown.astype(np.float16))
    assert pair.cells.shape == (MAPS + 4, 40, 40)
    assert pair.error == np.float64((w * np.square(shown - to_planes(image).astype(float))).mean())


def test_tables_say_what_was_counted(tmp_path):
    """Ramps have no details, so that zero gets nearly all of the probability where it was seen."""
    ramp = np.linspace(60, 190, 160).astype(np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path in paths:
        PilImage.fromarray(np.stack([ramp + np.zeros_like(ramp)[:, None]] * 3, -1)).save(path)
    tables = fit(paths, 160, 0, lambda *_: None)
    finest, kind = tables.detail_shares[-1], (1, 1)  # of colour, not in the first phase
    assert finest[*kind, 0, 1] >= DEAD
    assert (np.diff(tables.detail_shares, axis=-1) >= 1).all()  # what never occurred can be sent


def test_the_larger_a_detail_is_expected_the_rarer_is_zero():
    zeros = load().tables.detail_shares[-1, 0, 1, 1:20, 1]
    assert (np.diff(zeros) < 0).all()
