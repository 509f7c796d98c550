"""``semcom segment``: finds the important region in images without sending anything."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage
from rich.console import Console
from rich.table import Table

from experiments.deliveries.pictures import save_masks
from experiments.deliveries.send_files import draw, for_each, look
from experiments.saving import save
from semcom.api import Order
from semcom.images import MASK_ENDING
from semcom.importance.region import RegionOfInterest

ENDINGS = (MASK_ENDING, "_masks.npz", "_masks.png")
_MOST_ROWS = 20  # largest number of rows of the table


def segment_files(
    images: tuple[Path, ...],
    out: Path,
    order: Order,
    *,
    tell: Callable[[dict[str, Any]], None] | None,
    say: Callable[..., None],
) -> int:
    """Find the region in image files; a file that fails does not stop the others.

    Parameters
    ----------
    images
        Files and folders.
    out
        Folder for ``NAME_mask.png`` (the region in white, which ``--mask`` accepts),
        ``NAME_masks.npz`` (all masks that were found, with their scores and labels: in the order of
        the prompts, or else most important first) and ``NAME_masks.png`` (a figure).
    order
        Options of :func:`semcom.send`, of which those of the link do not matter.
    tell
        Function that receives a description of each image; without it, a table is printed.
    say
        Function that receives notes and errors.

    Returns
    -------
    int
        Number of images that failed.
    """

    def one(file: Path, name: str) -> None:
        scene = look(file, order, say)
        region = scene.region
        _write(region, out, name)
        figure = out / f"{name}_masks.png"
        draw(lambda path: save_masks(scene.image, region, file.name, path), figure, say)
        if tell is not None:
            tell(_account(region, str(file)))
            return
        _print(region, str(file))
        say(f"{file}: written to {out / name}{MASK_ENDING}, _masks.npz and _masks.png")

    return for_each(images, order.region.mask, out, ENDINGS, one, say=say)


def _write(region: RegionOfInterest, out: Path, name: str) -> None:
    sink = io.BytesIO()
    PilImage.fromarray(np.where(region.importance.region, np.uint8(255), np.uint8(0))).save(
        sink, "PNG"
    )
    save(out / f"{name}{MASK_ENDING}", sink.getvalue())
    shape = region.importance.region.shape
    masks = np.array([mask.pixels for mask in region.masks], dtype=bool).reshape(-1, *shape)
    scores = np.array([mask.score for mask in region.masks])
    labels = np.array([mask.label or "" for mask in region.masks], dtype=np.str_)
    sink = io.BytesIO()
    np.savez_compressed(sink, masks=masks, scores=scores, labels=labels)
    save(out / f"{name}_masks.npz", sink.getvalue())


def _account(region: RegionOfInterest, source: str) -> dict[str, Any]:
    chosen = {id(mask) for mask in region.importance.masks}
    masks = [
        {
            "area": float(mask.pixels.mean()),
            "score": float(mask.score),
            "label": mask.label,
            "matters": id(mask) in chosen,
        }
        for mask in region.masks
    ]
    area = float(region.importance.region.mean())
    return {"image": source, **region.record, "region_area": area, "masks": masks}


def _print(region: RegionOfInterest, source: str) -> None:
    account = _account(region, source)
    title = f"{source}, {account['segmenter']}: region {account['region_area']:.1%} of the frame"
    table = Table(title=title, title_justify="left", title_style="bold")
    for head in ("rank", "% of frame", "score", "label", "matters"):
        table.add_column(head, justify="right")
    for rank, mask in enumerate(account["masks"][:_MOST_ROWS], 1):
        share, score = f"{100 * mask['area']:.1f}", f"{mask['score']:.2f}"
        table.add_row(
            str(rank), share, score, mask["label"] or "", "yes" if mask["matters"] else ""
        )
    left = len(account["masks"]) - _MOST_ROWS
    table.caption = f"and {left} more" if left > 0 else None
    Console(markup=False, emoji=False).print(table)
