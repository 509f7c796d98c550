"""``semcom compare``: sends images blind and by importance within the same bandwidth."""

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
    """Compare both systems on files; a file that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for the figure ``NAME_comparison.png`` and the files that
        :func:`experiments.deliveries.send_files.send_files` writes for each system.
    order
        Options of :func:`semcom.compare`.
    tell
        Function that receives the gains and both records of each image; without it, tables are
        printed.
    say
        Function that receives notes and errors.

    Returns
    -------
    int
        Number of images that could not be sent.
    """
    codec = order.sending["codec"]
    if not CODECS.create(codec).steerable:
        say(f"codec {codec} cannot follow the importance map, so both deliveries will be the same")
    gains: dict[str, dict[str, float | None]] = {}

    def one(file: Path, name: str) -> None:
        scene = look(file, order, say)
        found = compare_one(scene, out, name, order, tell=tell, say=say)
        label = f"{file.parent.name}/{file.name}" if file.parent.name else file.name
        gains[str(file) if label in gains else label] = found.gains

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
    """Send an image twice; write pictures, records and a figure, and print or tell the gains."""
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
        say(f"{source}: all was lost ({' and '.join(lost)}), so the scores are those of mid-grey")
    say(f"{source}: the figure is {figure}, with the pictures and records beside it")
    return found
