"""What sender and receiver have agreed on: the channel, and how the sender deals with it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from channels.catalogue import CHANNELS, PACKET_CHANNELS
from channels.packets.mcs import find_scheme
from channels.packets.target import Target
from channels.units import linear_to_db
from semcom.errors import InputError
from semcom.link.options import LinkOptions

if TYPE_CHECKING:
    from channels.base import Channel, PacketChannel

PROTECTIONS = ("equal", "unequal", "graceful")
MAX_COPIES = 4
"""Of a packet."""
NUM_PLANNED = 33
"""SNRs that stand for the law of what the sender takes for the mean SNR."""


@dataclass(frozen=True)
class LinkConfig(LinkOptions):
    """What sender and receiver have agreed on before the first image.

    Parameters
    ----------
    channel
        Channel by name, with options: ``"awgn"``, ``"rician:k_db=9"``.
    snr_db
        Mean SNR (Es/N0) in dB that the channel has.
    csi
        ``"perfect"``: a genie tells the receiver the gain of every symbol. ``"pilots"``: it is
        estimated from pilots, which are paid for; for channels that hold their gain.
    num_pilots
        Pilots at the head of every coherence block, for ``csi="pilots"``.
    scheme
        Modulation and code rate by name (``"16-QAM 0.602"``) or number, whatever the SNR; empty:
        chosen by it and by the length of each packet (:mod:`channels.packets.selection`).
    copies
        How often every packet is sent, 1 to 4.
    protection
        ``"equal"``: all packets are equally safe, at least as safe as the target asks.
        ``"unequal"``: what matters more is sent more robustly, by the law of the channel
        (:mod:`semcom.link.packet_allocation`), so that the expected weighted squared error is
        least. ``"graceful"``: likewise, but so that the expected weighted PSNR is highest, which
        risks more bad pictures for better good ones.
    planned_snr_db, planned_std_db
        What the sender takes for the mean SNR, and how unsure it is: the standard deviation in dB
        of a normal law, as that of shadowing. None: the SNR that the channel has. Equal protection
        plans for the SNR that falls short with the accepted outage, others for the whole law.
    losses
        Packet channel by name (``"packet_erasure:p=0.1"``) that packets of the frame, copies
        counted, go through besides; the control block is never lost in it. Empty: none. The sender
        knows the share of losses.
    target
        The error rates that the choice of the scheme accepts.
    """

    target: Target = Target()  # noqa: RUF009 - it is frozen

    def __post_init__(self) -> None:
        for snr_db in (self.snr_db, self._planned_db):
            if not -300 <= snr_db <= 300:  # what single precision holds
                raise InputError(f"SNR must be between -300 and 300 dB, got {snr_db}")
        if not 0 <= self.planned_std_db <= 30:
            raise InputError(
                f"the planned SNR's deviation must be 0 to 30 dB, got {self.planned_std_db}"
            )
        if self.csi not in ("perfect", "pilots"):
            raise InputError(f"unknown csi {self.csi!r}; choices: perfect, pilots")
        if self.csi == "pilots" and self.num_pilots < 1:
            raise InputError(f"pilots per block must be at least 1, got {self.num_pilots}")
        if self.protection not in PROTECTIONS:
            choices = ", ".join(PROTECTIONS)
            raise InputError(f"unknown protection {self.protection!r}; choices: {choices}")
        if not 1 <= self.copies <= MAX_COPIES:
            raise InputError(f"copies must be 1 to {MAX_COPIES}, got {self.copies}")
        if self.protection != "equal" and (self.scheme or self.copies > 1):
            raise InputError(
                f"{self.protection} protection chooses schemes and copies itself; give none"
            )
        if self.scheme:
            find_scheme(self.scheme)
        self.build_losses()
        channel = self.build_channel()
        if self.csi == "pilots" and not _holds_gain(channel):
            raise InputError(
                f"channel {self.channel!r} does not hold its gain over blocks, pilots cannot "
                "follow it; use csi 'perfect', a block-fading channel, or OFDM, which has pilots"
            )

    def build_channel(self) -> Channel:
        """Build the channel model; the same link gets the same one."""
        return _build_channel(self.channel)

    @property
    def pilots(self) -> int:
        """Pilots per coherence block: none with perfect channel knowledge."""
        return self.num_pilots if self.csi == "pilots" else 0

    def build_losses(self) -> PacketChannel | None:
        """Build the packet channel; None where nothing is lost besides."""
        if not self.losses:
            return None
        network: PacketChannel = PACKET_CHANNELS.create(self.losses)
        return network

    @property
    def loss_rate(self) -> float:
        """Share of packets that get lost whatever the SNR."""
        return float(getattr(self.build_losses(), "loss_rate", 0.0))

    @property
    def _planned_db(self) -> float:
        return self.snr_db if self.planned_snr_db is None else self.planned_snr_db

    @property
    def usable_snr_db(self) -> float:
        """Planned SNR less what the error of the channel estimate costs.

        The error of one estimate stays for all symbols of its block. Its power is exponential with
        mean N0/P; counted is what it exceeds with the accepted probability of outage. Of a law, the
        SNR that falls short with that probability.
        """
        short = self._quantile_db(self.target.outage) if self.planned_std_db else 0.0
        return self._planned_db + short - self._estimation_loss_db

    @property
    def usable_snrs_db(self) -> tuple[float, ...]:
        """Equally likely usable SNRs: one, or :data:`NUM_PLANNED` of a law."""
        usable = self._planned_db - self._estimation_loss_db
        if not self.planned_std_db:
            return (usable,)
        shares = [(i + 0.5) / NUM_PLANNED for i in range(NUM_PLANNED)]
        return tuple(usable + self._quantile_db(share) for share in shares)

    def _quantile_db(self, share: float) -> float:
        return NormalDist(0.0, self.planned_std_db).inv_cdf(share)

    @property
    def _estimation_loss_db(self) -> float:
        if not self.pilots:
            return 0.0
        return float(linear_to_db(1 - math.log(self.target.outage) / self.pilots))

    @property
    def block_length(self) -> int:
        """Coherence block in symbols; 0 stands for the whole frame."""
        return int(getattr(self.build_channel(), "block_length", 0))


@functools.lru_cache(maxsize=64)
def _build_channel(spec: str) -> Channel:
    channel: Channel = CHANNELS.create(spec)
    return channel


def _holds_gain(channel: Channel) -> bool:
    """Whether gains last for blocks of symbols, on each of which pilots can stand."""
    from channels.base import Costed

    if isinstance(channel, Costed) or channel.coherence == "fast":
        return False
    return channel.coherence != "varying" or hasattr(channel, "block_length")
