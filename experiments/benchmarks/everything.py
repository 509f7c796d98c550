"""MobileSAM's "everything" beside the generator of the package ``mobile_sam``, in one process.

Goals, for a picture of 768×512 on two cores with the published weights: at most 2 seconds, at
least 50 times as fast as ``SamAutomaticMaskGenerator``, and a mean IoU of at least 0.95 between its
masks and ours at the same grid.

Without the weights, ``--random`` draws some. Such a network is sure of nothing, so that every point
of the grid is tried and no mask is kept: the longest that the search can take. Of the masks it says
nothing; it says how near bfloat16 is to float32, and the seconds are those of the real network.

Run ``python -m experiments.benchmarks.everything [IMAGE]``.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from semcom.checkpoints import mobile_sam as checkpoint
from semcom.checkpoints.download import load_state_dict
from semcom.errors import InputError
from semcom.images import load_image
from semcom.segmenters.mobile_sam import mask_decoder
from semcom.segmenters.mobile_sam.embedding import embed, embed_prompts
from semcom.segmenters.mobile_sam.network import import_mobile_sam
from semcom.segmenters.mobile_sam.segmenter import POINTS_AT_ONCE, MobileSam
from semcom.segmenters.overlap import iou
from semcom.types import Image, Prompts, Region

GOAL_SECONDS, GOAL_RATIO, GOAL_IOU = 2.0, 50.0, 0.95
_WIDTH, _HEIGHT = 768, 512
_RUNS = 3
_UNSURE = {"min_iou": 1.0}  # no network with random weights is as sure as that


class Seconds(NamedTuple):
    """How long something took, by the clock and on all cores together."""

    clock: float
    cpu: float
    """Less sensitive to what else runs on the machine."""


def fastest(work: Callable[[], Any], runs: int = _RUNS) -> tuple[Seconds, Any]:
    """Return the least seconds of some runs, and what the last one gave."""
    clock, cpu = [], []
    for _ in range(runs):
        began = time.perf_counter(), time.process_time()
        found = work()
        clock.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    return Seconds(min(clock), min(cpu)), found


@contextlib.contextmanager
def counted_points() -> Iterator[list[int]]:
    """Count the prompts that the decoder gets."""
    asked: list[int] = []
    attend = mask_decoder.attend

    def counting(model: Any, features: Tensor, sparse: Tensor, *more: Any) -> Any:
        asked.append(len(sparse))
        return attend(model, features, sparse, *more)

    mask_decoder.attend = counting  # type: ignore[assignment]
    try:
        yield asked
    finally:
        mask_decoder.attend = attend


def parts(ours: MobileSam, image: Image) -> dict[str, Seconds]:
    """Time the encoder, a prompt, and the masks of a prompt."""
    model = ours.model
    seconds, embedding = fastest(lambda: embed(model, image))
    height, width = image.shape[:2]
    points = tuple(((i + 0.5) * width / POINTS_AT_ONCE, height / 2) for i in range(POINTS_AT_ONCE))
    with torch.inference_mode():
        shared = mask_decoder.share(model, embedding.features)
        sparse = embed_prompts(model, embedding, Prompts(points=points))
        a_batch, decoded = fastest(
            lambda: mask_decoder.attend(model, embedding.features, sparse, shared), 3 * _RUNS
        )
        masks, _ = fastest(lambda: mask_decoder.masks(model, decoded.only(0)), 3 * _RUNS)
    a_prompt = Seconds(*(one / POINTS_AT_ONCE for one in a_batch))
    return {"encoder": seconds, "prompt": a_prompt, "masks": masks}


def build_reference(state: dict[str, Tensor], per_side: int, min_iou: float) -> Any:
    """Build the package's generator with the same weights and thresholds."""
    import_mobile_sam()
    from mobile_sam import SamAutomaticMaskGenerator, automatic_mask_generator
    from mobile_sam.build_sam import build_sam_vit_t

    # Torchvision's needs its compiled part, which does not fit all builds of torch.
    automatic_mask_generator.batched_nms = suppress
    sam = build_sam_vit_t()
    sam.load_state_dict(state)
    return SamAutomaticMaskGenerator(
        sam.eval(), points_per_side=per_side, pred_iou_thresh=min_iou, stability_score_thresh=0.95
    )


def suppress(boxes: Tensor, scores: Tensor, _categories: Tensor, iou_threshold: float) -> Tensor:
    """Suppress boxes greedily, as ``torchvision.ops.batched_nms`` does for one category."""
    kept: list[int] = []
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    for i in scores.argsort(descending=True, stable=True).tolist():
        others = boxes[kept]
        low = torch.maximum(others[:, :2], boxes[i, :2])
        high = torch.minimum(others[:, 2:], boxes[i, 2:])
        common = (high - low).clamp(min=0).prod(1)
        if not (common > iou_threshold * (sizes[kept] + sizes[i] - common)).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def agreement(theirs: list[Region], ours: list[Region]) -> float:
    """Return the mean over the reference's masks of the IoU with the nearest of ours."""
    return float(np.mean([max((iou(a, b) for b in ours), default=0.0) for a in theirs]))


def reduced_agreement(ours: MobileSam, image: Image, per_side: int) -> float:
    """Return the mean IoU of masks in bfloat16 with those in float32, encoder included."""
    height, width = image.shape[:2]
    centres = (np.arange(per_side) + 0.5) / per_side
    points = tuple((float(x * width), float(y * height)) for y in centres for x in centres)
    found = []
    for reduced in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced), torch.inference_mode():
            embedding = embed(ours.model, image)
            sparse = embed_prompts(ours.model, embedding, Prompts(points=points))
            decoded = mask_decoder.attend(ours.model, embedding.features, sparse)
            found.append(mask_decoder.masks(ours.model, decoded).flatten(0, 1).numpy() > 0)
    return float(np.mean([iou(a, b) for a, b in zip(*found, strict=True)]))


def _shown(seconds: Seconds) -> str:
    return f"{seconds.clock:9.3f} s {seconds.cpu:9.3f} s CPU"


def _random_checkpoint(folder: Path) -> Path:
    from mobile_sam.build_sam import build_sam_vit_t

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        file = folder / "random.pt"
        torch.save(build_sam_vit_t().state_dict(), file)
    return file


def _picture(file: Path | None) -> Image:
    if file:
        return load_image(file)[0]
    from skimage.data import coffee

    photo = PillowImage.fromarray(coffee())  # type: ignore[no-untyped-call]
    return np.asarray(photo.resize((_WIDTH, _HEIGHT), PillowImage.Resampling.LANCZOS))


@click.command()
@click.argument("image", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--points-per-side", "per_side", default=12, show_default=True)
@click.option("--reference-points", type=int, help="Points per side of the reference's grid.")
@click.option("--precision", default="float32", show_default=True)
@click.option("--random", is_flag=True, help="Draw random weights.")
@click.option("--bfloat16", is_flag=True, help="Compare bfloat16 with float32, too.")
def main(
    image: Path | None,
    per_side: int,
    reference_points: int | None,
    precision: str,
    random: bool,
    bfloat16: bool,
) -> None:
    """Time MobileSAM's search for everything beside the reference's."""
    import_mobile_sam()
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = _random_checkpoint(Path(folder)) if random else checkpoint.locate()
            picture = _picture(image)
        except InputError as error:
            raise click.ClickException(f"{error}; or --random") from None
        options: dict[str, Any] = _UNSURE if random else {}
        ours = MobileSam(
            weights=str(file), points_per_side=per_side, precision=precision, **options
        )
        state = load_state_dict(file)
    height, width = picture.shape[:2]
    click.echo(f"{width}x{height}, {torch.get_num_threads()} threads, {ours.provenance}")
    for name, seconds in parts(ours, picture).items():
        click.echo(f"{name:<12}{_shown(seconds)}")
    with counted_points() as asked:
        fast, found = fastest(lambda: ours(picture))
    points = sum(asked) // _RUNS
    click.echo(
        f"ours        {_shown(fast)}   {points} of {per_side**2} points tried, {len(found)} masks "
        f"(goal {GOAL_SECONDS} s)"
    )
    reference = build_reference(state, reference_points or per_side, ours.settings.min_iou)
    slow, theirs = fastest(lambda: reference.generate(picture), 1)
    click.echo(
        f"reference   {_shown(slow)}   {(reference_points or per_side) ** 2} points, {len(theirs)} "
        "masks"
    )
    ratios = [theirs_s / ours_s for theirs_s, ours_s in zip(slow, fast, strict=True)]
    click.echo(f"ratio       {ratios[0]:9.1f}   {ratios[1]:9.1f}         (goal {GOAL_RATIO:g})")
    if theirs and not random:
        mean = agreement([one["segmentation"] for one in theirs], [one.pixels for one in found])
        click.echo(f"mean IoU    {mean:10.3f}     (goal {GOAL_IOU})")
    if bfloat16:
        click.echo(f"bfloat16    {reduced_agreement(ours, picture, 4):10.3f}     mean IoU")


if __name__ == "__main__":
    main()
