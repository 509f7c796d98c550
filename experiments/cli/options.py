"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from experiments.cli.parameter_types import Numbers, Ratio


def _some_image(
    _ctx: click.Context, _param: click.Parameter, paths: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Refuse images of which none can be read, before anything that takes seconds."""
    from semcom.images import find_images, peek

    errors = []
    for path in find_images(list(paths)):
        try:
            peek(path)
        except ValueError as error:
            errors.append(str(error))
        else:
            return paths
    raise ValueError("\n".join(["none of these can be read:"] * (len(errors) > 1) + errors))


some_images = click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), callback=_some_image
)
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the records, one line of JSON each."
)


def examples(*commands: str) -> str:
    """Return what a command's help ends with."""
    return "\b\nExamples:\n" + "\n".join(f"  semcom {command}" for command in commands)


def say(*notes: str) -> None:
    """Tell the user something on the error stream, which keeps the output clean."""
    for note in notes:
        click.echo(note, err=True)


def what_matters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what matters; the command gets them as ``region_options``."""

    @functools.wraps(command)
    def checked(
        *,
        segmenter: str,
        points: tuple[tuple[float, float], ...],
        boxes: tuple[tuple[float, float, float, float], ...],
        mask: str | None,
        theta: float,
        importance: str,
        **others: Any,
    ) -> None:
        from semcom.importance.region import RegionOptions
        from semcom.types import Prompts

        region_options = RegionOptions(segmenter, Prompts(points, boxes), mask, theta, importance)
        command(region_options=region_options, **others)

    return _with_options(checked, _WHAT_MATTERS)


def the_link(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of codec and channel; the command gets the channel's as ``link``."""

    @functools.wraps(command)
    def checked(
        *,
        codec: str,
        channel: str,
        snr_db: float,
        csi: Any,
        pilots: int,
        scheme: str,
        protection: Any,
        copies: int,
        planned_snr_db: float | None,
        planned_std_db: float,
        losses: str,
        **others: Any,
    ) -> None:
        _check_names(codec, channel, losses)
        from semcom.codecs.base import CODECS
        from semcom.link.config import LinkConfig

        CODECS.parse(codec)
        link = LinkConfig(
            channel,
            snr_db,
            csi,
            pilots,
            scheme=scheme,
            protection=protection,
            copies=copies,
            planned_snr_db=planned_snr_db,
            planned_std_db=planned_std_db,
            losses=losses,
        )
        command(link=link, codec=codec, **others)

    return _with_options(checked, _THE_LINK)


def _check_names(codec: str, channel: str, losses: str) -> None:
    """Refuse typing errors at once: importing torch takes seconds."""
    from channels.catalogue import CHANNELS, PACKET_CHANNELS
    from semcom.codecs.base import CODECS

    named = [(CODECS, codec), (CHANNELS, channel), *([(PACKET_CHANNELS, losses)] if losses else [])]
    for registry, spec in named:
        registry.entry(spec.partition(":")[0])  # options would have to be imported


def _with_options(
    command: Callable[..., None], decorators: tuple[Callable[[Any], Any], ...]
) -> Callable[..., None]:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


_WHAT_MATTERS = (
    click.option(
        "--segmenter",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Who finds the segments; auto: MobileSAM where its weights are, else graph.",
    ),
    click.option(
        "--point",
        "points",
        multiple=True,
        type=Numbers("X,Y", 2),
        metavar="X,Y",
        help="What is at this pixel matters (repeatable).",
    ),
    click.option(
        "--box",
        "boxes",
        multiple=True,
        type=Numbers("X0,Y0,X1,Y1", 4),
        metavar="X0,Y0,X1,Y1",
        help="What is in this box matters (repeatable).",
    ),
    click.option(
        "--mask",
        type=click.Path(),
        metavar="FILE",
        help="Masks from a file instead of a segmenter: PNG, NPY, COCO or labelme JSON, …; "
        "'beside' takes NAME_mask.png beside each image.",
    ),
    click.option(
        "--theta",
        default=0.65,
        show_default=True,
        help="Share of the weight that the region gets, in (0, 1).",
    ),
    click.option(
        "--importance",
        default="region",
        show_default=True,
        metavar="KIND",
        help="region: all masks alike; graded: by rank.",
    ),
)

_THE_LINK = (
    click.option(
        "--codec",
        default="hevc",
        show_default=True,
        metavar="NAME",
        help="How the image is encoded, with options: hevc:tiles=2x2.",
    ),
    click.option(
        "--channel",
        default="awgn",
        show_default=True,
        metavar="NAME",
        help="What it crosses, with options: rician:k_db=9.",
    ),
    click.option("--snr-db", default=10.0, show_default=True, help="Mean Es/N0 in dB."),
    click.option(
        "--cbr",
        default="1/16",
        show_default=True,
        type=Ratio(),
        help="Channel uses allowed per source sample: 0.0625 or 1/16.",
    ),
    click.option(
        "--csi",
        default="perfect",
        show_default=True,
        metavar="KIND",
        help="perfect: the receiver knows the fading; pilots: it estimates it.",
    ),
    click.option(
        "--pilots", default=8, show_default=True, help="Pilots per block, for --csi pilots."
    ),
    click.option(
        "--scheme",
        default="",
        metavar="NAME",
        help="Fixed modulation and code rate, by name or number of semcom mcs.  "
        "[default: chosen by the SNR]",
    ),
    click.option(
        "--protection",
        default="equal",
        show_default=True,
        metavar="KIND",
        help="equal: all packets are equally safe; unequal: what matters more is sent more "
        "robustly, for the least expected error; graceful: for the highest expected PSNR.",
    ),
    click.option(
        "--copies", default=1, show_default=True, help="How often every packet is sent, 1 to 4."
    ),
    click.option(
        "--planned-snr-db",
        type=float,
        metavar="DB",
        help="What the sender takes for the mean SNR.  [default: what it is]",
    ),
    click.option(
        "--planned-std-db",
        default=0.0,
        show_default=True,
        metavar="DB",
        help="How unsure of it the sender is: standard deviation, as of shadowing.",
    ),
    click.option(
        "--losses",
        default="",
        metavar="NAME",
        help="Packets are lost besides: a packet channel such as packet_erasure:p=0.1.",
    ),
    click.option("--seed", default=0, show_default=True, help="Of fading and noise."),
)


def _there(_ctx: click.Context, _param: click.Parameter, results: Path) -> Path:
    """Refuse results that are not there, before anything that takes seconds."""
    file = results / "results.db" if results.is_dir() else results
    if not file.exists():
        raise ValueError(f"{file}: no such results file")
    return results


def of_results(command: Callable[..., None]) -> Callable[..., None]:
    """Add what commands that read a results file take: ``results``, and which run of it."""
    return _with_options(
        command,
        (
            click.argument("results", type=click.Path(path_type=Path), callback=_there),
            click.option(
                "--suite",
                default="",
                metavar="NAME",
                help="One of several suites.  [default: the latest]",
            ),
            click.option(
                "--run",
                default="",
                metavar="ID",
                help="One of several runs, by the beginning of its id.  [default: the latest]",
            ),
            click.option(
                "--all-images",
                is_flag=True,
                help="All images that the file has under the suite's settings, of any run.",
            ),
        ),
    )


def out_option(default: str) -> Callable[[Any], Any]:
    """Build the option for the folder that results go to."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        metavar="DIR",
        help="Folder for the results; files of the same name are replaced.",
    )
