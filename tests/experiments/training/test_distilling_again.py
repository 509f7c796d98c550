"""``semcom distill`` in a folder that was used before, and with teachers that are not our own."""

from __future__ import annotations

import pytest
import torch
from PIL import Image as PilImage
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from experiments.training.distilling import build_teacher
from experiments.training.images import find_training_images
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam.encoder import SIZES
from tests.experiments.training.sam_teachers import STUDENT, save_teacher, state_of
from tests.experiments.training.test_distilling import distill, few_points

__all__ = ["distill", "few_points"]  # fixtures


@pytest.fixture
def few(photos):
    for extra in sorted(photos.glob("p*.png"))[3:]:
        extra.unlink()
    return photos


def refusal(done):
    assert done.exit_code == 1, done.output
    (message,) = (one for one in done.output.splitlines() if one.startswith("Error: "))
    return message


@pytest.mark.usefixtures("few")
def test_a_folder_says_what_it_was_prepared_from_and_for_how_long(distill, tmp_path):
    spec = save_teacher(tmp_path / "teacher.safetensors", STUDENT)
    common = "--student", "tiny", "--batch", "1", "--out", "out"
    done = distill(*common, "--teacher", spec, "--steps", "2", "--rate", "0.01")
    assert done.exit_code == 0, done.output
    assert "--rate 0.01" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    resume = *common, "--teacher", spec, "--resume"
    assert "with another rate" in refusal(distill(*resume, "--steps", "3"))
    again = distill(*resume, "--rate", "0.01")  # as long as before
    assert again.exit_code == 0, again.output
    with safe_open(tmp_path / "out" / "weights.safetensors", "pt") as stored:
        assert stored.metadata()["steps"] == "2"
    (tmp_path / "out" / "checkpoint.pt").unlink()
    # What was prepared serves any student and any seed, but no other teacher.
    assert distill(*common, "--teacher", spec, "--steps", "1", "--seed", "5").exit_code == 0
    (tmp_path / "out" / "checkpoint.pt").unlink()
    (tmp_path / "out" / "settings.json").unlink()
    other = save_teacher(tmp_path / "other.safetensors", STUDENT, seed=8)
    told = refusal(distill(*common, "--teacher", other, "--steps", "1"))
    assert "done.json was made for another training" in told


@pytest.mark.usefixtures("few")
def test_numbers_that_cannot_be_are_refused_before_anything_is_made(distill, tmp_path):
    spec = save_teacher(tmp_path / "teacher.safetensors", STUDENT)
    common = "--student", "tiny", "--teacher", spec
    assert "--minutes must be finite, got inf" in refusal(distill(*common, "--minutes", "inf"))
    assert "--rate must be finite, got nan" in refusal(
        distill(*common, "--steps", "1", "--rate", "nan")
    )
    assert distill(*common, "--steps", "1", "--seed", "1" + "0" * 20).exit_code == 2
    state = load_file(tmp_path / "teacher.safetensors")
    name = next(n for n in state if n.startswith("image_encoder.") and state[n].ndim == 4)
    save_file(state | {name: state[name] * torch.nan}, tmp_path / "nan.safetensors")
    save_file({n: x for n, x in state.items() if "neck.0" not in n}, tmp_path / "less.safetensors")
    start = *common, "--steps", "1", "--start"
    assert "not finite" in refusal(distill(*start, str(tmp_path / "nan.safetensors")))
    assert "does not fit the student" in refusal(
        distill(*start, str(tmp_path / "less.safetensors"))
    )
    assert not list(tmp_path.glob("semcom-training/student/[!.]*"))


class Whole:
    """A teacher that gives all of its weights as its decoder, and keeps gradients."""

    provenance = "whole"

    def __init__(self):
        self.state = state_of(STUDENT)
        low = {n: x.bfloat16() for n, x in self.state.items() if n.startswith("mask_decoder.")}
        self.state |= low

    def embed_image(self, image):
        return torch.full((1, 256, 64, 64), float(image.mean()) / 255, requires_grad=True)

    def decoder_state(self):
        return self.state


@pytest.mark.usefixtures("few")
def test_a_teacher_of_ones_own_teaches_its_decoder_only(distill, tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", STUDENT)
    whole = Whole()
    monkeypatch.setattr("experiments.training.distilling.build_teacher", lambda _: whole)
    done = distill("--student", "tiny", "--batch", "1", "--steps", "1", "--out", "out")
    assert done.exit_code == 0, done.output
    found = load_file(tmp_path / "out" / "weights.safetensors")
    given = {n: x for n, x in whole.state.items() if n.startswith("image_encoder.")}
    assert any(not torch.equal(found[n], x) for n, x in given.items())
    for name, x in whole.state.items():
        if name.startswith("mask_decoder."):
            assert torch.equal(found[name], x.float())


def test_a_function_may_build_a_teacher_but_not_anything_else(monkeypatch):
    nameless = type("Nameless", (), {"embed_image": None, "decoder_state": None})
    made = {"whole": Whole, "nameless": nameless}
    monkeypatch.setattr(SEGMENTERS, "load", lambda name: lambda: made[name]())
    monkeypatch.setattr(SEGMENTERS, "create", lambda name: made[name]())
    assert build_teacher("whole").provenance == "whole"
    with pytest.raises(ValueError, match="'nameless' has not SAM's interface"):
        build_teacher("nameless")


def test_every_image_file_is_used_or_listed(distill, photos):
    data = (photos / "p00.png").read_bytes()
    (photos / "q_mask.png").write_bytes(data)
    (photos / "road.jfif").write_bytes((photos / "broken.jpg").read_bytes())
    odd = photos / b"p\xe9.png".decode("utf-8", "surrogateescape")
    PilImage.open(photos / "p01.png").transpose(PilImage.Transpose.ROTATE_90).save(odd)
    told = refusal(distill("--steps", "1", "--teacher", "graph"))  # after the images were read
    assert "has not SAM's interface" in told
    found = find_training_images(photos)
    assert "q_mask.png: by its name, the mask of a picture that is not there" in found.skipped
    assert any(line.startswith("road.jfif: ") for line in found.skipped)
    assert odd in [*found.training, *found.validation]
