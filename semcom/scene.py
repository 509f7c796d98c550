"""The two steps of :func:`semcom.send`: find the region of an image, then send the image.

If the image is disturbed, the sender segments and sends what its camera sees.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from semcom.disturbances.apply import Disturb, disturbed
from semcom.errors import InputError
from semcom.hashes import derive_seed, digest
from semcom.images import check_pixels, load_image
from semcom.importance.looking import looking
from semcom.importance.region import RegionOfInterest, RegionOptions, find_region
from semcom.link.config import LinkConfig
from semcom.link.delivery import Delivery, deliver, finite
from semcom.processor import processor
from semcom.scores.base import Look
from semcom.scores.psnr import psnr_db, region_psnr_db
from semcom.sizes import shrink, size_of
from semcom.types import Image
from semcom.versions import versions


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and the region of it that matters."""

    image: Image
    """What the camera sees and the sender sends, (H, W, 3) uint8."""
    region: RegionOfInterest
    source: str | None
    """Name of the image in records: its file, if there is one."""
    notes: tuple[str, ...]
    """Notes for the user on how the image was read and segmented, one line each."""
    disturb: Disturb | None = None
    """How the image was disturbed, if it was."""
    clean: Image | None = None
    """The image before it was disturbed."""
    look: Look | None = None
    """The way in which the region was found, for another picture; None for a mask file."""


def find_scene(
    image: str | Path | Image,
    options: RegionOptions,
    *,
    max_side: int | None = None,
    source: str | None = None,
    disturb: Disturb | None = None,
) -> Scene:
    """Read an image and find the region that matters.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    options
        How to find the region. ``mask="beside"`` stands for the mask file beside the image's file.
    max_side
        Shrink the image first so that its longer side has at most this many pixels. Points and
        boxes still refer to pixels of the original image.
    source
        Name of the image in records; the name of its file by default.
    disturb
        How to disturb the image before the sender sees it. A mask of ``options`` is the true one;
        otherwise, what its prompts mark in the clean picture stands for it.

    Raises
    ------
    ValueError
        If the file is not an image, masks or prompts do not fit the image, or the disturbance
        cannot be applied to it.

    Examples
    --------
    >>> import skimage.data
    >>> scene = find_scene(skimage.data.astronaut(), RegionOptions("whole_image"), max_side=256)
    >>> scene.image.shape
    (256, 256, 3)
    >>> scene.notes[0]
    'shrunk from 512x512 to 256x256'
    """
    notes: list[str] = []
    if isinstance(image, str | Path):
        pixels, notes = load_image(image)
        source = source or str(image)
    else:
        check_pixels(image)
        pixels = image
    if source is None and options.mask == "beside":
        raise InputError("mask 'beside' needs an image from a file")
    if source is not None:
        options = options.beside(Path(source))
    size, shrunk_from = size_of(pixels), None
    if max_side is not None and max(size) > max_side:
        pixels, shrunk_from = shrink(pixels, max_side), size
        notes.append("shrunk from {1}x{0} to {3}x{2}".format(*size, *pixels.shape))
    seen, clean = pixels, None
    if disturb is not None:
        truth = None
        if options.mask is not None or (disturb.needs_truth and options.prompts):
            truth = find_region(pixels, options, shrunk_from=shrunk_from).importance.region
        seen, clean = disturbed(pixels, disturb, truth=truth, source=source), pixels
        notes.append(f"disturbed by {disturb}")
    region = find_region(seen, options, shrunk_from=shrunk_from)
    look = None if options.reads_masks else looking(options, shrunk_from=shrunk_from)
    return Scene(seen, region, source, (*notes, *region.notes), disturb, clean, look)


def send_scene(
    scene: Scene,
    *,
    codec: str,
    cbr: Fraction,
    link: LinkConfig,
    blind: bool,
    seed: int,
    scores: Sequence[str] = (),
) -> Delivery:
    """Send an image whose region is known, and complete the record.

    The parameters are those of :func:`semcom.link.delivery.deliver`; ``seed`` is combined with the
    content of the image.

    Examples
    --------
    >>> import skimage.data
    >>> scene = find_scene(skimage.data.astronaut(), RegionOptions("whole_image"), max_side=128)
    >>> link = LinkConfig(snr_db=10.0)
    >>> delivery = send_scene(
    ...     scene, codec="jpeg", cbr=Fraction(1, 8), link=link, blind=True, seed=0
    ... )
    >>> delivery.record["packets_received"], delivery.record["cbr"] <= 1 / 8
    (1, True)
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
        scores=scores,
        look=scene.look,
    )
    about = {
        "image": scene.source,
        "sha256": sha256,
        "height": scene.image.shape[0],
        "width": scene.image.shape[1],
        **scene.region.record,
        **_about_disturbance(scene, delivery),
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


def _about_disturbance(scene: Scene, delivery: Delivery) -> dict[str, object]:
    """Return the disturbance and the scores against the clean image, for the record."""
    if scene.disturb is None or scene.clean is None:
        return {}
    region = scene.region.importance.region
    scores: dict[str, float | None] = {
        "seen_psnr_db": psnr_db(scene.clean, scene.image),
        "clean_psnr_db": psnr_db(scene.clean, delivery.received),
        "clean_region_psnr_db": region_psnr_db(scene.clean, delivery.received, region),
    }
    return {
        "disturbance": scene.disturb.pinned,
        "severity": scene.disturb.severity,
        "clean_sha256": digest(scene.clean),
        **finite(scores),
    }
