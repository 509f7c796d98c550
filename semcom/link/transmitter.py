"""The sender: from image and importance map to complex symbols within a bandwidth budget."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from channels.packets.mcs import header_scheme
from channels.packets.packet import encode_packet
from channels.packets.pilots import insert_pilots
from channels.units import symbol_budget
from semcom.codecs.base import (
    CODECS,
    BudgetTooSmallError,
    DigitalCodec,
    is_analog,
    weighted_gain,
)
from semcom.errors import InputError
from semcom.importance.maps import check_map
from semcom.link.analog_frame import encode_analog
from semcom.link.config import LinkConfig
from semcom.link.frame import Header, analog_packets, masked
from semcom.link.frame_plan import Plan, most_bits, plan_equal, room
from semcom.link.unequal_protection import plan_unequal, rates
from semcom.types import Bitstream, Image, Map

_RATE_STEPS = (2, 2**0.5, 2**0.25, 2**0.125)
_MOST_STEPS = 5  # attempts with equal protection, after a stream fits
_UNUSED = 0.01  # accepted share of unused bits in a frame
_MOST_BITS = 1 << 40
_ENOUGH_STEPS = 2  # attempts for streams of several packets: protection uses what the rate leaves


@dataclass(frozen=True, eq=False)
class Transmission:
    """The transmitted frame of one image."""

    x: Tensor
    """complex64 (num_symbols,), mean power near 1."""
    header: Header
    stream: Bitstream
    """The packets that the plan refers to; those that are not sent have length 0 in the plan. For
    an analog codec, its side information."""
    plan: Plan
    budget: int
    """Channel uses allowed; the plan takes no more."""
    codec: str = ""
    """Codec with its options, as the sender was asked for it."""

    @property
    def num_uses(self) -> int:
        """Channel uses of the frame: one per symbol unless the channel has pilots or antennas."""
        return self.plan.num_uses

    @property
    def accounting(self) -> dict[str, Fraction]:
        """Channel uses by what they carry; the sum is :attr:`num_uses`."""
        return self.plan.accounting()


def transmit(
    image: Image, w: Map, *, codec: str, cbr: Fraction | float, link: LinkConfig
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
        Allowed channel bandwidth ratio: complex channel uses per source sample.
    link
        The channel as the sender knows it.

    Raises
    ------
    ValueError
        An unknown name, an invalid map, or a budget that is too small for any stream; the message
        gives the smallest sufficient CBR.
    """
    height, width = image.shape[:2]
    check_map(w, height, width)
    encoder = CODECS.create(codec)
    budget = symbol_budget(cbr, height, width)
    analog = torch.zeros(0, dtype=torch.complex64)
    if is_analog(encoder):
        signal, plan = encode_analog(encoder, image, w, link, budget)
        stream, analog = Bitstream(analog_packets(signal), signal.info), signal.symbols
        if plan.num_uses > budget:
            raise InputError(_too_small(image, budget, plan.num_uses))
    else:
        stream, plan = _encode_digital(encoder, image, w, link, budget)
    header = Header(codec.partition(":")[0], height, width, plan.packets, link.schemes)
    x = _modulate(header, stream, plan, analog)
    assert len(x) == plan.num_symbols
    if plan.num_uses > budget:
        raise RuntimeError(f"planned {plan.num_uses} channel uses, {budget} are allowed")
    return Transmission(x, header, stream, plan, budget, codec)


def _encode_digital(
    encoder: DigitalCodec, image: Image, w: Map, link: LinkConfig, budget: int
) -> tuple[Bitstream, Plan]:
    encode = _encode_equal if link.protection == "equal" else _encode_unequal
    try:
        return encode(encoder, image, w, link, budget)
    except BudgetTooSmallError as error:
        stream = encoder.encode(image, w, error.num_bits)
        plan = _least(stream, link, budget)
        if plan.num_uses > budget:
            need = _smallest_budget(link, stream, budget)
            raise InputError(_too_small(image, budget, need)) from None
        return stream, plan


def _encode_equal(
    encoder: DigitalCodec, image: Image, w: Map, link: LinkConfig, budget: int
) -> tuple[Bitstream, Plan]:
    """Return the largest stream whose frame fits, and the plan of that frame.

    Each packet has its own overhead and, depending on its length, its own scheme, so that the cost
    of a stream is only known once it exists. The next attempt asks for as many bits as the frame
    would carry at the rate of the last one.
    """
    symbols = room(link, budget)
    max_bits, fits, too_many = most_bits(link, budget), 0, _MOST_BITS
    best: tuple[Bitstream, Plan] | None = None
    steps = 0
    while best is None or (steps < _MOST_STEPS and max_bits > (1 + _UNUSED) * fits):
        steps += 1
        try:
            stream = _encode(encoder, image, w, max_bits)
        except BudgetTooSmallError:
            if best is None:
                raise
            break
        plan, needed = plan_equal(link, budget, _sizes(stream))
        affordable = stream.num_bits * symbols // needed
        if needed > symbols:
            too_many = max_bits
            max_bits = min(affordable, int((1 - _UNUSED) * min(max_bits, stream.num_bits)))
        else:
            fits = max_bits
            if best is None or stream.num_bits > best[0].num_bits:
                best = stream, plan
            max_bits = min(affordable, (fits + too_many) // 2)
    return best


def _encode_unequal(
    encoder: DigitalCodec, image: Image, w: Map, link: LinkConfig, budget: int
) -> tuple[Bitstream, Plan]:
    """Return the stream and the plan of the highest expected gain.

    More bits with less protection compete with fewer bits and more protection. The search changes
    the rate by a factor, which is halved (in decibels) when neither direction improves. If no
    packet is better than mid-grey, which may be the picture itself, protection is equal.
    """
    found: dict[int, tuple[float, Bitstream, Plan]] = {}
    floors = []
    error = weighted_gain(image, image, w)
    low, high = rates(link, budget)

    def gain(max_bits: int) -> float:
        if not low <= max_bits <= high:
            return -math.inf
        if max_bits not in found:
            try:
                stream = _encode(encoder, image, w, max_bits)
            except BudgetTooSmallError as short:
                floors.append(short.num_bits)
                return -math.inf
            plan, expected = plan_unequal(stream, link, budget, error)
            sent = dataclasses.replace(stream, packets=stream.packets[: len(plan.packets)])
            found[max_bits] = expected, sent, plan
        return found[max_bits][0]

    best = round(math.sqrt(low * high))
    while gain(best) == -math.inf and best < high:
        best = min(2 * best, high)
    for i, step in enumerate(_RATE_STEPS):
        if i >= _ENOUGH_STEPS and best in found and len(found[best][1].packets) > 1:
            break
        while (better := max((best, round(best * step), round(best / step)), key=gain)) != best:
            best = better
    if gain(best) == -math.inf and found:  # no packet is better than mid-grey
        return _encode_equal(
            encoder, image, w, dataclasses.replace(link, protection="equal"), budget
        )
    if gain(best) == -math.inf:
        raise BudgetTooSmallError(min(floors), high)
    return found[best][1:]


def _encode(encoder: DigitalCodec, image: Image, w: Map, max_bits: int) -> Bitstream:
    stream = encoder.encode(image, w, max_bits)
    if stream.num_bits > max_bits:
        raise InputError(f"codec wrote {stream.num_bits} bits, {max_bits} were allowed")
    return stream


def _sizes(stream: Bitstream) -> tuple[int, ...]:
    return tuple(len(packet.data) for packet in stream.packets)


def _least(stream: Bitstream, link: LinkConfig, budget: int) -> Plan:
    """Plan a frame for the smallest stream; it may exceed the budget."""
    if link.protection != "equal":
        plan, gain = plan_unequal(
            stream, dataclasses.replace(link, protection="unequal"), budget, 0
        )
        if gain > -math.inf and len(plan.packets) == len(stream.packets):
            return plan
        link = dataclasses.replace(link, protection="equal")
    return plan_equal(link, budget, _sizes(stream)).plan


def _smallest_budget(link: LinkConfig, stream: Bitstream, too_small: int) -> int:
    """Return the fewest channel uses that carry ``stream``; longer codes need less parity."""
    low, high = too_small, _least(stream, link, too_small).num_uses
    while (need := _least(stream, link, high).num_uses) > high:
        low, high = high, need
    while high - low > 1:
        middle = (low + high) // 2
        enough = _least(stream, link, middle).num_uses <= middle
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
    """Round up to six decimals, so that the printed number works as input."""
    return -(-cbr * 1e6 // 1) / 1e6


def _modulate(header: Header, stream: Bitstream, plan: Plan, analog: Tensor) -> Tensor:
    about, table = header.pack()
    coded = [
        encode_packet(packet.data, sent.scheme) if sent.num_bytes else None
        for packet, sent in zip(stream.packets, plan.packets, strict=True)
    ]
    packets = [(i, block) for i, _ in header.order() if (block := coded[i]) is not None]
    blocks = [_control(about, plan.header_symbols)]
    blocks += [block for i, block in packets if i == 0]
    blocks += [_control(table, plan.table_code)] if table else []
    blocks += [block for i, block in packets if i > 0]
    x = torch.cat([*blocks, analog])
    if plan.link.pilots:
        x = insert_pilots(x, plan.link.pilots, plan.link.block_length)
    return x


def _control(block: bytes, code: int) -> Tensor:
    return encode_packet(masked(block, code), header_scheme(code))
