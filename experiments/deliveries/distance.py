"""``semcom distance``: FID and KID between a folder of originals and one of received pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tqdm.auto import tqdm

from experiments.deliveries.record_table import SYSTEMS
from experiments.deliveries.send_files import output_names
from semcom.errors import InputError
from semcom.image_files import FOLDER, why_no_file
from semcom.images import images_in, load_image
from semcom.scores.sets.distance import distance_of
from semcom.scores.sets.inception import features_of, inception
from semcom.scores.sets.kernel import SUBSETS, subset_size
from semcom.scores.sets.patches import check_side, patches
from semcom.types import Image

_ENDINGS = {
    "": "received",
    "_received": SYSTEMS["importance"],
    "_blind_received": SYSTEMS["blind"],
}
"""What follows an original's name in the name of its received picture, for each system."""
_FIGURES = ("_figure", "_comparison", "_masks")


def measure_folders(
    originals: Path,
    received: Path,
    *,
    patch: int,
    weights: str,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> None:
    """Compute FID and KID of every system whose pictures are in a folder.

    Parameters
    ----------
    originals
        Folder of pictures.
    received
        Folder in which each of them has a counterpart of the same size: a picture of the same
        name, with any ending, or those that ``semcom send`` and ``semcom compare`` write.
    patch
        Side of the patches in pixels; 0 takes whole pictures.
    weights
        File with the weights of the network; empty for the official one.
    tell
        Function that receives the record of each system; without it, a table is printed.
    say
        Function that receives notes.

    Raises
    ------
    ValueError
        In one line: a folder without pictures, an original without a counterpart, another size, a
        picture smaller than a patch, or what :func:`semcom.set_distance` refuses.
    """
    check_side(patch)
    files = _pictures_in(originals)
    systems = _systems(files, received, say)
    network = inception(weights)
    for pair in zip(files, *systems.values(), strict=True):
        _check_sizes(pair, patch)
    of_originals, *of_systems = (
        features_of(_read(paths, name), network, patch=patch)
        for name, paths in {"originals": files, **systems}.items()
    )
    found = dict(zip(systems, (distance_of(of_originals, one) for one in of_systems), strict=True))
    records = [
        {
            "originals": str(originals),
            "received": str(received),
            "system": system,
            "pictures": len(files),
            "patch": patch,
            "patches": one.num_patches,
            "fid": one.fid,
            "kid": one.kid,
            "kid_std": one.kid_std,
            "kid_subsets": SUBSETS,
            "kid_subset_size": subset_size(one.num_patches),
        }
        for system, one in found.items()
    ]
    if tell is None:
        _print(records)
    else:
        for record in records:
            tell(record)
    say(*filter(None, {one.caveat for one in found.values()}))


def _pictures_in(folder: Path) -> list[Path]:
    refusal = why_no_file(folder)
    if refusal != FOLDER:
        raise InputError(f"{folder}: {refusal or 'is a file'}, expected a folder of pictures")
    files = images_in(folder)
    if not files:
        raise InputError(f"{folder}: no images in this folder")
    return files


def _systems(files: list[Path], folder: Path, say: Callable[..., None]) -> dict[str, list[Path]]:
    """Find the received picture of every original, for each system of which all are there."""
    names = output_names(files)
    here: dict[str, Path] = {}
    for path in _pictures_in(folder):
        if path.stem in here:
            raise InputError(f"{here[path.stem]} and {path} have one name: which was received?")
        here[path.stem] = path
    missing = {end: [name for name in names if name + end not in here] for end in _ENDINGS}
    fewest = min(missing, key=lambda end: len(missing[end]))
    if missing[fewest]:
        name, *others = missing[fewest]
        more = f", nor of others ({len(others)})" if others else ""
        raise InputError(
            f"{folder}: there is no received picture of {name}{more}; expected "
            + " or ".join(f"{name}{end}.png" for end in _ENDINGS)
        )
    complete = [end for end in _ENDINGS if not missing[end]]
    for end in _ENDINGS:
        if 0 < len(missing[end]) < len(names):
            say(f"{_ENDINGS[end]}: left out, since {missing[end][0]}{end}.png is missing")
    used = {name + end for name in names for end in _ENDINGS}
    strays = [name for name in here if name not in used and not name.endswith(_FIGURES)]
    if strays:
        more = f", nor of others ({len(strays) - 1})" if strays[1:] else ""
        say(f"{folder}: there is no original of {here[strays[0]].name}{more}")
    return {_ENDINGS[end]: [here[name + end] for name in names] for end in complete}


def _check_sizes(pair: tuple[Path, ...], patch: int) -> None:
    """Check an original and its received pictures before anything that takes minutes."""
    file, *others = pair
    image = load_image(file)[0]
    try:
        patches(image, patch)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    for other in others:
        size, expected = ("{1}x{0}".format(*load_image(path)[0].shape) for path in (other, file))
        if size != expected:
            raise InputError(
                f"{other} has {size} pixels, but {file} has {expected}: give the originals in the "
                "size in which they were sent"
            )


def _read(paths: list[Path], name: str) -> Iterator[Image]:
    """Read pictures one after another, with a bar of progress on a terminal."""
    for path in tqdm(paths, desc=name, unit="picture", leave=False, disable=None):
        yield load_image(path)[0]


def _print(records: list[dict[str, Any]]) -> None:
    """Print the distances of all systems side by side."""
    first = records[0]
    side = f" of {first['patch']}x{first['patch']}" if first["patch"] else ", which are whole"
    table = Table(
        title=f"{first['originals']} and {first['received']}: {first['pictures']} pictures, "
        f"{first['patches']} patches{side}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("")
    for record in records:
        table.add_column(record["system"], justify="right")
    table.add_row("FID ↓", *(f"{record['fid']:.2f}" for record in records))
    table.add_row("KID ↓", *(f"{record['kid']:.5f}" for record in records))
    subsets = f"  deviation of {SUBSETS} subsets of {first['kid_subset_size']}"
    table.add_row(subsets, *(f"{record['kid_std']:.5f}" for record in records))
    Console(markup=False, emoji=False).print(table)
