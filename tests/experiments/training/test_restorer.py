"""``semcom train restorer``, as a user runs it: a minute of work, cut to seconds."""

from __future__ import annotations

from semcom.codecs.restorer import restorer

MODEL = "restorer"
FEW = ("--pairs", "12")


def test_a_training_from_images_to_weights(train, tmp_path):
    done = train(*FEW, "--out", "out", "--steps", "6")
    assert done.exit_code == 0, done.output
    network = restorer.load(str(tmp_path / "out" / "weights.safetensors"))
    assert not network.training
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "`semcom train restorer`" in card
    assert "gain in PSNR in dB over the codec alone" in card
    curve = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    digital = "jpeg 10,jpeg 30,hevc 38,hevc 32,softcast 10"
    assert curve[0].endswith(f"{digital},jpeg2000 0.25,jpeg2000 0.75,hybrid 4")
    gains = [float(cell) for cell in curve[-1].split(",")[3:]]
    assert all(abs(gain) < 0.3 for gain in gains)  # six steps change hardly anything


def test_a_training_may_start_from_weights(train, tmp_path):
    first = train(*FEW, "--out", "out", "--steps", "3")
    assert first.exit_code == 0, first.output
    weights = "out/weights.safetensors"
    more = train(*FEW, "--out", "more", "--steps", "3", "--start", weights)
    assert more.exit_code == 0, more.output
    assert f"starting from the weights {weights}" in more.stderr
    card = (tmp_path / "more" / "MODEL_CARD.md").read_text()
    assert "**start**: weights of SHA-256" in card
    other = train(*FEW, "--out", "more", "--steps", "5", "--resume")
    assert other.exit_code == 1
    assert "is of another training, with another start" in other.stderr
    missing = train(*FEW, "--out", "third", "--steps", "3", "--start", "nowhere.safetensors")
    assert missing.exit_code == 1
    assert "there are no weights at nowhere.safetensors" in missing.stderr
