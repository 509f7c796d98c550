"""Configuration of a link: the channel, and how sender and receiver deal with it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from numbers import Integral, Real
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from channels.catalogue import CHANNELS, PACKET_CHANNELS
from channels.packets.mcs import Scheme, find_scheme
from channels.packets.scheme_sets import scheme_set
from channels.packets.target import Target
from channels.units import linear_to_db
from semcom.errors import InputError, check_types
from semcom.link.options import LinkOptions

if TYPE_CHECKING:
    from channels.base import Channel, PacketChannel

_MANY = 4  # coherence blocks in a code block whose errors average out
PROTECTIONS = ("equal", "unequal", "graceful")
MAX_COPIES = 4
"""Largest number of copies of a packet."""
MAX_SIDE_MARGIN_DB = 60
"""Largest margin of side information in dB."""
NUM_PLANNED = 33
"""Usual number of SNRs that represent the distribution of the mean SNR that the sender assumes."""


_NUMBERS = (
    *("snr_db", "planned_snr_db", "planned_std_db", "side_margin_db"),
    *("num_pilots", "copies"),
)
_TYPES: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("channel", "csi", "schemes", "protection", "losses"), (str, "a name")),
    "scheme": (str, "a name, or a number as text"),
    **dict.fromkeys(("snr_db", "planned_std_db", "side_margin_db"), (Real, "a number")),
    "planned_snr_db": ((Real, type(None)), "a number"),
    **dict.fromkeys(("num_pilots", "copies"), (Integral, "a whole number")),
    "target": (Target, "a Target"),
}


@dataclass(frozen=True)
class LinkConfig(LinkOptions):
    """Configuration of a link, which sender and receiver know before the first image.

    Parameters
    ----------
    channel
        Channel by name, with options: ``"awgn"``, ``"rician:k_db=9"``.
    snr_db
        Mean SNR (Es/N0) of the channel in dB.
    csi
        Channel knowledge of the receiver. ``"perfect"``: the receiver knows the gain of every
        symbol. ``"pilots"``: it estimates the gain from pilots, which cost channel uses; this is
        for channels that hold their gain over a block.
    num_pilots
        Number of pilots at the head of every coherence block, for ``csi="pilots"``.
    scheme
        Fixed modulation and code rate, by name (``"16-QAM 0.602"``) or number in the set (``"3"``).
        If empty,
        the SNR and the length of each packet decide (:mod:`channels.packets.selection`).
    schemes
        Name of the set of schemes that sender and receiver agreed on
        (:mod:`channels.packets.scheme_sets`). ``"nr"``: the tables of 5G NR, and rates in between.
        ``"papers"``: the eight schemes of papers on semantic communication, with code blocks of
        6144 coded bits. ``"shaped"``: those of 5G, and for long packets QAM whose weak amplitudes
        are sent more often, which comes closer to capacity (:mod:`channels.shaping`); for AWGN and
        fading that holds for a whole frame. The header is coded as in 5G with every set.
    copies
        Number of times that every packet is sent, 1 to 4.
    protection
        ``"equal"``: all packets are equally safe, at least as safe as the target demands.
        ``"unequal"``: important packets are sent more robustly, based on the law of the channel
        (:mod:`semcom.link.packet_allocation`), so as to minimise the expected weighted squared
        error. ``"graceful"``: the same, but so as to maximise the expected weighted PSNR, which
        accepts more bad pictures in return for better good ones.
    planned_snr_db, planned_std_db
        Mean SNR that the sender assumes (None: the true value), and the standard deviation of that
        assumption in dB, for a normal distribution as under shadowing. Equal protection plans for
        the SNR that is missed only with the accepted outage probability; the others plan for the
        whole distribution.
    side_margin_db
        Margin in dB, 0 to 60, for analog codecs: header and side information are protected for an
        SNR that is lower than the planned one by this much, so that the channel may fall so far
        before the picture is lost. 0 is the plan of a digital codec, which has no margin.
    losses
        Packet channel by name (``"packet_erasure:p=0.1"``) that causes additional packet loss.
        Every packet and every copy may be lost in it, but not the control block. Empty: no
        additional loss. The sender knows the mean loss rate, and plans as if losses were
        independent: bursts lose more copies of a packet at once, above all those of the first one,
        which follow each other.
    target
        Error rates that the choice of the scheme accepts: the error probability of a transmission,
        and the outage, which is the probability of a fade too deep for it.

    Raises
    ------
    ValueError
        If a value is out of range, a name is unknown, or options contradict each other.

    Examples
    --------
    >>> LinkConfig(channel="rician:k_db=9", csi="pilots").pilots
    8
    >>> round(LinkConfig(snr_db=10.0, planned_std_db=3.0).usable_snr_db, 2)
    6.16
    >>> LinkConfig(channel="jakes", csi="pilots")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: channel 'jakes' does not hold its gain over blocks, so pilots ...
    """

    target: Target = Target()  # noqa: RUF009 - it is frozen

    def __post_init__(self) -> None:
        check_types(vars(self), _TYPES)
        for name in _NUMBERS:  # records are JSON, which knows no numbers of NumPy
            value = getattr(self, name)
            object.__setattr__(self, name, getattr(value, "item", lambda value=value: value)())
        for snr_db in (self.snr_db, self._planned_db):
            if not -300 <= snr_db <= 300:  # what single precision holds
                raise InputError(f"SNR must be between -300 and 300 dB, got {snr_db}")
        if not 0 <= self.planned_std_db <= 30:
            raise InputError(
                "the standard deviation of the planned SNR must be 0 to 30 dB, "
                f"got {self.planned_std_db}"
            )
        if not 0 <= self.side_margin_db <= MAX_SIDE_MARGIN_DB:
            raise InputError(
                f"the margin of side information must be 0 to {MAX_SIDE_MARGIN_DB} dB, "
                f"got {self.side_margin_db}"
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
                f"{self.protection} protection chooses schemes and copies itself; leave out scheme "
                "and copies"
            )
        self.allowed_schemes()
        self.build_losses()
        channel = self.build_channel()
        if self.schemes == "shaped":
            from channels.packets.selection import check_steady  # imports PyTorch

            check_steady(channel, name=f"channel {self.channel!r}")
        if self.csi == "pilots" and not _holds_gain(channel):
            raise InputError(
                f"channel {self.channel!r} does not hold its gain over blocks, so pilots cannot "
                "follow it; use csi 'perfect', a block-fading channel, or OFDM, which has pilots"
            )
        if self.csi == "pilots":
            from channels.packets.pilots import num_pilot_symbols  # imports PyTorch

            num_pilot_symbols(1, self.num_pilots, self.block_length)  # refuses too many in a block

    def build_channel(self) -> Channel:
        """Return the channel model; equal configurations share one."""
        return _build_channel(self.channel)

    def allowed_schemes(self) -> tuple[Scheme, ...]:
        """Return the schemes that packets may use: the fixed one, or all of the set."""
        known = scheme_set(self.schemes)
        return (find_scheme(self.scheme, known),) if self.scheme else known

    @property
    def pilots(self) -> int:
        """Number of pilots per coherence block; 0 with perfect channel knowledge."""
        return self.num_pilots if self.csi == "pilots" else 0

    def build_losses(self) -> PacketChannel | None:
        """Build the packet channel, or return None if there is no additional loss."""
        if not self.losses:
            return None
        network: PacketChannel = PACKET_CHANNELS.create(self.losses)
        return network

    @property
    def loss_rate(self) -> float:
        """Share of packets that are lost regardless of the SNR."""
        return float(getattr(self.build_losses(), "loss_rate", 0.0))

    @property
    def _planned_db(self) -> float:
        return self.snr_db if self.planned_snr_db is None else self.planned_snr_db

    @property
    def usable_snr_db(self) -> float:
        """Planned SNR in dB minus the loss through the error of the channel estimate.

        The error of one estimate affects all symbols of its block. Its power has an exponential
        distribution with mean N0/P, where P is the number of pilots; the loss is taken at the power
        that is exceeded with the accepted outage probability. If the planned SNR has a
        distribution, its quantile at that probability is used.
        """
        short = self._quantile_db(self.target.outage) if self.planned_std_db else 0.0
        return self._planned_db + short - self._estimation_loss_db

    def usable_snr_of_frame_db(self, num_symbols: int, code_blocks: int) -> float:
        """Planned SNR in dB minus the loss through the estimates of a frame's coherence blocks.

        Each coherence block has its own error, and the worst code block decides. Errors that a code
        block sees average out if they are many, and their mean power then has a gamma distribution;
        of few, the worst decides.

        Parameters
        ----------
        num_symbols
            Symbols of the frame.
        code_blocks
            Code blocks that share them, at least 1.
        """
        if not (self.pilots and 0 < self.block_length < num_symbols):
            return self.usable_snr_db
        from scipy.special import gammainccinv  # takes a part of a second to import

        blocks = math.ceil(num_symbols / self.block_length)
        seen, independent = blocks / code_blocks, code_blocks
        if seen < _MANY:
            seen, independent = 1.0, blocks
        worst = 1 - (1 - self.target.outage) ** (1 / independent)
        error = float(gammainccinv(seen, worst)) / seen
        loss = float(linear_to_db(1 + error / self.pilots))
        return self.usable_snr_db + self._estimation_loss_db - loss

    def usable_snrs_db(self, number: int = NUM_PLANNED) -> tuple[float, ...]:
        """Return equally likely usable SNRs in dB: one, or ``number`` for a distribution."""
        usable = self._planned_db - self._estimation_loss_db
        if not self.planned_std_db:
            return (usable,)
        shares = [(i + 0.5) / number for i in range(number)]
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
        """Length of a coherence block in symbols; 0 stands for the whole frame."""
        return int(getattr(self.build_channel(), "block_length", 0))


@functools.lru_cache(maxsize=64)
def _build_channel(spec: str) -> Channel:
    channel: Channel = CHANNELS.create(spec)
    return channel


def _holds_gain(channel: Channel) -> bool:
    """Whether gains are constant over blocks of symbols, so that each block can carry pilots."""
    from channels.base import Costed

    if isinstance(channel, Costed) or channel.coherence == "fast":
        return False
    return channel.coherence != "varying" or hasattr(channel, "block_length")
