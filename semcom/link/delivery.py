"""Delivery of one image over one channel: encoding, transmission, reception and scores.

:func:`deliver` is the whole of semcom in one function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

import torch

from channels.base import KnownLaw, send_over
from channels.units import cbr as bandwidth_ratio
from channels.units import noise_var_from_snr_db, parse_cbr
from semcom.codecs.base import weighted_gain
from semcom.errors import check_types
from semcom.hashes import digest
from semcom.images import check_pixels
from semcom.importance.maps import Importance
from semcom.large import say_stage
from semcom.link.config import LinkConfig
from semcom.link.receiver import Reception, receive
from semcom.link.transmitter import Transmission, transmit
from semcom.link.unequal_protection import expected_worth, worth
from semcom.processor import one_thread
from semcom.scores import score
from semcom.scores.base import Look
from semcom.types import Image, Map


@dataclass(frozen=True, eq=False, repr=False)
class Delivery:
    """The result of sending one image.

    Examples
    --------
    >>> import semcom, skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> delivery = semcom.send(photo, segmenter="whole_image", codec="jpeg", cbr="1/8")
    >>> delivery.received.shape, delivery.all_lost
    ((128, 128, 3), False)
    >>> delivery  # doctest: +ELLIPSIS
    <Delivery: importance, CBR 0.12..., 1 of 1 packets, PSNR 38... dB>
    >>> sum(delivery.record["accounting"].values()) <= photo.size / 8  # channel uses
    True
    """

    original: Image
    received: Image
    """The picture that the receiver shows; mid-grey if everything was lost."""
    importance: Importance
    """The importance map and the region. A blind sender used ``w = 1`` instead of the map."""
    transmission: Transmission
    reception: Reception
    scores: dict[str, float | None]
    record: dict[str, Any]
    """Settings, bandwidth and scores, ready for JSON. Scores that are infinite or undefined are
    None. The same settings give the same record, bit for bit."""

    def __repr__(self) -> str:
        r = self.record
        arrived = f"{r['packets_received']} of {r['packets_sent']} packets"
        psnr = "none" if r["psnr_db"] is None else f"{r['psnr_db']:.2f} dB"
        return f"<Delivery: {r['system']}, CBR {r['cbr']:.5f}, {arrived}, PSNR {psnr}>"

    @property
    def all_lost(self) -> bool:
        """Whether everything was lost, so that the receiver shows mid-grey."""
        return self.reception.all_lost


def deliver(
    image: Image,
    importance: Importance,
    *,
    codec: str = "hevc",
    cbr: str | float | Fraction = Fraction(1, 16),
    link: LinkConfig = LinkConfig(),  # noqa: B008
    blind: bool = False,
    seed: int = 0,
    scores: Sequence[str] = (),
    look: Look | None = None,
) -> Delivery:
    """Send ``image`` across a noisy channel and score the received picture.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    importance
        Importance map, which steers the sender (unless ``blind``), and the region to score.
    codec
        Codec by name, with options.
    cbr
        Channel bandwidth ratio allowed: complex channel uses over 3·H·W, as a number or text.
    link
        Channel, SNR, channel knowledge and protection.
    blind
        Encode with ``w = 1``, that is without regard to importance; the same region is scored.
    seed
        Seed for the fading and noise of the channel.
    scores
        Scores to compute besides those that always are, by name, with options.
    look
        The sender's way to find its region in a picture, for scores that repeat it.

    Raises
    ------
    ValueError
        The image is not (H, W, 3) uint8, or an option is invalid; see also
        :func:`semcom.link.transmitter.transmit` and :func:`semcom.scores.score`.

    Examples
    --------
    >>> import skimage.data
    >>> from semcom.importance.region import RegionOptions, find_region
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> region = find_region(photo, RegionOptions("whole_image"))
    >>> delivery = deliver(photo, region.importance, codec="jpeg", cbr=1 / 8)
    >>> delivery.received.shape, delivery.all_lost
    ((128, 128, 3), False)
    """
    check_pixels(image)
    check_types({"seed": seed}, {"seed": (Integral, "a whole number")})
    cbr, scores = parse_cbr(str(cbr)), [scores] if isinstance(scores, str) else scores
    height, width = image.shape[:2]
    w = importance.blind().w if blind else importance.w
    with one_thread():
        say_stage("encoding", height, width)
        sent = transmit(image, w, codec=codec, cbr=cbr, link=link)
        arrival = receive_and_score(
            image, importance, sent, link, seed=seed, also=scores, look=look
        )
    record = {
        "system": "blind" if blind else "importance",
        "theta": importance.theta,
        "region_area": float(importance.region.mean()),
        "codec": codec,
        **asdict(link),
        "scheme_fixed": bool(link.scheme),
        "cbr_budget": float(cbr),
        "seed": seed,
        **bandwidth(image, sent),
        "packets_received": arrival.packets_received,
        "all_lost": arrival.reception.all_lost,
        **finite(arrival.scores),
    }
    if scores:
        record["scores"] = list(scores)
    return Delivery(
        image, arrival.received, importance, sent, arrival.reception, arrival.scores, record
    )


@dataclass(frozen=True, eq=False)
class Arrival:
    """The outcome of one draw of the channel: the received picture and its scores."""

    reception: Reception
    received: Image
    """The picture that the receiver shows; mid-grey if everything was lost."""
    sha256: str
    """Hash of the received picture."""
    scores: dict[str, float | None]
    """Scores by name; None for a score that is undefined here."""

    @property
    def packets_received(self) -> int:
        """Number of packets that arrived."""
        return sum(packet is not None for packet in self.reception.packets)


def receive_and_score(
    image: Image,
    importance: Importance,
    sent: Transmission,
    link: LinkConfig,
    *,
    seed: int,
    also: Sequence[str] = (),
    look: Look | None = None,
    scored: dict[str, dict[str, float | None]] | None = None,
) -> Arrival:
    """Pass a transmission through one draw of the channel, receive it and score the picture.

    Parameters
    ----------
    image, importance
        The original, and its importance map with the region to score.
    sent, link
        The transmission, and the link that it was made for.
    seed
        Seed for the fading and noise of the channel.
    also, look
        See :func:`semcom.scores.score`.
    scored
        Known scores by the hash of the received picture. New scores are added to it. Many draws of
        a channel give the same picture, which then need not be scored again.

    Examples
    --------
    >>> import skimage.data
    >>> from semcom.importance.region import RegionOptions, find_region
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> what = find_region(photo, RegionOptions("whole_image")).importance
    >>> link = LinkConfig(snr_db=10.0)
    >>> sent = transmit(photo, what.w, codec="jpeg", cbr=1 / 8, link=link)
    >>> one, other = (receive_and_score(photo, what, sent, link, seed=seed) for seed in (0, 1))
    >>> one.packets_received, one.sha256 == other.sha256  # the noise changed no decoded bit
    (1, True)
    """
    height, width = image.shape[:2]
    scored = {} if scored is None else scored
    say_stage("transmitting and receiving", height, width)
    reception = carry(sent, link, seed=seed)
    received = reception.shown(height, width)
    sha256 = digest(received)
    if sha256 not in scored:
        say_stage("scoring", height, width)
        scored[sha256] = score(image, received, importance, also=also, look=look)
    return Arrival(reception, received, sha256, scored[sha256])


def carry(sent: Transmission, link: LinkConfig, *, seed: int) -> Reception:
    """Pass a transmission through the channel, with noise drawn from ``seed``, and receive it."""
    rng = torch.Generator().manual_seed(seed)
    on_air = send_over(link.build_channel(), sent.x, noise_var_from_snr_db(link.snr_db), rng)
    return receive(
        on_air,
        num_pilots=link.pilots,
        block_length=link.block_length,
        schemes=link.schemes,
        arrivals=_arrivals(link, rng),
        codec=sent.codec,
    )


def finite(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Replace infinite scores, such as the PSNR of an exact copy, by None, as JSON needs it.

    Examples
    --------
    >>> finite({"psnr_db": math.inf, "ssim": 1.0})
    {'psnr_db': None, 'ssim': 1.0}
    """
    return {n: v if v is not None and math.isfinite(v) else None for n, v in scores.items()}


def expected_psnr_db(image: Image, w: Map, sent: Transmission) -> float | None:
    """Return the weighted PSNR of the expected squared error, before anything is sent.

    It follows from the law of the channel and the measured thresholds of the schemes. The result is
    None for analog codecs and for channels without a known law of the gain.
    """
    if sent.plan.analog_symbols or not isinstance(sent.plan.link.build_channel(), KnownLaw):
        return None
    error = weighted_gain(image, image, w)
    worths = worth(sent.stream, LinkConfig(), error)  # the squared error, as protection is equal
    left = error - expected_worth(worths, sent.stream, sent.plan)
    return -10 * math.log10(max(left, 1e-6) / (255**2 * image.size))


def bandwidth(image: Image, sent: Transmission) -> dict[str, Any]:
    """Return how an image was sent and how much bandwidth that took, for records."""
    height, width = image.shape[:2]
    on_air = [
        packet
        for packet, planned in zip(sent.stream.packets, sent.plan.packets, strict=True)
        if planned.num_bytes
    ]
    return {
        "scheme": _schemes(sent),
        "encoder": sent.stream.info,
        "packets_sent": len(on_air),
        "num_bits": 8 * sum(len(packet.data) for packet in on_air),
        "num_symbols": len(sent.x),
        "num_uses": sent.num_uses,
        "cbr": bandwidth_ratio(sent.num_uses, height, width),
        "accounting": {item: float(uses) for item, uses in sent.accounting.items()},
    }


def _arrivals(link: LinkConfig, rng: torch.Generator) -> Callable[[int], list[bool]] | None:
    """Return a function that draws which packets arrive over a lossy network."""
    network = link.build_losses()
    return None if network is None else lambda count: network((count,), rng).tolist()


def _schemes(sent: Transmission) -> str:
    """Return the names of the schemes in the order of the packets, each once."""
    analog = ["analog"] if sent.plan.analog_symbols else []
    return ", ".join(dict.fromkeys([*analog, *(packet.name for packet in sent.plan.packets)]))
