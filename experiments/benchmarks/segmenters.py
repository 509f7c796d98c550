"""Comparison of segmenters by how well they find the main object.

Goal: the embedded ``graph`` finds a good part of what the learned ``mobile_sam`` finds. Over the
images of a folder with ``<name>_mask.png`` beside them, per image and then the mean:

- ``top``: IoU of the best-ranked mask with the true one; ``best5``: the best IoU among the five
  best-ranked; ``precision`` and ``recall`` of the best-ranked; ``area``: its share of the frame;
- ``point``: IoU when given the point deepest inside the true mask; ``box``: its bounding box;
- ``seconds`` without prompts.

Run ``python -m experiments.benchmarks.segmenters FOLDER --segmenter graph --segmenter mobile_sam``.

Instead of masks beside the images, ``--outlines FILE`` may give polygons: a JSON object from the
name of an image in the folder to a list of polygons, each as text, ``"x,y x,y …"`` in pixels.
``outlines.json`` holds those that were drawn for 39 of the training pictures.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
import numpy as np

from experiments.datasets.outlines import draw, load
from semcom.segmenters.base import SEGMENTERS, Segmenter
from semcom.segmenters.mask_prompts import bounding_box, deepest_point
from semcom.segmenters.overlap import iou
from semcom.types import Image, Prompts, Region

COLUMNS = ("top", "best5", "precision", "recall", "area", "point", "box", "seconds")


def measure(segmenter: Segmenter, image: Image, truth: Region) -> dict[str, float]:
    """Compare ``segmenter`` with the true mask (H, W) of ``image`` (H, W, 3)."""
    start = time.perf_counter()
    masks = segmenter(image)
    seconds = time.perf_counter() - start
    ranked = sorted(masks, key=lambda mask: -mask.score)
    top = ranked[0].pixels if ranked else np.zeros_like(truth)
    common = float((top & truth).sum())
    point = segmenter(image, Prompts(points=(deepest_point(truth),)))[0]
    box = segmenter(image, Prompts(boxes=(bounding_box(truth),)))[0]
    return {
        "top": iou(top, truth),
        "best5": max((iou(mask.pixels, truth) for mask in ranked[:5]), default=0.0),
        "precision": common / max(int(top.sum()), 1),
        "recall": common / int(truth.sum()),
        "area": float(top.mean()),
        "point": iou(point.pixels, truth),
        "box": iou(box.pixels, truth),
        "seconds": seconds,
    }


def run(
    specs: tuple[str, ...], folder: Path, outlines: Path | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure every segmenter on every image; ``"mean"`` is the mean over the images."""
    pairs = load(folder) if outlines is None else draw(folder, outlines)
    results = {}
    for spec in specs:
        segmenter = SEGMENTERS.create(spec)
        rows = {name: measure(segmenter, *pair) for name, pair in pairs.items()}
        mean = {key: float(np.mean([row[key] for row in rows.values()])) for key in COLUMNS}
        results[spec] = {**rows, "mean": mean}
    return results


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--segmenter", "specs", multiple=True, default=("graph",), show_default=True)
@click.option(
    "--outlines",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file of polygons, instead of masks beside the images.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(folder: Path, specs: tuple[str, ...], outlines: Path | None, as_json: bool) -> None:
    """Compare segmenters with the true masks in FOLDER."""
    try:
        results = run(specs, folder, outlines)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(results, indent=2))
        return
    for spec, rows in results.items():
        click.echo(f"{spec:<28}" + "".join(f"{key:>10}" for key in COLUMNS))
        for name, row in rows.items():
            click.echo(f"{name:<28}" + "".join(f"{row[key]:>10.3f}" for key in COLUMNS))
    first, *others = specs
    for other in others:
        ratio = results[other]["mean"]["top"] / max(results[first]["mean"]["top"], 1e-9)
        click.echo(f"top({other}) / top({first}) = {ratio:.2f}")


if __name__ == "__main__":
    main()
