"""One image across one channel: the whole of semcom in one function, :func:`deliver`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import torch

from channels.base import KnownLaw
from channels.units import cbr as bandwidth_ratio
from channels.units import noise_var_from_snr_db
from semcom.codecs.base import weighted_gain
from semcom.hashes import digest
from semcom.importance.maps import Importance
from semcom.large import say_stage
from semcom.link.config import LinkConfig
from semcom.link.receiver import Reception, receive
from semcom.link.transmitter import Transmission, transmit
from semcom.link.unequal_protection import expected_worth, worth
from semcom.scores import score
from semcom.types import Image, Map


@dataclass(frozen=True, eq=False, repr=False)
class Delivery:
    """What became of one image."""

    original: Image
    received: Image
    """What the receiver shows: mid-grey where all is lost."""
    importance: Importance
    """What mattered. A blind sender steered by ``w = 1`` instead."""
    transmission: Transmission
    reception: Reception
    scores: dict[str, float | None]
    record: dict[str, Any]
    """Settings, bandwidth and scores, ready for JSON; scores that are infinite or have no meaning
    are None. Two runs of the same settings give the same record, bit for bit."""

    def __repr__(self) -> str:
        r = self.record
        arrived = f"{r['packets_received']} of {r['packets_sent']} packets"
        psnr = "none" if r["psnr_db"] is None else f"{r['psnr_db']:.2f} dB"
        return f"<Delivery: {r['system']}, CBR {r['cbr']:.5f}, {arrived}, PSNR {psnr}>"

    @property
    def all_lost(self) -> bool:
        """Whether nothing but mid-grey could be shown."""
        return self.reception.all_lost


def deliver(
    image: Image,
    importance: Importance,
    *,
    codec: str = "hevc",
    cbr: Fraction | float = Fraction(1, 16),
    link: LinkConfig = LinkConfig(),  # noqa: B008
    blind: bool = False,
    seed: int = 0,
) -> Delivery:
    """Send ``image`` across a noisy channel and score what arrives.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    importance
        What matters: it steers the sender (unless ``blind``) and says which region is scored.
    codec
        Codec by name, with options.
    cbr
        Channel bandwidth ratio allowed, complex channel uses over 3·H·W.
    link
        Channel, SNR and channel knowledge.
    blind
        Send with ``w = 1``; the same region is scored.
    seed
        Of the channel's fading and noise.

    Raises
    ------
    ValueError
        See :func:`semcom.link.transmitter.transmit`.
    """
    height, width = image.shape[:2]
    w = importance.blind().w if blind else importance.w
    with one_thread():
        say_stage("encoding", height, width)
        sent = transmit(image, w, codec=codec, cbr=cbr, link=link)
        arrival = receive_and_score(image, importance, sent, link, seed=seed)
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
        "packets_sent": len(sent.stream.packets),
        "packets_received": arrival.packets_received,
        "all_lost": arrival.reception.all_lost,
        **finite(arrival.scores),
    }
    received, reception, scores = arrival.received, arrival.reception, arrival.scores
    return Delivery(image, received, importance, sent, reception, scores, record)


@dataclass(frozen=True, eq=False)
class Arrival:
    """One draw of the channel: what the receiver shows, and its scores."""

    reception: Reception
    received: Image
    """Mid-grey where all is lost."""
    sha256: str
    """Hash of the received picture."""
    scores: dict[str, float | None]
    """None for scores that have no meaning here."""

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
    scored: dict[str, dict[str, float | None]] | None = None,
) -> Arrival:
    """Let a transmission pass one draw of the channel, receive it and score what arrives.

    Parameters
    ----------
    image, importance
        Original, and what of it matters.
    sent, link
        The transmission, and the link that it was made for.
    seed
        Seed of the channel's fading and noise.
    scored
        Scores by the hash of the received picture, which are added to: many draws of a channel
        give the same picture, which need not be scored again.
    """
    height, width = image.shape[:2]
    scored = {} if scored is None else scored
    say_stage("transmitting and receiving", height, width)
    reception = carry(sent, link, seed=seed)
    received = reception.shown(height, width)
    sha256 = digest(received)
    if sha256 not in scored:
        say_stage("scoring", height, width)
        scored[sha256] = score(image, received, importance)
    return Arrival(reception, received, sha256, scored[sha256])


def carry(sent: Transmission, link: LinkConfig, *, seed: int) -> Reception:
    """Let a transmission pass the channel, which draws from ``seed``, and receive it."""
    rng = torch.Generator().manual_seed(seed)
    on_air = link.build_channel()(sent.x, noise_var_from_snr_db(link.snr_db), rng)
    return receive(
        on_air,
        num_pilots=link.pilots,
        block_length=link.block_length,
        arrivals=_arrivals(link, rng),
    )


def finite(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Replace what JSON has no number for, as the PSNR of an exact copy, by None."""
    return {n: v if v is not None and math.isfinite(v) else None for n, v in scores.items()}


def expected_psnr_db(image: Image, w: Map, sent: Transmission) -> float | None:
    """Weighted PSNR of the expected squared error, by the channel's law and measured thresholds.

    None for analog codecs, and for channels whose law of the gain is not known.
    """
    if sent.plan.analog_symbols or not isinstance(sent.plan.link.build_channel(), KnownLaw):
        return None
    error = weighted_gain(image, image, w)
    # With equal protection, worth is the squared error, whatever the sender wants.
    worths = worth(sent.stream, LinkConfig(), error)
    left = error - expected_worth(worths, sent.stream, sent.plan, sent.budget)
    return -10 * math.log10(max(left, 1e-6) / (255**2 * image.size))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread.

    A frame is small: threads that wait for a busy core cost more than they give. Sums then also
    have one order, whatever the number of cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def bandwidth(image: Image, sent: Transmission) -> dict[str, Any]:
    """Return how an image was sent and what that took, for records."""
    height, width = image.shape[:2]
    return {
        "scheme": _schemes(sent),
        "encoder": sent.stream.info,
        "num_bits": sent.stream.num_bits,
        "num_symbols": len(sent.x),
        "num_uses": sent.num_uses,
        "cbr": bandwidth_ratio(sent.num_uses, height, width),
        "accounting": {item: float(uses) for item, uses in sent.accounting.items()},
    }


def _arrivals(link: LinkConfig, rng: torch.Generator) -> Callable[[int], list[bool]] | None:
    """Draw which packets a lossy network brings."""
    network = link.build_losses()
    return None if network is None else lambda count: network((count,), rng).tolist()


def _schemes(sent: Transmission) -> str:
    """How the packets are sent, each way once, in the order of the packets."""
    analog = ["analog"] if sent.plan.analog_symbols else []
    return ", ".join(dict.fromkeys([*analog, *(packet.name for packet in sent.plan.packets)]))
