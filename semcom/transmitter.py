"""The sender: image and importance map to complex symbols within a bandwidth budget."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

from channels.adaptation import Target, select_header, select_scheme
from channels.base import Channel, Costed, max_symbols, num_uses
from channels.channels import CHANNELS
from channels.csi import insert_pilots, num_pilot_symbols
from channels.mcs import Scheme, find_scheme, header_scheme
from channels.phy import (
    encode_packet,
    max_packet_bytes,
    num_packet_symbols,
    packet_accounting,
)
from channels.units import linear_to_db, symbol_budget
from semcom.codecs.base import CODECS, BudgetTooSmallError, DigitalCodec
from semcom.frame import MAX_PACKET_BYTES, Header, control_symbols
from semcom.importance import check_map
from semcom.types import Bitstream, Image, Map

DEFAULT_PILOTS = 8


@dataclass(frozen=True)
class Link:
    """What sender and receiver have agreed on before the first image.

    Parameters
    ----------
    channel
        Channel by name, with options: ``"awgn"``, ``"rician:k_db=9"``.
    snr_db
        Mean SNR (Es/N0) in dB; the sender knows it, and chooses its scheme by it.
    csi
        ``"perfect"``: a genie tells the receiver the gain of every symbol. ``"pilots"``: it is
        estimated from pilots, which are paid for; for channels that hold their gain.
    num_pilots
        Pilots at the head of every coherence block, for ``csi="pilots"``.
    target
        The error rates that the choice of the scheme accepts.
    scheme
        Modulation and code rate by name (``"16-QAM 0.602"``) or number, whatever the SNR; empty:
        chosen by it (:mod:`channels.adaptation`).
    """

    channel: str = "awgn"
    snr_db: float = 10.0
    csi: Literal["perfect", "pilots"] = "perfect"
    num_pilots: int = DEFAULT_PILOTS
    target: Target = field(default_factory=Target)
    scheme: str = ""

    def __post_init__(self) -> None:
        if not -300 <= self.snr_db <= 300:  # what single precision holds
            raise ValueError(f"SNR must be between -300 and 300 dB, got {self.snr_db}")
        if self.csi not in ("perfect", "pilots"):
            raise ValueError(f"unknown csi {self.csi!r}; choices: perfect, pilots")
        if self.csi == "pilots" and self.num_pilots < 1:
            raise ValueError(f"pilots per block must be at least 1, got {self.num_pilots}")
        if self.scheme:
            find_scheme(self.scheme)
        channel = self.build_channel()
        if self.csi == "pilots" and not _holds_gain(channel):
            raise ValueError(
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

    @property
    def usable_snr_db(self) -> float:
        """Mean SNR less what the error of the channel estimate costs (:mod:`channels.csi`).

        The error of one estimate stays for all symbols of its block. Its power is exponential with
        mean N0/P; counted is what it exceeds with the accepted probability of outage.
        """
        if not self.pilots:
            return self.snr_db
        return self.snr_db - linear_to_db(1 - math.log(self.target.outage) / self.pilots)

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
    if isinstance(channel, Costed) or channel.coherence == "fast":
        return False
    return channel.coherence != "varying" or hasattr(channel, "block_length")


@dataclass(frozen=True, eq=False)
class Transmission:
    """What goes on the air for one image."""

    x: Tensor
    """complex64 (num_symbols,), mean power near 1."""
    header: Header
    stream: Bitstream
    budget: int
    """Channel uses allowed; :attr:`num_uses` is at most that."""
    num_uses: int
    """Channel uses taken: one per symbol, unless the channel has pilots or antennas of its own."""
    accounting: dict[str, Fraction]
    """Channel uses by what they carry; they add up to :attr:`num_uses`."""


def transmit(
    image: Image, w: Map, *, codec: str, cbr: Fraction | float, link: Link
) -> Transmission:
    """Encode ``image`` by importance into at most ``cbr·3·H·W`` channel uses.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    w
        Importance map (H, W) float32 of mean 1.
    codec
        Codec by name, with options: ``"hevc:tiles=2x2"``.
    cbr
        Channel bandwidth ratio allowed: complex channel uses per source sample.
    link
        The channel as the sender knows it.

    Raises
    ------
    ValueError
        An unknown name, a map that is none, or a budget that not even the smallest stream fits;
        the message says the smallest CBR that would do.
    """
    height, width = image.shape[:2]
    check_map(w, height, width)
    encoder: DigitalCodec = CODECS.create(codec)
    budget = symbol_budget(cbr, height, width)
    try:
        stream, plan = _encode_within(encoder, image, w, link, budget)
    except BudgetTooSmallError as error:
        stream = encoder.encode(image, w, error.num_bits)
        sizes = _sizes(stream)
        plan = _plan(link, budget, len(sizes))
        if plan.num_uses(sizes) > budget:
            need = _smallest_budget(link, stream, budget)
            raise ValueError(_too_small(image, budget, need)) from None
    sizes = _sizes(stream)
    header = Header(codec.partition(":")[0], height, width, plan.scheme, sizes)
    x = _modulate(header, stream, plan)
    assert len(x) == plan.num_symbols(sizes)
    uses = plan.num_uses(sizes)
    assert uses <= budget
    return Transmission(x, header, stream, budget, uses, plan.accounting(sizes))


@dataclass(frozen=True)
class _Plan:
    """How packets become a frame, and what that costs."""

    link: Link
    scheme: Scheme
    header_symbols: int

    def num_uses(self, sizes: tuple[int, ...]) -> int:
        """Channel uses of a frame with packets of these lengths in bytes."""
        return num_uses(self.link.build_channel(), self.num_symbols(sizes))

    def num_symbols(self, sizes: tuple[int, ...]) -> int:
        """Symbols of such a frame."""
        data = sum(num_packet_symbols(size, self.scheme) for size in sizes)
        data += control_symbols(self.header_symbols, len(sizes))
        return data + self._pilots(data)

    def max_bits(self, budget: int, packets: int) -> int:
        """Payload bits that surely fit into ``budget`` channel uses with so many packets."""
        data = symbols = max_symbols(self.link.build_channel(), budget)
        while data > 0 and data + self._pilots(data) > symbols:
            data -= max(1, data + self._pilots(data) - symbols)
        room = data - control_symbols(self.header_symbols, packets)
        # Packets but the last may each waste part of a symbol and part of a byte.
        waste = (packets - 1) * (num_packet_symbols(0, self.scheme) + 1)
        most = max_packet_bytes(room - waste, self.scheme) - (packets - 1)
        return 8 * max(0, min(most, packets * MAX_PACKET_BYTES))

    def accounting(self, sizes: tuple[int, ...]) -> dict[str, Fraction]:
        """Channel uses by what they carry.

        Where antennas send several symbols at a time, each takes its share of a use; what the
        channel takes beyond that (OFDM's pilots and prefix, rounding) is ``overhead``.
        """
        control = control_symbols(self.header_symbols, len(sizes))
        items = {"payload": Fraction(0), "crc": Fraction(0), "parity": Fraction(0)}
        for size in sizes:
            for item, uses in packet_accounting(size, self.scheme).items():
                items[item] += uses
        pilots = self._pilots(control + int(sum(items.values())))
        items = {"header": Fraction(control), "pilots": Fraction(pilots), **items}
        channel, symbols = self.link.build_channel(), self.num_symbols(sizes)
        total = num_uses(channel, symbols)
        share = Fraction(1, int(getattr(channel, "num_streams", 1)))
        paid = {item: share * count for item, count in items.items()}
        return {**paid, "overhead": total - sum(paid.values(), Fraction(0))}

    def _pilots(self, num_data: int) -> int:
        if not self.link.pilots:
            return 0
        return num_pilot_symbols(num_data, self.link.pilots, self.link.block_length)


def _encode_within(
    encoder: DigitalCodec, image: Image, w: Map, link: Link, budget: int
) -> tuple[Bitstream, _Plan]:
    """Return the best stream whose frame fits, and the plan of that frame.

    Each packet has its own overhead and its own code, so their number decides about the scheme and
    how many bits are left for payload.
    """
    packets = 1
    while True:
        plan = _plan(link, budget, packets)
        max_bits = plan.max_bits(budget, packets)
        stream = encoder.encode(image, w, max_bits)
        if stream.num_bits > max_bits:
            raise ValueError(f"codec wrote {stream.num_bits} bits, {max_bits} were allowed")
        if len(stream.packets) == packets:
            assert plan.num_uses(_sizes(stream)) <= budget
            return stream, plan
        packets = len(stream.packets)


def _sizes(stream: Bitstream) -> tuple[int, ...]:
    return tuple(len(packet.data) for packet in stream.packets)


def _plan(link: Link, budget: int, packets: int) -> _Plan:
    """Choose the scheme and the header for a frame of ``budget`` symbols with so many packets."""
    channel, snr_db = link.build_channel(), link.usable_snr_db
    symbols = max(1, max_symbols(channel, budget))
    scheme = (
        find_scheme(link.scheme)
        if link.scheme
        else select_scheme(channel, snr_db, symbols, link.target, num_packets=packets)
    )
    return _Plan(link, scheme, select_header(channel, snr_db, link.target))


def _smallest_budget(link: Link, stream: Bitstream, too_small: int) -> int:
    """Return the fewest channel uses that carry ``stream``; longer codes need less parity."""
    sizes = _sizes(stream)
    low, high = too_small, _plan(link, too_small, len(sizes)).num_uses(sizes)
    while (need := _plan(link, high, len(sizes)).num_uses(sizes)) > high:
        low, high = high, need
    while high - low > 1:
        middle = (low + high) // 2
        enough = _plan(link, middle, len(sizes)).num_uses(sizes) <= middle
        low, high = (low, middle) if enough else (middle, high)
    return high


def _too_small(image: Image, budget: int, need: int) -> str:
    samples = image.size
    return (
        f"a CBR of {budget / samples:.5f} ({budget} channel uses) is too small for this "
        f"{image.shape[1]}x{image.shape[0]} image; the smallest that fits is "
        f"{_round_up(need / samples):.6f} ({need} channel uses)"
    )


def _round_up(cbr: float) -> float:
    """Round up to six decimals, so that the number works when it is typed in."""
    return -(-cbr * 1e6 // 1) / 1e6


def _modulate(header: Header, stream: Bitstream, plan: _Plan) -> Tensor:
    robust = header_scheme(plan.header_symbols)
    blocks = [encode_packet(block, robust) for block in header.pack() if block]
    blocks += [encode_packet(packet.data, plan.scheme) for packet in stream.packets]
    x = torch.cat(blocks)
    if plan.link.pilots:
        x = insert_pilots(x, plan.link.pilots, plan.link.block_length)
    return x
