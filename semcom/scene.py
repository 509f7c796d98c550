"""From an image file to its region, and from there to a delivery."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from semcom.hashes import derive_seed, digest
from semcom.images import check_pixels, load_image
from semcom.importance.region import RegionOfInterest, RegionOptions, find_region
from semcom.link.config import LinkConfig
from semcom.link.delivery import Delivery, deliver
from semcom.processor import processor
from semcom.sizes import shrink, size_of
from semcom.types import Image
from semcom.versions import versions


@dataclass(frozen=True, eq=False)
class Scene:
    """An image, and the region in it that matters."""

    image: Image
    """(H, W, 3) uint8."""
    region: RegionOfInterest
    source: str | None
    """Name of the image in records: its file, where there is one."""
    notes: tuple[str, ...]
    """Remarks for the user on how the image was read and segmented, one line each."""


def find_scene(
    image: str | Path | Image,
    options: RegionOptions,
    *,
    max_side: int | None = None,
    source: str | None = None,
) -> Scene:
    """Read an image and find the region that matters.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    options
        How to find the region. ``mask="beside"`` is the mask file beside the image's file.
    max_side
        Shrink an image whose longer side has more pixels to that; points and boxes are still given
        in pixels of the image as it was.
    source
        Name of the image in records. None: its file, where there is one.

    Raises
    ------
    ValueError
        A file that is no image, or masks and prompts that do not fit.
    """
    notes: list[str] = []
    if isinstance(image, str | Path):
        pixels, notes = load_image(image)
        source = source or str(image)
    else:
        check_pixels(image)
        pixels = image
    if source is not None:
        options = options.beside(Path(source))
    size, shrunk_from = size_of(pixels), None
    if max_side is not None and max(size) > max_side:
        pixels, shrunk_from = shrink(pixels, max_side), size
        notes.append("shrunk from {1}x{0} to {3}x{2}".format(*size, *pixels.shape))
    region = find_region(pixels, options, shrunk_from=shrunk_from)
    return Scene(pixels, region, source, (*notes, *region.notes))


def send_scene(
    scene: Scene,
    *,
    codec: str,
    cbr: Fraction,
    link: LinkConfig,
    blind: bool,
    seed: int,
) -> Delivery:
    """Send an image whose region has been found, and complete the record.

    The parameters are those of :func:`semcom.link.delivery.deliver`; ``seed`` is combined with the
    image's content.
    """
    sha256 = digest(scene.image)
    delivery = deliver(
        scene.image,
        scene.region.importance,
        codec=codec,
        cbr=cbr,
        link=link,
        blind=blind,
        seed=derive_seed(seed, sha256),
    )
    about = {
        "image": scene.source,
        "sha256": sha256,
        "height": scene.image.shape[0],
        "width": scene.image.shape[1],
        **scene.region.record,
    }
    record = {
        **about,
        **delivery.record,
        "received_sha256": digest(delivery.received),
        "seed": seed,
        "versions": versions(),
        "cpu": processor(),
    }
    return dataclasses.replace(delivery, record=record)
