"""``semcom send`` as a function: one image from its file to its score."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from channels.packets.target import Target
from channels.units import parse_cbr
from semcom.codecs.base import CODECS
from semcom.hashes import derive_seed, digest
from semcom.images import check_pixels, load_image
from semcom.importance.maps import DEFAULT_THETA
from semcom.importance.region import RegionOfInterest, RegionOptions, find_region
from semcom.link.config import DEFAULT_PILOTS, LinkConfig
from semcom.link.delivery import Delivery, deliver
from semcom.processor import processor
from semcom.types import Image, Prompts
from semcom.versions import versions


def send(
    image: str | Path | Image,
    *,
    segmenter: str = "auto",
    points: Sequence[tuple[float, float]] = (),
    boxes: Sequence[tuple[float, float, float, float]] = (),
    mask: str | Path | None = None,
    theta: float = DEFAULT_THETA,
    importance: str = "region",
    blind: bool = False,
    codec: str = "hevc",
    channel: str = "awgn",
    snr_db: float = 10.0,
    cbr: str | float | Fraction = Fraction(1, 16),
    csi: Literal["perfect", "pilots"] = "perfect",
    num_pilots: int = DEFAULT_PILOTS,
    target: Target = Target(),  # noqa: B008
    scheme: str = "",
    protection: Literal["equal", "unequal", "graceful"] = "equal",
    copies: int = 1,
    planned_snr_db: float | None = None,
    planned_std_db: float = 0.0,
    losses: str = "",
    seed: int = 0,
) -> Delivery:
    """Segment an image, weigh it, send it across a noisy channel and score what arrives.

    Parameters
    ----------
    image
        A file, or the pixels (H, W, 3) uint8.
    segmenter, points, boxes, mask, theta, importance
        What matters; see :class:`semcom.importance.region.RegionOptions`.
    blind
        Send with ``w = 1``; the same region is scored.
    codec, cbr
        Codec by name and the channel bandwidth ratio allowed, a number or text (``"1/16"``).
    channel, snr_db, csi, num_pilots, target, scheme
        The link; see :class:`semcom.link.config.LinkConfig`.
    protection, copies, planned_snr_db, planned_std_db, losses
        How the sender deals with it; see the same class.
    seed
        The channel draws from it and from the image's content.

    Returns
    -------
    Delivery
        ``.received`` is the picture, ``.scores`` how good it is, ``.record`` everything needed
        to repeat it.

    Raises
    ------
    ValueError
        Anything that makes no sense, in one line, before work starts where that can be known.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> delivery = semcom.send(skimage.data.astronaut(), segmenter="graph", cbr="1/16")
    >>> delivery.scores["region_psnr_db"] > delivery.scores["background_psnr_db"]
    True
    """
    order = order_of(
        segmenter=segmenter,
        points=points,
        boxes=boxes,
        mask=mask,
        theta=theta,
        importance=importance,
        blind=blind,
        codec=codec,
        channel=channel,
        snr_db=snr_db,
        cbr=cbr,
        csi=csi,
        num_pilots=num_pilots,
        target=target,
        scheme=scheme,
        protection=protection,
        copies=copies,
        planned_snr_db=planned_snr_db,
        planned_std_db=planned_std_db,
        losses=losses,
        seed=seed,
    )
    pixels, source = read(image)
    return fulfil(pixels, source, find_region(pixels, beside(order.region_options, source)), order)


@dataclass(frozen=True)
class Order:
    """What is asked of :func:`send`, checked."""

    region_options: RegionOptions
    blind: bool
    codec: str
    cbr: Fraction
    link: LinkConfig
    seed: int


def order_of(
    *,
    segmenter: str,
    points: Sequence[tuple[float, float]],
    boxes: Sequence[tuple[float, float, float, float]],
    mask: str | Path | None,
    theta: float,
    importance: str,
    blind: bool,
    codec: str,
    cbr: str | float | Fraction,
    seed: int,
    **link: Any,
) -> Order:
    """Check what :func:`send` was given, before any work; the options are its own."""
    prompts = Prompts(tuple(points), tuple(boxes))
    region_options = RegionOptions(
        segmenter, prompts, None if mask is None else str(mask), theta, importance
    )
    CODECS.parse(codec)
    return Order(region_options, blind, codec, parse_cbr(str(cbr)), LinkConfig(**link), seed)


def read(image: str | Path | Image) -> tuple[Image, str | None]:
    """Return the pixels, and the file that they came from."""
    if isinstance(image, str | Path):
        return load_image(image)[0], str(image)
    check_pixels(image)
    return image, None


def beside(region_options: RegionOptions, source: str | None) -> RegionOptions:
    """Resolve ``mask="beside"`` for an image that came from a file."""
    return region_options if source is None else region_options.beside(Path(source))


def fulfil(image: Image, source: str | None, region: RegionOfInterest, order: Order) -> Delivery:
    """Send an image in which what matters has been found, as ordered."""
    return send_attended(
        image,
        region,
        source,
        blind=order.blind,
        codec=order.codec,
        cbr=order.cbr,
        link=order.link,
        seed=order.seed,
    )


def send_attended(
    image: Image,
    region: RegionOfInterest,
    source: str | None,
    *,
    codec: str,
    cbr: str | float | Fraction,
    link: LinkConfig,
    blind: bool,
    seed: int,
) -> Delivery:
    """Send an image in which what matters has been found: the second half of :func:`send`.

    ``source`` names the image in the record.
    """
    sha256 = digest(image)
    delivery = deliver(
        image,
        region.importance,
        codec=codec,
        cbr=parse_cbr(str(cbr)),
        link=link,
        blind=blind,
        seed=derive_seed(seed, sha256),
    )
    about = {
        "image": source,
        "sha256": sha256,
        "height": image.shape[0],
        "width": image.shape[1],
        **region.record,
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
