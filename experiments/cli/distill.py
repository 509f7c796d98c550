"""The command ``distill``: make a smaller encoder for a segmenter."""

from __future__ import annotations

from typing import Any

import click

from experiments.cli.options import examples, say
from experiments.cli.train import training_options

STUDENTS = ("mobile_sam", "small", "tiny")


@click.command(
    epilog=examples(
        "distill --data photos --student small --minutes 600",
        "distill --data photos --student small --minutes 600 --resume",
        "distill --data photos --teacher mobile_sam:weights=mine.pt --student tiny --steps 20000",
        "send photo.jpg --segmenter mobile_sam:weights=semcom-training/student/weights.safetensors",
    )
)
@training_options(
    "student",
    click.option(
        "--teacher",
        default="mobile_sam",
        show_default=True,
        metavar="NAME",
        help="Segmenter to learn from, with options; it must have SAM's interface.",
    ),
    click.option(
        "--student",
        type=click.Choice(STUDENTS),
        default="small",
        show_default=True,
        help="Size of the encoder to train: MobileSAM's own (5.7 million parameters), small (1.9 "
        "million) or tiny (0.9 million).",
    ),
    click.option(
        "--start",
        default="",
        metavar="WEIGHTS",
        show_default="random",
        help="File of a segmenter whose encoder to start from.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(1, 1024),
        help="Images in each step.  [default: 2; on a GPU, 8]",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(0, 1, min_open=True),
        default=1e-3,
        show_default=True,
        help="Learning rate at its highest.",
    ),
)
def distill(
    *,
    minutes: float | None,
    steps: int | None,
    seed: int,
    device: str,
    batch: int | None,
    rate: float,
    **options: Any,
) -> None:
    """Train a smaller image encoder for a segmenter with SAM's interface.

    The teacher embeds each image once, and the embeddings are kept on disk. The student, a small
    encoder, then learns to give the same embeddings. It takes over the teacher's prompt encoder and
    mask decoder unchanged. The command writes a checkpoint every two minutes, and a killed run
    continues with --resume.
    """
    from experiments.training.distilling import Request
    from experiments.training.distilling import distill as start_distilling
    from experiments.training.loop import Settings
    from experiments.training.session import length_before

    settings = Settings.asked(
        length_before(options["out"]) if options["resume"] else {},
        minutes=minutes,
        steps=steps,
        seed=seed,
        device=device,
        batch=batch or (8 if device.startswith("cuda") else 2),
        rate=rate,
    )
    click.echo(start_distilling(Request(settings=settings, **options), say))
