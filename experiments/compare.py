"""``semcom compare``: each image sent blind and by importance within the same bandwidth."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.batch import alongside, draw, for_each, look, write_delivery
from experiments.figures import save_comparison
from experiments.tables import print_gains, print_records, ratio
from semcom.agreement import Link
from semcom.attention import Attention, Wishes
from semcom.codecs.base import CODECS
from semcom.comparison import Comparison
from semcom.session import send_attended
from semcom.types import Image

ENDINGS = ("_received.png", ".json", "_blind_received.png", "_blind.json", "_comparison.png")


def compare_files(
    images: tuple[Path, ...],
    out: Path,
    *,
    max_side: int | None,
    wishes: Wishes,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
    **how: Any,
) -> int:
    """Compare both systems on files; one that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for the figure ``NAME_comparison.png`` and what :func:`experiments.batch.send_files`
        writes of either system.
    tell
        What gets the gains and both records of each image; None prints tables instead.
    say
        What gets notes and errors.
    how
        As for :func:`compare_image`.

    Returns
    -------
    int
        How many could not be sent.
    """
    if not CODECS.create(how["codec"]).steerable:
        say(f"codec {how['codec']} cannot follow the importance map: both will be the same")
    gains: dict[str, dict[str, float | None]] = {}

    def one(file: Path, name: str) -> None:
        image, seen = look(file, wishes, say, max_side)
        found = compare_image(image, seen, str(file), out, name, tell=tell, say=say, **how)
        gains[f"{file.parent.name}/{file.name}" if file.parent.name else file.name] = found.gains

    failed = for_each(images, wishes.mask, out, ENDINGS, one, say=say)
    if tell is None and len(gains) > 1:
        print_gains(gains)
    return failed


def compare_image(
    image: Image,
    seen: Attention,
    source: str,
    out: Path,
    name: str,
    *,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> Comparison:
    """Send an image twice; write what arrives and a figure, print or tell how they compare."""
    deliver = functools.partial(
        send_attended, image, seen, source, codec=codec, cbr=cbr, link=link, seed=seed
    )
    found = Comparison(deliver(blind=True), deliver(blind=False))
    figure = out / f"{name}_comparison.png"

    def write() -> None:
        write_delivery(found.blind, out, f"{name}_blind")
        write_delivery(found.steered, out, name)

    with alongside(write):
        draw(lambda path: save_comparison(found.blind, found.steered, seen, path), figure, say)
    records = {"blind": found.blind.record, "by importance": found.steered.record}
    if tell is not None:
        tell({"image": source, "gains": found.gains, "records": list(records.values())})
        return found
    size = f"{image.shape[1]}x{image.shape[0]}"
    title = f"{source}, {size}, budget CBR {ratio(float(cbr))}"
    print_records(records, gains=found.gains, title=title)
    lost = [name for name, record in records.items() if record["all_lost"]]
    if lost:
        say(f"{source}: nothing arrived ({' and '.join(lost)}); the scores are those of mid-grey")
    say(f"{source}: figure {figure}; pictures and records beside it")
    return found
