"""The command ``train``: make the weights of learned codecs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from experiments.cli.options import examples, say


def _list(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value:
        return
    from experiments.training.run import TRAINABLE

    for name, model in TRAINABLE.items():
        click.echo(f"{name}: {model.about}")
    ctx.exit()


@click.group()
@click.option(
    "--list",
    "listed",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="List what can be trained.",
)
def train() -> None:
    """Train a learned codec on your own images."""


def training_options(
    name: str, *more: Callable[[Callable[..., None]], Callable[..., None]]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options that all trainings have, and more behind them."""
    options: list[Callable[[Callable[..., None]], Callable[..., None]]] = [
        click.option(
            "--data",
            required=True,
            type=click.Path(path_type=Path),
            help="Folder of images; a manifest.json in it may name the source of each.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            default=Path("semcom-training") / name,
            show_default=True,
            help="Folder for checkpoints, curve, weights and model card.",
        ),
        click.option(
            "--minutes",
            type=float,
            help="Time to train, over all sessions.  [default: 60; with --resume, as before]",
        ),
        click.option(
            "--steps", type=click.IntRange(min=1), help="Steps to train, instead of a time."
        ),
        click.option("--resume", is_flag=True, help="Continue from the checkpoint."),
        click.option("--device", default="cpu", show_default=True, help="Device, such as cuda."),
        click.option(
            "--seed",
            type=click.IntRange(0, (1 << 63) - 1),
            default=0,
            show_default=True,
            help="Random seed.",
        ),
        *more,
    ]

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _options(model: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options that the trainings of all codecs have."""
    return training_options(
        model,
        click.option(
            "--start",
            default="",
            metavar="WEIGHTS",
            show_default="random",
            help="Weights to start from: a file, or shipped for those of the package.",
        ),
        click.option(
            "--pairs",
            type=click.IntRange(min=1),
            default=2400,
            show_default=True,
            help="Training pairs to make.",
        ),
    )


@train.command(
    epilog=examples(
        "train jscc --data photos --minutes 60",
        "train jscc --data photos --minutes 60 --resume",
        "train jscc --data my-domain --minutes 20 --start shipped --out my-training",
        "send photo.jpg --codec jscc:weights=semcom-training/jscc/weights.safetensors",
    )
)
@_options("jscc")
def jscc(**options: Any) -> None:
    """Train codec jscc.

    A square of each image is sent and received by the codec without its network. The network then
    learns to repair what was received. The images are divided by source into those to train on and
    those to validate on. The command writes a checkpoint every two minutes, and a killed training
    continues with --resume.
    """
    _train("jscc", **options)


@train.command(epilog=examples("train restorer --data photos --minutes 60"))
@_options("restorer")
def restorer(**options: Any) -> None:
    """Train the network that restores pictures of other codecs.

    A square of each image is coded by one of these codecs, and the network learns to repair what
    was decoded. The codecs use it with restore=true.
    """
    _train("restorer", **options)


@train.command(
    epilog=examples(
        "train tiny --data photos --minutes 60",
        "send photo.jpg --codec tiny:weights=semcom-training/tiny/weights.safetensors",
    )
)
@_options("tiny")
def tiny(**options: Any) -> None:
    """Train codec tiny.

    The tables of its entropy coder are fitted to a square of each image. A square of each image is
    then coded at a random quality, and the network learns to repair what was decoded.
    """
    _train("tiny", **options)


@train.command(
    "sam_sc",
    epilog=examples(
        "train sam_sc --data photos --minutes 60",
        "send photo.jpg --codec sam_sc:weights=semcom-training/sam_sc/weights.safetensors",
    ),
)
@_options("sam_sc")
def sam_sc(**options: Any) -> None:
    """Train codec sam_sc.

    Both halves of the network are trained together, through a random channel, on squares of the
    images. At the end, the command measures the error that each number of symbols leaves.
    """
    _train("sam_sc", **options)


def _train(
    model: str,
    *,
    minutes: float | None,
    steps: int | None,
    seed: int,
    device: str,
    **options: Any,
) -> None:
    from experiments.training.loop import Settings
    from experiments.training.run import Request
    from experiments.training.run import train as start_training
    from experiments.training.session import length_before

    settings = Settings.asked(
        length_before(options["out"]) if options["resume"] else {},
        minutes=minutes,
        steps=steps,
        seed=seed,
        device=device,
        batch=64 if device.startswith("cuda") else 10,
    )
    click.echo(start_training(Request(model=model, settings=settings, **options), say))
