"""The training of a codec, from a folder of images to weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from channels.owner import expanded
from experiments.training.images import TrainingImages
from experiments.training.kept import check_room
from experiments.training.loop import Settings, Training
from experiments.training.models.jscc import JsccTrainee
from experiments.training.models.restorer import RestorerTrainee
from experiments.training.models.sam_sc import SamScTrainee
from experiments.training.models.tiny import TinyTrainee
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
from semcom.codecs.jscc import weights as jscc_weights
from semcom.codecs.restorer import restorer
from semcom.codecs.restorer.restorable import RESTORABLE
from semcom.codecs.sam_sc import weights as sam_sc_weights
from semcom.codecs.tiny import weights as tiny_weights
from semcom.hashes import sha256_of

SHIPPED = "shipped"
"""Weights to start from that stand for those of the package."""


class Trainable(NamedTuple):
    """A model that can be trained."""

    about: str
    trainee: type[JsccTrainee] | type[RestorerTrainee] | type[TinyTrainee] | type[SamScTrainee]
    load: Callable[[str], Any]
    """Reads a file of weights, or with an empty path those of the package."""
    shipped: str
    """SHA-256 of the weights of the package."""
    scores: str
    """What the scores of its validation are."""


TRAINABLE = {
    "jscc": Trainable(
        "the receiver's network and the side information's code of codec jscc",
        JsccTrainee,
        jscc_weights.load,
        jscc_weights.SHA256,
        "Mean PSNR in dB of squares that are not trained on, by CBR and SNR",
    ),
    "restorer": Trainable(
        f"the network behind the decoders of {', '.join(RESTORABLE)}, for restore=true",
        RestorerTrainee,
        restorer.load,
        restorer.SHA256,
        "Mean gain in PSNR in dB over the codec alone, for squares that are not trained on, by "
        "codec and its quality, QP, bits per pixel or SNR",
    ),
    "tiny": Trainable(
        "the receiver's network and the entropy coder's tables of codec tiny",
        TinyTrainee,
        tiny_weights.load,
        tiny_weights.SHA256,
        "Mean gain in PSNR in dB over the codec without its network, for squares that are not "
        "trained on, by level of the quantiser's step",
    ),
    "sam_sc": Trainable(
        "both halves of the network of codec sam_sc",
        SamScTrainee,
        sam_sc_weights.load,
        sam_sc_weights.SHA256,
        "Mean PSNR in dB of squares that are not trained on, by CBR and SNR, without side "
        "information",
    ),
}


class Request(NamedTuple):
    """What a user asks for."""

    model: str
    """A name in :data:`TRAINABLE`."""
    data: Path
    out: Path
    settings: Settings
    pairs: int
    resume: bool
    start: str = ""
    """File of weights to start from, or :data:`SHIPPED`."""


def train(request: Request, say: Callable[[str], None]) -> Path:
    """Train a model, and return the file of its weights.

    Raises
    ------
    ValueError
        The folder holds no images, another training or one that diverges, or nothing is to be done.
    """
    settings, model = request.settings, TRAINABLE[request.model]
    folders = Folders(request.data, request.out, request.resume)
    with opened(folders, settings) as source:
        start = "" if request.start == SHIPPED else request.start
        started = model.load(start) if request.start else None
        prepared = {
            "model": request.model,
            "images": source.digest,
            "pairs": request.pairs,
            "seed": settings.seed,
        }
        about = {**prepared, "batch": settings.batch, "device": settings.device.partition(":")[0]}
        if request.start:
            about["start"] = sha256_of(expanded(start)) if start else model.shipped
        check_room(request.out / "pairs", request.pairs, model.trainee.bytes_each())
        identify(request.out, prepared, source)
        for line in plan(request, source.images):
            say(line)
        with Display(say) as display:
            material = Material(
                request.out, source.images, request.pairs, settings.seed, display.prepare
            )
            trainee = model.trainee(material, started)
            training = Training(trainee, request.out, settings, resume=request.resume, about=about)
            keep_length(request.out, settings)
            network = training.run(display.step)
        facts = {
            "model": request.model,
            "command": f"semcom train {request.model}",
            "scores": model.scores,
            **({"start": str(about["start"])} if request.start else {}),
        }
        return finish(training, network, folders, source, facts)


def plan(request: Request, images: TrainingImages) -> list[str]:
    """Describe what will be done."""
    settings = request.settings
    return [
        *describe_images(images),
        f"{request.pairs:,} pairs of sent and received squares, {settings.batch} crops a step, "
        f"{describe_length(settings)} on {settings.device}, seed {settings.seed}",
        *([f"starting from the weights {request.start}"] if request.start else []),
        f"checkpoints, curve and weights in {request.out}",
    ]
