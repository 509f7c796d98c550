"""Figures of deliveries: the original, the region, the received pictures and their errors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from experiments.axis_values import ratio
from experiments.deliveries.record_table import SYSTEMS
from experiments.figures.parts.close_up import heaviest
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import OUTLINE
from experiments.saving import save_figure
from semcom.importance.region import RegionOfInterest
from semcom.large import is_large
from semcom.link.delivery import Delivery
from semcom.segmenters.mask_prompts import deepest_point
from semcom.types import Image

Pixels = TypeVar("Pixels", bound=NDArray[Any])
ERROR_RANGE = 30
"""Absolute error in grey levels at which the error map saturates."""
_DRAWN = 500_000
"""Largest number of pixels of a large picture that are drawn."""
_MOST_LABELS = 12
_MASK_COLOURS = np.array(
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0]]
)  # Okabe and Ito's palette, told apart by colour-blind readers


def save_delivery(delivery: Delivery, roi: RegionOfInterest, path: Path) -> None:
    """Draw one delivery: masks, importance, the received picture and its error."""
    with plain_text():
        figure, axes = _panels(delivery.original, rows=1)
        _draw_masks(axes[0], delivery.original, roi)
        _draw_importance(axes[1], roi)
        _draw_received(axes[2], delivery, SYSTEMS[delivery.record["system"]])
        _draw_error(axes[3], delivery)
        _save(figure, path, delivery.record)


def save_comparison(blind: Delivery, steered: Delivery, roi: RegionOfInterest, path: Path) -> None:
    """Draw a blind delivery beside one by importance, each above its error."""
    with plain_text():
        figure, axes = _panels(blind.original, rows=2)
        _draw_image(axes[0], blind.original, _original(blind.record))
        _draw_masks(axes[1], blind.original, roi)
        _draw_received(axes[2], blind, "blind")
        _draw_received(axes[3], steered, "by importance")
        _draw_close_up(axes[4], blind, steered)
        _draw_importance(axes[5], roi)
        _draw_error(axes[6], blind)
        _draw_error(axes[7], steered)
        _save(figure, path, steered.record)


def save_masks(image: Image, roi: RegionOfInterest, name: str, path: Path) -> None:
    """Draw the masks that were found in an image, and its importance map."""
    with plain_text():
        figure, axes = _panels(image, rows=1, columns=3)
        _draw_image(axes[0], image, "original")
        _draw_masks(axes[1], image, roi)
        _draw_importance(axes[2], roi)
        area = roi.importance.region.mean()
        title = f"{name}: found by {roi.record['segmenter']}, θ = {roi.importance.theta:.3g}"
        figure.suptitle(f"{title}, region {area:.1%} of the frame", fontsize=12)
        _write(figure, path)


def _original(record: dict[str, Any]) -> str:
    """Name the picture that was sent."""
    if "disturbance" not in record:
        return "original"
    return f"what the camera sees: {record['disturbance']}, severity {record['severity']}"


def _panels(image: Image, rows: int, columns: int = 4) -> tuple[Figure, list[Axes]]:
    height, width = image.shape[:2]
    figure = Figure(figsize=(4 * columns, rows * (4 * height / width + 0.2) + 0.5))
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axis in axes:
        axis.set_axis_off()
    return figure, axes


def _thin(pixels: Pixels) -> Pixels:
    """Leave out rows and columns of a large picture, because a panel is some 400 pixels wide."""
    height, width = pixels.shape[:2]
    step = math.ceil(math.sqrt(height * width / _DRAWN)) if is_large(height, width) else 1
    return pixels[::step, ::step]  # type: ignore[return-value]


def _draw_image(axis: Axes, image: Image, title: str) -> None:
    axis.imshow(_thin(image))
    axis.set_title(title, fontsize=11)


def _outline(axis: Axes, roi: RegionOfInterest | Delivery, *, colour: str = OUTLINE) -> None:
    region = roi.importance.region
    if 0 < region.mean() < 1:
        axis.contour(_thin(region), levels=[0.5], colors=[colour], linewidths=1.4)


def _draw_masks(axis: Axes, image: Image, roi: RegionOfInterest) -> None:
    """Tint all masks, the most important on top, and strongly those in the region."""
    image = _thin(image)
    tinted = image.astype(np.float64)
    chosen = {id(mask) for mask in roi.importance.masks}
    for rank, mask in reversed(list(enumerate(roi.masks))):
        colour, strength = _MASK_COLOURS[rank % len(_MASK_COLOURS)], 0.6 * (id(mask) in chosen)
        strength = max(strength, 0.25)
        pixels = _thin(mask.pixels)
        tinted[pixels] = (1 - strength) * image[pixels] + strength * colour
    count = f"{len(roi.masks)} mask" + "s" * (len(roi.masks) != 1)
    _draw_image(axis, np.rint(tinted).astype(np.uint8), f"{count}; outline: important region")
    _outline(axis, roi)
    _write_labels(axis, roi)


def _write_labels(axis: Axes, roi: RegionOfInterest) -> None:
    """Write the labels of the masks that matter into them; masks of one place share a line."""
    places: dict[tuple[float, float], list[str]] = {}
    for mask in roi.importance.masks[:_MOST_LABELS]:
        pixels = _thin(mask.pixels)
        if mask.label and pixels.any():
            places.setdefault(deepest_point(pixels), []).append(mask.label)
    for (x, y), labels in places.items():
        told = ", ".join(dict.fromkeys(labels))
        text = axis.text(x, y, told, ha="center", va="center", fontsize=9, color="white")
        text.set_path_effects([withStroke(linewidth=2, foreground="black")])
        text.set_clip_on(True)


def _draw_importance(axis: Axes, roi: RegionOfInterest) -> None:
    w = roi.importance.w
    low, high = min(float(w.min()), 0.5), max(float(w.max()), 2.0)
    axis.imshow(_thin(w), cmap="cividis", norm=LogNorm(max(low, 1e-3), high))
    axis.set_title(f"importance w: {w.min():.2f} to {w.max():.2f}, mean 1", fontsize=11)


def _draw_received(axis: Axes, delivery: Delivery, name: str) -> None:
    scores = delivery.record
    title = f"{name}: " + ("all lost, " if delivery.all_lost else "")
    if scores["region_psnr_db"] is None or scores["background_psnr_db"] is None:
        title += f"{_db(scores['psnr_db'])} dB"
    else:
        region, background = _db(scores["region_psnr_db"]), _db(scores["background_psnr_db"])
        title += f"region {region} dB, rest {background} dB"
    _draw_image(axis, delivery.received, title)


def _db(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _draw_error(axis: Axes, delivery: Delivery) -> None:
    difference = _thin(delivery.original).astype(np.int16) - _thin(delivery.received)
    axis.imshow(np.abs(difference).mean(axis=-1), cmap="magma", vmin=0, vmax=ERROR_RANGE)
    axis.set_title(f"absolute error, black 0 to white {ERROR_RANGE}", fontsize=11)
    _outline(axis, delivery, colour="white")


def _draw_close_up(axis: Axes, blind: Delivery, steered: Delivery) -> None:
    """Draw the crop in which importance gains most, of the original and both deliveries."""
    height, width = blind.original.shape[:2]
    tall, wide = max(1, height // 5), max(1, width // 15)
    gain = np.subtract(*(_squared_error(delivery) for delivery in (blind, steered)))
    top, left = heaviest(gain, tall, wide)
    pictures = (blind.original, blind.received, steered.received)
    crops = [picture[top : top + tall, left : left + wide] for picture in pictures]
    gap = np.full((tall, max(1, wide // 30), 3), 255, dtype=np.uint8)
    row = np.hstack([crops[0], gap, crops[1], gap, crops[2]])
    _draw_image(axis, row, "close-up: original | blind | by importance")


def _squared_error(delivery: Delivery) -> NDArray[np.float64]:
    """Return the squared error of each pixel, (H, W)."""
    difference = delivery.original.astype(np.float64) - delivery.received
    return np.asarray((difference**2).sum(axis=-1))


def _save(figure: Figure, path: Path, record: dict[str, Any]) -> None:
    seen = f"; {_original(record)}" if "disturbance" in record else ""
    figure.suptitle(
        f"{record['codec']} over {record['channel']} at {record['snr_db']:g} dB, "
        f"{record['scheme']}, within CBR {ratio(record['cbr_budget'])}; "
        f"regions: {record['segmenter']}, θ = {record['theta']:.3g}{seen}",
        fontsize=12,
    )
    _write(figure, path)


def _write(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(path, figure, dpi=100)
