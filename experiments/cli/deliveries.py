"""The commands that send images, ``send``, ``compare``, ``segment`` and ``demo``; ``distance``."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.cli.options import (
    as_json_option,
    examples,
    out_option,
    say,
    some_images,
    the_link,
    what_matters,
)

if TYPE_CHECKING:
    from semcom.api import Order
    from semcom.importance.region import RegionOptions


@click.command()
@out_option("semcom-demo")
def demo(out: Path) -> None:
    """Send a bundled photo twice, blind and by importance, and draw the received pictures."""
    from experiments.deliveries.demo import demo as run

    run(out, say=say)


def _order(command: Callable[..., None], *, link: bool) -> Callable[..., None]:
    """Add the options of picture, region and maybe link; the command gets them as ``order``."""

    @functools.wraps(command)
    def checked(
        *,
        max_side: int | None,
        disturb: str,
        severity: int | None,
        region_options: RegionOptions,
        sending: dict[str, Any] | None = None,
        scores: str = "",
        **others: Any,
    ) -> None:
        from semcom.api import Order, disturb_of, scores_of
        from semcom.scores.base import split_specs

        how = disturb_of(disturb=disturb, severity=severity)
        if sending is not None:
            sending["scores"] = scores_of(split_specs(scores), region_options)
        command(order=Order(region_options, max_side, sending or {}, how), **others)

    made = what_matters(the_link(checked) if link else checked)
    for option in (*[_scores] * link, _severity, _disturb, _max_side):
        made = option(made)
    return made


_picture = functools.partial(_order, link=False)
_picture_and_link = functools.partial(_order, link=True)


_max_side = click.option(
    "--max-side",
    type=click.IntRange(min=16),
    metavar="N",
    help="Shrink each image before anything else so that its longer side has at most N pixels.",
)
_disturb = click.option(
    "--disturb",
    default="",
    metavar="NAME",
    show_default="none",
    help="Disturb the picture that the camera sees, such as fog; see semcom list disturbances.",
)
_scores = click.option(
    "--scores",
    default="",
    metavar="NAMES",
    show_default="none",
    help="Compute further scores of the received picture, such as fsim,mask_iou; see semcom list "
    "scores.",
)
_severity = click.option(
    "--severity",
    type=int,
    metavar="1-5",
    show_default="3",
    help="Severity of the disturbance.",
)


@click.command(epilog=examples("send photo.jpg", "send photos/ --snr-db 4 --cbr 1/24 --blind"))
@some_images
@_picture_and_link
@click.option(
    "--blind",
    is_flag=True,
    help="Weigh all pixels alike when encoding; the regions are still scored.",
)
@out_option("semcom-out")
@as_json_option
def send(
    images: tuple[Path, ...],
    order: Order,
    blind: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Send IMAGES (files or folders) across a channel and score the received pictures.

    For each image, the command writes the received picture, a figure and a JSON record into the
    --out folder. Run "semcom list" to see the available codecs, channels and segmenters.
    """
    from experiments.deliveries.send_files import send_files

    order.sending["blind"] = blind
    failed = send_files(images, out, order, tell=_tell(as_json), say=say)
    _end(failed, "sent")


@click.command(epilog=examples("compare photo.jpg", "compare photos/ --mask beside --cbr 1/24"))
@some_images
@_picture_and_link
@out_option("semcom-out")
@as_json_option
def compare(
    images: tuple[Path, ...],
    order: Order,
    out: Path,
    as_json: bool,
) -> None:
    """Send IMAGES blind and by importance within the same bandwidth, and show the gain.

    Blind means that all pixels weigh alike. For each image, the command writes both received
    pictures, their records and a figure into the --out folder. The table's θ-PSNR weighs the mean
    squared error inside the region by θ (--theta) and the error outside by 1-θ.
    """
    from experiments.deliveries.compare import compare_files

    order.sending["blind"] = False
    failed = compare_files(images, out, order, tell=_tell(as_json), say=say)
    _end(failed, "sent")


@click.command(epilog=examples("segment photo.jpg", "segment photo.jpg --point 320,200"))
@some_images
@_picture
@out_option("semcom-out")
@as_json_option
def segment(
    images: tuple[Path, ...],
    order: Order,
    out: Path,
    as_json: bool,
) -> None:
    """Find the important region in IMAGES without sending anything.

    For each image, the command writes the region (in a form that --mask accepts), every mask that
    the segmenter found, and a figure into the --out folder.
    """
    from experiments.deliveries.segment import segment_files

    failed = segment_files(images, out, order, tell=_tell(as_json), say=say)
    _end(failed, "segmented")


_folder = functools.partial(click.argument, type=click.Path(path_type=Path))


@click.command(epilog=examples("distance photos/ semcom-out/", "distance photos/ mine/ --patch 0"))
@_folder("originals")
@_folder("received")
@click.option(
    "--patch",
    type=int,
    default=256,
    show_default=True,
    metavar="N",
    help="Cut the pictures into patches of NxN pixels, on two grids; 0: take whole pictures.",
)
@click.option(
    "--weights",
    default="",
    metavar="FILE",
    show_default="fetched on first use, 96 MB",
    help="Weights of the Inception network.",
)
@as_json_option
def distance(originals: Path, received: Path, patch: int, weights: str, as_json: bool) -> None:
    """Compute FID and KID between two folders of pictures, ORIGINALS and RECEIVED.

    Each original needs a received picture of the same name and size, or those that "semcom send"
    and "semcom compare" wrote into RECEIVED. Install the extra scores.
    """
    from experiments.deliveries.distance import measure_folders

    tell = _tell(as_json)
    measure_folders(originals, received, patch=patch, weights=weights, tell=tell, say=say)


def _tell(as_json: bool) -> Callable[[dict[str, Any]], None] | None:
    return (lambda record: click.echo(json.dumps(record))) if as_json else None


def _end(failed: int, done: str) -> None:
    """End with status 1 if an image failed; its error has already been reported."""
    if failed:
        raise click.ClickException(f"{failed} image{'s' * (failed > 1)} could not be {done}")
