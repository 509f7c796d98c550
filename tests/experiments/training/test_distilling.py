"""``semcom distill``: the student learns the teacher's embeddings, and is a segmenter."""

from __future__ import annotations

import errno
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage
from safetensors import safe_open

from experiments.cli.distill import STUDENTS
from experiments.cli.main import main
from experiments.training import kept
from experiments.training.distilling import build_teacher
from experiments.training.embeddings import keep_embeddings
from experiments.training.images import find_training_images
from experiments.training.loop import CHECKPOINT, Settings, Training
from experiments.training.models import encoder
from experiments.training.models.encoder import EncoderTrainee
from experiments.training.refining import Material
from semcom.images import load_image
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam.encoder import SIZES
from tests.experiments.training.sam_teachers import (
    STUDENT,
    TEACHER,
    FakeTeacher,
    save_teacher,
    state_of,
)


def quiet(*_):
    pass


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(encoder, "POINTS_PER_SIDE", 2)
    monkeypatch.setitem(SIZES, "tiny", STUDENT)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return build_teacher(save_teacher(tmp_path_factory.mktemp("teacher") / "teacher.safetensors"))


@pytest.fixture
def material(photos, tmp_path):
    for extra in sorted(photos.glob("p*.png"))[4:]:
        extra.unlink()
    return Material(tmp_path / "out", find_training_images(photos), 0, 0, quiet)


@pytest.fixture
def distill(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, data=photos):
        result = CliRunner().invoke(main, ["distill", "--data", str(data), *arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


def weights_of(network):
    return torch.cat([x.detach().float().ravel() for x in network.state_dict().values()])


def test_a_student_is_made_goes_on_and_sends_a_picture(distill, photos, tmp_path, monkeypatch):
    for extra in sorted(photos.glob("p*.png"))[3:]:
        extra.unlink()
    spec = save_teacher(tmp_path / "teacher.safetensors")
    common = "--teacher", spec, "--student", "tiny", "--batch", "1"
    done = distill(*common, "--steps", "2", "--out", "out")
    assert done.exit_code == 0, done.output
    assert "2 images to train on, 1 to validate on, 2 skipped" in done.output
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    more = distill(*common, "--steps", "3", "--out", "out", "--resume")  # the embeddings are there
    assert more.exit_code == 0, more.output
    file = tmp_path / "out" / "weights.safetensors"
    with safe_open(file, "pt") as stored:
        about = stored.metadata()
        for name, x in state_of(TEACHER).items():
            if not name.startswith("image_encoder."):
                assert torch.equal(stored.get_tensor(name), x), name
    assert about["steps"] == "3"
    assert about["teacher"].startswith("mobile_sam:")
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert f"- **teacher**: {about['teacher']}" in card
    assert "3 steps of 1 images" in card
    PilImage.open(photos / "p00.png").save(tmp_path / "a.png")
    segmenter = f"mobile_sam:weights={file}"
    asked = ["send", "a.png", "--segmenter", segmenter, "--point", "40,40", "--codec", "jpeg"]
    sent = CliRunner().invoke(main, asked)
    assert sent.exit_code == 0, sent.output
    record = json.loads((tmp_path / "semcom-out" / "a.json").read_text())
    assert record["segmenter"] == SEGMENTERS.create(segmenter).provenance


@pytest.mark.slow
def test_the_error_of_the_embedding_falls_and_the_iou_of_masks_rises(material, teacher):
    trainee = EncoderTrainee(material, teacher, STUDENT)
    before = trainee.validate(trainee.network, torch.device("cpu"))
    training = Training(trainee, material.folder, Settings(steps=24, batch=1, rate=0.03))
    training.run(quiet)
    (after,) = training.state.curve
    assert after["embedding dB"] > before["embedding dB"] + 3
    assert after["mask IoU"] > before["mask IoU"] + 0.05


def test_the_command_offers_all_sizes():
    assert tuple(SIZES) == STUDENTS


def test_the_loss_is_the_squared_error_to_the_teachers_embedding(material, teacher):
    trainee = EncoderTrainee(material, teacher, STUDENT)
    x, target = trainee.batch(5, 2)
    again = trainee.batch(5, 2)
    assert all(torch.equal(a, b) for a, b in zip((x, target), again, strict=True))
    at = encoder.draw(5, 2, len(material.images.training), 0)
    for i, one in zip(at, target, strict=True):
        image, _ = load_image(material.images.training[i])
        torch.testing.assert_close(one, teacher.embed_image(image)[0], rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        loss = float(trainee.loss(trainee.network, (x, target)))
        found = trainee.network(x)
    assert loss == pytest.approx(float(((found - target) ** 2).mean()), rel=1e-3)


def test_a_teacher_that_copies_itself_is_perfect(material, teacher):
    """The scores reach their best for the same encoder, whatever the padding."""
    state = state_of(TEACHER).items()
    own = {k.removeprefix("image_encoder."): x for k, x in state if k.startswith("image_encoder.")}
    trainee = EncoderTrainee(material, teacher, TEACHER, own)
    scores = trainee.validate(trainee.network, torch.device("cpu"))
    assert scores["embedding dB"] > 50  # what half precision leaves
    assert scores["mask IoU"] > 0.995


def test_a_student_that_was_interrupted_and_validated_goes_on_bit_by_bit(material, teacher):
    settings = Settings(steps=3, batch=1, rate=0.01)
    whole = Training(EncoderTrainee(material, teacher, STUDENT), material.folder / "a", settings)
    expected = weights_of(whole.run(quiet))

    def stop(state, *_):
        if state.step == 2:
            raise KeyboardInterrupt

    often = Settings(steps=3, batch=1, rate=0.01, validate_minutes=0)
    first = Training(EncoderTrainee(material, teacher, STUDENT), material.folder / "b", often)
    with pytest.raises(KeyboardInterrupt):
        first.run(stop)
    second = EncoderTrainee(material, teacher, STUDENT)
    resumed = Training(second, material.folder / "b", often, resume=True)
    assert resumed.state.step == 2
    assert torch.equal(weights_of(resumed.run(quiet)), expected)


def test_embeddings_are_made_once_and_an_interruption_costs_one(photos, tmp_path):
    paths = sorted(photos.glob("p*.png"))[:5]
    stopped, rest, none = FakeTeacher(stop_after=3), FakeTeacher(), FakeTeacher()
    with pytest.raises(KeyboardInterrupt):
        keep_embeddings(tmp_path / "e", paths, stopped, quiet)
    found = keep_embeddings(tmp_path / "e", paths, rest, quiet)
    assert rest.asked == 2
    keep_embeddings(tmp_path / "e", paths, none, quiet)
    assert none.asked == 0
    for values, path in zip(found, paths, strict=True):
        assert values.dtype == np.float16
        mean = load_image(path)[0].mean() / 255
        assert float(values[0, 0, 0]) == pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize("name", ["embeddings.npy", "done.json"])
def test_damaged_embeddings_are_made_again(photos, tmp_path, name):
    paths = sorted(photos.glob("p*.png"))[:2]
    keep_embeddings(tmp_path / "e", paths, FakeTeacher(), quiet)
    file = tmp_path / "e" / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    again = FakeTeacher()
    found = keep_embeddings(tmp_path / "e", paths, again, quiet)
    assert again.asked == 2
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("teacher", "match"),
    [
        (FakeTeacher(shape=(1, 256, 32, 32)), r"fake has the shape \(1, 256, 32, 32\), and SAM's"),
        (FakeTeacher(value=1e6), "p00.png by fake holds numbers that are too large"),
        (FakeTeacher(value=float("nan")), "p00.png by fake holds numbers that are too large"),
    ],
)
def test_what_is_no_embedding_is_refused(photos, tmp_path, teacher, match):
    with pytest.raises(ValueError, match=match):
        keep_embeddings(tmp_path / "e", [photos / "p00.png"], teacher, quiet)


def test_a_full_disk_is_told_and_what_is_there_is_kept(photos, tmp_path, monkeypatch):
    paths = sorted(photos.glob("p*.png"))[:3]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(kept.os, "posix_fallocate", full)
        with pytest.raises(OSError, match=r"embeddings\.npy cannot be written: No space left"):
            keep_embeddings(tmp_path / "e", paths, FakeTeacher(), quiet)
    again = FakeTeacher()
    keep_embeddings(tmp_path / "e", paths, again, quiet)
    assert again.asked == 3


def test_bad_input_is_refused_in_one_line(distill, tmp_path, monkeypatch):
    spec = save_teacher(tmp_path / "teacher.safetensors", STUDENT)
    other = save_teacher(tmp_path / "other.safetensors", STUDENT, seed=8)
    whole = (tmp_path / "teacher.safetensors").read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").mkdir()

    def stop(*_):
        raise KeyboardInterrupt

    def line(*arguments, **options):
        result = distill("--steps", "1", *arguments, **options)
        assert result.exit_code == 1, result.output
        (message,) = (one for one in result.output.splitlines() if one.startswith("Error: "))
        return message

    assert "holds no image of at least 64x64" in line(data=tmp_path / "empty")
    assert "segmenter 'graph' has not SAM's interface" in line("--teacher", "graph")
    assert "cannot read" in line("--teacher", f"mobile_sam:weights={damaged}")
    assert "whose encoder has the student's size" in line(
        "--start", str(tmp_path / "other.safetensors")
    )
    monkeypatch.setattr("experiments.training.distilling.EncoderTrainee", stop)
    common = "--out", "out", "--student", "tiny", "--steps", "1"
    assert distill(*common, "--teacher", spec).exit_code == 1  # stopped in the preparation
    assert "out is of another training, with another teacher" in line(*common, "--teacher", other)
    (tmp_path / "out" / "settings.json").write_text('{"teach')
    assert "settings.json is damaged" in line(*common, "--teacher", spec)
    (tmp_path / "out" / CHECKPOINT).write_text("")
    assert "go on with --resume" in line(*common, "--teacher", spec)
    monkeypatch.setattr(kept.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert "embeddings take 0.0 GB" in line("--out", "more", "--teacher", spec)
