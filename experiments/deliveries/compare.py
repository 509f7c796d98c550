"""``semcom compare``: each image sent blind and by importance within the same bandwidth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.axis_values import ratio
from experiments.deliveries.pictures import save_comparison
from experiments.deliveries.record_table import print_gains, print_records
from experiments.deliveries.send_files import alongside, draw, for_each, look, write_delivery
from semcom.api import Order
from semcom.codecs.base import CODECS
from semcom.comparison import Comparison, compare_scene
from semcom.scene import Scene

ENDINGS = ("_received.png", ".json", "_blind_received.png", "_blind.json", "_comparison.png")


def compare_files(
    images: tuple[Path, ...],
    out: Path,
    order: Order,
    *,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> int:
    """Compare both systems on files; one that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for the figure ``NAME_comparison.png`` and what
        :func:`experiments.deliveries.send_files.send_files` writes of either system.
    order
        Options of :func:`semcom.compare`.
    tell
        What gets the gains and both records of each image; None prints tables instead.
    say
        What gets notes and errors.

    Returns
    -------
    int
        How many could not be sent.
    """
    codec = order.sending["codec"]
    if not CODECS.create(codec).steerable:
        say(f"codec {codec} cannot follow the importance map: both will be the same")
    gains: dict[str, dict[str, float | None]] = {}

    def one(file: Path, name: str) -> None:
        scene = look(file, order.region, order.max_side, say)
        found = compare_one(scene, out, name, order, tell=tell, say=say)
        gains[f"{file.parent.name}/{file.name}" if file.parent.name else file.name] = found.gains

    failed = for_each(images, order.region.mask, out, ENDINGS, one, say=say)
    if tell is None and len(gains) > 1:
        print_gains(gains)
    return failed


def compare_one(
    scene: Scene,
    out: Path,
    name: str,
    order: Order,
    *,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> Comparison:
    """Send an image twice; write what arrives and a figure, print or tell how they compare."""
    found, source, region = compare_scene(scene, **order.sending), scene.source, scene.region
    figure = out / f"{name}_comparison.png"

    def write() -> None:
        write_delivery(found.blind, out, f"{name}_blind")
        write_delivery(found.steered, out, name)

    with alongside(write):
        draw(lambda path: save_comparison(found.blind, found.steered, region, path), figure, say)
    records = {"blind": found.blind.record, "by importance": found.steered.record}
    if tell is not None:
        tell({"image": source, "gains": found.gains, "records": list(records.values())})
        return found
    size = f"{scene.image.shape[1]}x{scene.image.shape[0]}"
    title = f"{source}, {size}, budget CBR {ratio(float(order.sending['cbr']))}"
    print_records(records, gains=found.gains, title=title)
    lost = [name for name, record in records.items() if record["all_lost"]]
    if lost:
        say(f"{source}: nothing arrived ({' and '.join(lost)}); the scores are those of mid-grey")
    say(f"{source}: figure {figure}; pictures and records beside it")
    return found
