"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import Field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import click

from experiments.cli.parameter_types import BOX, POINT, RATIO, THETA
from semcom.errors import InputError
from semcom.link.options import LinkOptions


def _some_image(
    _ctx: click.Context, _param: click.Parameter, paths: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Refuse the images if none of them can be read, before anything that takes seconds."""
    from semcom.images import find_images, peek

    errors = []
    for path in find_images(list(paths)):
        try:
            peek(path)
        except InputError as error:
            errors.append(str(error))
        else:
            return paths
    raise InputError("\n".join(["none of these images can be read:"] * (len(errors) > 1) + errors))


some_images = click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), callback=_some_image
)
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the records as JSON, one per line."
)


def examples(*commands: str) -> str:
    """Return the examples that end a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  semcom {command}" for command in commands)


def say(*notes: str) -> None:
    """Print notes to the error stream, which keeps the output clean."""
    for note in notes:
        click.echo(note, err=True)


def what_matters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select the region; the command gets them as ``region_options``."""

    @functools.wraps(command)
    def checked(
        *,
        segmenter: str,
        detector: str,
        mask: str | None,
        theta: float | Literal["auto"],
        importance: str,
        **others: Any,
    ) -> None:
        from semcom.importance.region import RegionOptions
        from semcom.types import Prompts

        prompts = Prompts(others.pop("points"), others.pop("boxes"), others.pop("text"))
        region_options = RegionOptions(
            segmenter, prompts, mask, theta, importance, detector=detector
        )
        command(region_options=region_options, **others)

    return _with_options(checked, _WHAT_MATTERS)


def the_link(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of codec and link; the command gets them as ``sending``."""

    @functools.wraps(command)
    def checked(*, codec: str, cbr: Fraction, seed: int, **others: Any) -> None:
        options = {option.name: others.pop(option.name) for option in fields(LinkOptions)}
        _check_names(codec, options["channel"], options["losses"])
        from semcom.codecs.base import CODECS
        from semcom.link.config import LinkConfig

        CODECS.parse(codec)
        sending = {"codec": codec, "cbr": cbr, "link": LinkConfig(**options), "seed": seed}
        command(sending=sending, **others)

    return _with_options(checked, _THE_LINK)


def _check_names(codec: str, channel: str, losses: str) -> None:
    """Refuse misspelt names at once, because importing torch takes seconds."""
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
        help="Segmenter to use; auto: MobileSAM if its weights are present, else graph, which "
        "follows contrast and needs no weights.",
    ),
    click.option(
        "--point",
        "points",
        multiple=True,
        type=POINT,
        metavar="X,Y",
        help="Mark the object at this pixel as important (repeatable).",
    ),
    click.option(
        "--box",
        "boxes",
        multiple=True,
        type=BOX,
        metavar="X0,Y0,X1,Y1",
        help="Mark the object in this box as important (repeatable).",
    ),
    click.option(
        "--text",
        default="",
        metavar="TEXT",
        show_default="none",
        help='Mark the objects that words name as important, such as "the dog; the rider".',
    ),
    click.option(
        "--detector",
        default="grounding_dino",
        show_default=True,
        metavar="NAME",
        help="Detector that finds what --text names, with options.",
    ),
    click.option(
        "--mask",
        type=click.Path(),
        metavar="FILE",
        help="Read masks from a file instead of segmenting: PNG, NPY, COCO or labelme JSON, …; "
        "'beside' takes NAME_mask.png beside each image, or masks/NAME.png beside images/.",
    ),
    click.option(
        "--theta",
        type=THETA,
        default=0.65,
        show_default=True,
        help="Share θ of the total weight that the important region gets, in (0, 1); auto: 0.65, "
        "and nearer to blind where the segmenter is not sure of its masks.",
    ),
    click.option(
        "--importance",
        default="region",
        show_default=True,
        metavar="KIND",
        help="region: weigh all masks alike; graded: weigh them by rank.",
    ),
)


def _link_option(option: Field[Any]) -> Callable[[Any], Any]:
    """Make an option of the command line from an option of the link."""
    about = option.metadata
    name = about.get("axis", option.name).replace("_", "-")
    unset = about.get("unset")
    return click.option(
        f"--{name}",
        option.name,
        default=option.default,
        type=float if option.default is None else None,
        show_default=unset or True,
        metavar=about.get("metavar"),
        help=about["help"],
    )


_THE_LINK = (
    click.option(
        "--codec",
        default="hevc",
        show_default=True,
        metavar="NAME",
        help="Codec to use, with options, such as hevc:tiles=2x2.",
    ),
    click.option(
        "--cbr",
        default="1/16",
        show_default=True,
        type=RATIO,
        help="Channel bandwidth ratio: channel uses allowed per source sample, such as 0.0625 or "
        "1/16.",
    ),
    *map(_link_option, fields(LinkOptions)),
    click.option("--seed", default=0, show_default=True, help="Seed for fading and noise."),
)


def _there(_ctx: click.Context, _param: click.Parameter, results: Path) -> Path:
    """Refuse a missing results file before anything that takes seconds."""
    from experiments.store.schema import results_file

    if not (file := results_file(results)).exists():
        raise InputError(f"{file}: no such results file")
    return results


def of_results(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument ``results`` and the options that choose a run in that file."""
    return _with_options(
        command,
        (
            click.argument("results", type=click.Path(path_type=Path), callback=_there),
            click.option(
                "--suite",
                default="",
                metavar="NAME",
                help="Choose one of several suites.  [default: the latest]",
            ),
            click.option(
                "--run",
                default="",
                metavar="ID",
                help="Choose one of several runs, by the start of its id.  [default: the latest]",
            ),
            click.option(
                "--all-images",
                is_flag=True,
                help="Use the images of all runs of the suite that the file holds.",
            ),
        ),
    )


def out_option(default: str) -> Callable[[Any], Any]:
    """Build the option for the folder that receives the results."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        metavar="DIR",
        help="Folder for the results; files of the same name are replaced.",
    )
