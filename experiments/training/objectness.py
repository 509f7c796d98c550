"""Fitting the weights by which the segmenter ``graph`` ranks its regions.

Every region of a picture's tree has features (:mod:`semcom.segmenters.graph.objectness`) and an IoU
with the true mask. A softmax of the weighted features gives the probability of drawing a region.
The fit maximises the expected IoU of the region that is drawn, averaged over the pictures, minus a
penalty on large weights of standardised features. Without prompts all regions compete; with a point
only those around it.

``python -m experiments.training.objectness FOLDER --outlines FILE`` prints the fitted weights
beside those in use, and the mean IoU of the most probable region: with the weights in use, with
weights fitted to the other pictures, and with the best region. The weights in use were fitted to 20
of the pictures of ``experiments/benchmarks/outlines.json`` and to 36 with an object pasted before
another background, and were then rounded by hand, so that this command prints others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from scipy.optimize import minimize

from experiments.datasets.outlines import draw, load
from semcom.segmenters.graph.objectness import LEAST, MOST, WEIGHTS, distance
from semcom.segmenters.graph.raster import nearest, resize
from semcom.segmenters.graph.segmenter import Scene
from semcom.segmenters.graph.superpixels import Floats
from semcom.segmenters.mask_prompts import deepest_point
from semcom.types import Image, Region

WORK_SIZE = 400
"""Long side in pixels at which pictures are analysed, as in ``graph``."""
PENALTY = 0.01
"""Weight of the sum of squared weights."""


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of one picture that compete."""

    features: Floats
    """(regions, features)."""
    overlap: Floats
    """IoU with the true mask, (regions,)."""


def regions_of(image: Image, truth: Region, *, point: bool) -> Regions | None:
    """Describe the regions of ``image`` (H, W, 3) that may be the object of ``truth`` (H, W).

    ``point``: only the regions around the point deepest inside the true mask. Returns None for a
    picture without contrast.
    """
    scene = Scene(image, WORK_SIZE)
    if scene.parts.flat:
        return None
    labels, tree = scene.parts.labels, scene.tree
    white: Image = np.repeat(truth[..., None], 3, axis=-1).astype(np.uint8) * np.uint8(255)
    inside = resize(white, WORK_SIZE)[..., 0] / 255.0
    weights = np.asarray(inside, dtype=np.float64).ravel()
    common = tree.collect(np.bincount(labels.ravel(), weights, len(scene.parts)).astype(float))
    area = tree.collect(scene.parts.area)
    overlap = common / (area + inside.sum() - common)
    features = dict(scene.features)
    share = np.exp(features["size"])
    allowed = (share >= LEAST) & (share <= MOST)
    if point:
        x, y = deepest_point(truth)
        row, column = nearest(labels.shape, truth.shape, (x, y))
        allowed &= tree.above(int(labels[row, column]))
        side = max(labels.shape)
        features["away"] = distance(scene.parts, tree, row / side, column / side)
    columns = [features.get(name, np.zeros(len(area))) for name in WEIGHTS]
    return Regions(np.stack(columns, axis=1)[allowed], overlap[allowed])


def expected_iou(weights: Floats, pictures: list[Regions]) -> tuple[float, Floats]:
    """Return the mean expected IoU, and its gradient with respect to ``weights`` (features,)."""
    total, gradient = 0.0, np.zeros_like(weights)
    for picture in pictures:
        score = picture.features @ weights
        chance = np.exp(score - score.max())
        chance /= chance.sum()
        mean = float(chance @ picture.overlap)
        total += mean
        gradient += picture.features.T @ (chance * (picture.overlap - mean))
    return total / len(pictures), gradient / len(pictures)


def fit(pictures: list[Regions]) -> Floats:
    """Return the weights (features,) with the highest expected IoU minus the penalty."""
    spread = np.concatenate([picture.features for picture in pictures]).std(axis=0)
    spread[spread == 0] = np.inf
    scaled = [Regions(picture.features / spread, picture.overlap) for picture in pictures]

    def loss(weights: Floats) -> tuple[float, Floats]:
        mean, gradient = expected_iou(weights, scaled)
        return PENALTY * float(weights @ weights) - mean, 2 * PENALTY * weights - gradient

    found = minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / spread)


def chosen_iou(weights: Floats, pictures: list[Regions]) -> Floats:
    """Return the IoU of the most probable region of each picture, (pictures,)."""
    return np.array([p.overlap[np.argmax(p.features @ weights)] for p in pictures])


def left_out_iou(pictures: list[Regions], folds: int) -> Floats:
    """Return the same, each picture with weights fitted to the other folds; (pictures,)."""
    found = np.zeros(len(pictures))
    for fold in range(folds):
        rest = [picture for k, picture in enumerate(pictures) if k % folds != fold]
        found[fold::folds] = chosen_iou(fit(rest), pictures[fold::folds])
    return found


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--outlines",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file of polygons, instead of masks beside the images.",
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    default=6,
    show_default=True,
    help="Parts to leave out in turn.",
)
def main(folder: Path, outlines: Path | None, folds: int) -> None:
    """Fit the weights of graph's features to the true masks in FOLDER."""
    try:
        pairs = load(folder) if outlines is None else draw(folder, outlines)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    for point in (False, True):
        found = [regions_of(*pair, point=point) for pair in pairs.values()]
        pictures = [picture for picture in found if picture is not None and len(picture.overlap)]
        if len(pictures) < folds:
            raise click.ClickException(f"{folds} folds need as many pictures, got {len(pictures)}")
        used = np.array([pair[point] for pair in WEIGHTS.values()])
        click.echo(f"{'with a point' if point else 'without prompts'}, {len(pictures)} pictures")
        for name, old, new in zip(WEIGHTS, used, fit(pictures), strict=True):
            click.echo(f"  {name:<10} in use {old:7.2f}   fitted {new:7.2f}")
        best = np.array([picture.overlap.max() for picture in pictures])
        click.echo(
            "  mean IoU of the most probable region: "
            f"in use {chosen_iou(used, pictures).mean():.3f}, "
            f"fitted to the others {left_out_iou(pictures, folds).mean():.3f}, "
            f"best region {best.mean():.3f}"
        )


if __name__ == "__main__":
    main()
