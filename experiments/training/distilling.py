"""The distillation of a segmenter with SAM's interface, from a folder of images to weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import Tensor

from channels.owner import expanded
from experiments.training.embeddings import BYTES_EACH, check_room_for_embeddings
from experiments.training.images import TrainingImages
from experiments.training.loop import Settings, Training
from experiments.training.models.encoder import EncoderTrainee, decoder_of
from experiments.training.refining import Material
from experiments.training.session import (
    Display,
    Folders,
    describe_images,
    describe_length,
    finish,
    identify,
    keep_length,
    opened,
)
from semcom.checkpoints.download import load_state_dict
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam.encoder import (
    PREFIX,
    SIZES,
    EncoderSize,
    build_encoder,
    size_of,
)
from semcom.segmenters.mobile_sam.network import import_mobile_sam
from semcom.segmenters.sam_teacher import SamTeacher

_SCORES = (
    "On images that are not trained on, the ratio of the variance of the teacher's embeddings to "
    "the error in dB, and the mean IoU with the teacher's masks"
)
_METHODS = ("embed_image", "decoder_state")


class Request(NamedTuple):
    """What a user asks for."""

    teacher: str
    """A segmenter with options."""
    student: str
    """A name in :data:`semcom.segmenters.mobile_sam.encoder.SIZES`."""
    data: Path
    out: Path
    settings: Settings
    resume: bool
    start: str = ""
    """File of a segmenter whose encoder to start from."""


def distill(request: Request, say: Callable[[str], None]) -> Path:
    """Distil a teacher into a student, and return the file of the student.

    Raises
    ------
    ValueError
        The teacher has not SAM's interface, the folder holds no images, another distillation or one
        that diverges, or nothing is to be done.
    """
    settings, size = request.settings, SIZES[request.student]._replace(classes=0)
    folders = Folders(request.data, request.out, request.resume)
    with opened(folders, settings) as source:
        start = _encoder_of(expanded(request.start), size) if request.start else None
        check_room_for_embeddings(request.out / "training", len(source.images.training))
        teacher = build_teacher(request.teacher)
        prepared = {"teacher": _identity(teacher), "images": source.digest}
        about = {
            **prepared,
            "student": request.student,
            "seed": settings.seed,
            "batch": settings.batch,
            "rate": settings.rate,
            "device": settings.device.partition(":")[0],
        }
        if request.start:
            about["start"] = sha256_of(expanded(request.start))
        identify(request.out, prepared, source)
        for line in plan(request, source.images):
            say(line)
        with Display(say) as display:
            count = len(source.images.training)
            material = Material(request.out, source.images, count, settings.seed, display.prepare)
            trainee = EncoderTrainee(material, teacher, size, start)
            training = Training(trainee, request.out, settings, resume=request.resume, about=about)
            keep_length(request.out, settings)
            network = training.run(display.step)
        facts = {
            "model": f"mobile_sam, encoder {request.student}",
            "command": f"semcom distill --teacher {request.teacher} --student {request.student} "
            f"--rate {settings.rate:g}",
            "teacher": str(about["teacher"]),
            "scores": _SCORES,
            "unit": "images",
            **({"start": str(about["start"])} if request.start else {}),
        }
        return finish(training, network, folders, source, facts)


def build_teacher(spec: str) -> SamTeacher:
    """Build the segmenter to learn from.

    Raises
    ------
    ValueError
        There is no such segmenter, it lacks weights, or it has not SAM's interface.
    """
    kind: Any = SEGMENTERS.load(spec.partition(":")[0])
    # Of a class, this is known before it looks for its weights; a function has to be called.
    able = _is_teacher(kind) or not isinstance(kind, type)
    teacher: Any = SEGMENTERS.create(spec) if able else None
    if not _is_teacher(teacher) or not hasattr(teacher, "provenance"):
        able_ones = ", ".join(name for name in SEGMENTERS.names() if _can_teach(name))
        raise InputError(
            f"segmenter {spec!r} has not SAM's interface (methods {' and '.join(_METHODS)}, and "
            f"the attribute provenance); choices: {able_ones}"
        )
    return cast("SamTeacher", teacher)


def _is_teacher(kind: Any) -> bool:
    return all(hasattr(kind, method) for method in _METHODS)


def _can_teach(name: str) -> bool:
    try:
        return not SEGMENTERS.entry(name).missing and _is_teacher(SEGMENTERS.load(name))
    except InputError:  # another plug-in that cannot be imported
        return False


def _identity(teacher: SamTeacher) -> str:
    """Describe a teacher with the hashes of its file and of its decoder."""
    sha256 = hashlib.sha256()
    for name, tensor in sorted(decoder_of(teacher).items()):
        sha256.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return f"{teacher.provenance}, decoder {sha256.hexdigest()[:16]}"


def _encoder_of(file: Path, size: EncoderSize) -> Mapping[str, Tensor]:
    """Return the weights of an encoder of this size, without its classifier."""
    state = load_state_dict(file)
    found = size_of(state)
    if found is None or found._replace(classes=0) != size:
        raise InputError(f"{file} does not hold a MobileSAM whose encoder has the student's size")
    named = {name.removeprefix(PREFIX): x for name, x in state.items() if name.startswith(PREFIX)}
    encoder = {name: x for name, x in named.items() if not name.startswith("head.")}
    import_mobile_sam()
    wanted = build_encoder(size).state_dict()
    for name in sorted(wanted.keys() | encoder.keys()):
        given = encoder.get(name)
        if name not in wanted or given is None or given.shape != wanted[name].shape:
            raise InputError(f"{file} does not fit the student: its {PREFIX}{name} differs")
        if not given.isfinite().all():
            raise InputError(f"{file} holds numbers that are not finite, in {PREFIX}{name}")
    return encoder


def plan(request: Request, images: TrainingImages) -> list[str]:
    """Describe what will be done."""
    settings = request.settings
    size = BYTES_EACH * len(images.training) / 1e9
    return [
        *describe_images(images),
        f"embeddings of {request.teacher}, {size:.1f} GB, for a student of size {request.student}; "
        f"{settings.batch} images a step, {describe_length(settings)} on {settings.device}, seed "
        f"{settings.seed}",
        *([f"starting from the encoder of {request.start}"] if request.start else []),
        f"embeddings, checkpoints, curve and weights in {request.out}",
    ]
