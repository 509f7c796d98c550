"""The link level: packets to symbols and back.

A packet passes through CRC → code blocks → LDPC → rate matching
(:mod:`channels.fec.transport_block`, or :mod:`channels.fec.equal_blocks` for schemes whose code
blocks have one length), is scrambled (so that its symbols have mean power 1 for any
bytes) and mapped (:mod:`channels.modulation`). The receiver reverses this and checks the
CRC: a packet is received whole or lost. Several receptions of a packet, also of different
redundancy versions, can be combined; :mod:`channels.packets.harq` decides when to send them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.base import ChannelOutput
from channels.errors import InputError
from channels.fec.equal_blocks import equal_block_code
from channels.fec.ldpc.base_graph import choose_base_graph
from channels.fec.packet_code import PacketCode
from channels.fec.scrambling import gold_sequence
from channels.fec.transport_block import count_blocks, transport_code
from channels.modulation import modulate
from channels.packets.mcs import CRC_BITS, Scheme, packet_scheme
from channels.shaping.packet import (
    ShapedPacket,
    block_symbols,
    least_symbols,
    num_shaped_symbols,
    shaped_packet,
)

_SCRAMBLING_SEED = 0x5EC0


def num_packet_symbols(num_bytes: int, scheme: Scheme) -> int:
    """Return the channel uses of a packet of ``num_bytes`` payload bytes.

    Examples
    --------
    >>> num_packet_symbols(1000, Scheme(2, 0.5))  # 8000 bits and a CRC of 24, at 1 bit per use
    8024
    """
    bits = 8 * num_bytes + CRC_BITS
    if scheme.shaped:
        return num_shaped_symbols(8 * num_bytes, scheme.bits_per_symbol, scheme.efficiency)
    if scheme.block_bits:
        return -(-bits // scheme.block_info_bits) * scheme.block_bits // scheme.bits_per_symbol
    # The tolerance stops rounding errors from adding a symbol to a whole quotient.
    return math.ceil(bits / packet_scheme(scheme, 8 * num_bytes).efficiency - 1e-9)


def max_packet_bytes(num_symbols: int, scheme: Scheme) -> int:
    """Return the largest payload in bytes of a packet in ``num_symbols``; negative if none fits.

    Examples
    --------
    >>> max_packet_bytes(8024, Scheme(2, 0.5))
    1000
    """
    if scheme.block_bits:
        blocks = num_symbols * scheme.bits_per_symbol // scheme.block_bits
        return (blocks * scheme.block_info_bits - CRC_BITS) // 8
    if scheme.shaped and num_symbols < least_symbols(scheme.bits_per_symbol):
        return -1
    num_bytes = math.floor((num_symbols * scheme.efficiency - CRC_BITS) / 8 + scheme.shaped * 1e-6)
    while num_packet_symbols(num_bytes, scheme) > num_symbols:
        num_bytes -= 1
    return num_bytes


def num_code_blocks(num_bytes: int, scheme: Scheme) -> int:
    """Return the number of code blocks of a packet of ``num_bytes`` bytes, at least 1."""
    num_bits = 8 * num_bytes
    if scheme.shaped:
        return len(block_symbols(num_packet_symbols(num_bytes, scheme), scheme.bits_per_symbol))
    if scheme.block_bits:
        return -(-(num_bits + CRC_BITS) // scheme.block_info_bits)
    num_coded_bits = num_packet_symbols(num_bytes, scheme) * scheme.bits_per_symbol
    return count_blocks(num_bits + CRC_BITS, choose_base_graph(num_bits, num_bits / num_coded_bits))


def packet_accounting(num_bytes: int, scheme: Scheme) -> dict[str, Fraction]:
    """Break down a packet's channel uses into ``payload``, ``crc`` and ``parity``.

    The fractions are exact; they add up to :func:`num_packet_symbols`.

    Examples
    --------
    >>> uses = packet_accounting(1000, Scheme(2, 0.5))
    >>> sum(uses.values()) == num_packet_symbols(1000, Scheme(2, 0.5))
    True
    """
    code = _shaped_code(num_bytes, scheme) if scheme.shaped else packet_code(num_bytes, scheme)
    bits = {"payload": 8 * num_bytes, "crc": code.num_crc_bits, "parity": code.num_parity_bits}
    return {item: Fraction(count, scheme.bits_per_symbol) for item, count in bits.items()}


def encode_packet(data: bytes, scheme: Scheme, *, rv: int = 0) -> Tensor:
    """Encode bytes as complex64 symbols, shape (num_packet_symbols,), mean power near 1.

    ``rv`` is the redundancy version, 0 to 3; all take the same number of symbols.

    Examples
    --------
    >>> x = encode_packet(b"semantic", Scheme(2, 0.6))
    >>> x.shape == (num_packet_symbols(8, Scheme(2, 0.6)),)
    True
    """
    return encode_bits(np.unpackbits(np.frombuffer(data, dtype=np.uint8)), scheme, rv=rv)


def decode_packet(
    received: ChannelOutput | Sequence[ChannelOutput],
    num_bytes: int,
    scheme: Scheme,
    *,
    rvs: tuple[int, ...] = (0,),
) -> bytes | None:
    """Decode received symbols into bytes; return None if a CRC fails.

    Parameters
    ----------
    received
        Symbols of shape (num_packet_symbols,), or several receptions of the same packet, which
        are combined.
    num_bytes, scheme
        Size and scheme of the packet as sent.
    rvs
        Redundancy version of every reception, in the same order.

    Raises
    ------
    ValueError
        A number of receptions that differs from that of ``rvs``, or a wrong number of symbols.

    Examples
    --------
    At 0 dB one reception of this packet fails, and two combined succeed:

    >>> from channels.models.awgn import Awgn
    >>> scheme, rng = Scheme(2, 0.6), torch.Generator().manual_seed(0)
    >>> receptions = [Awgn()(encode_packet(b"semantic", scheme, rv=rv), 1.0, rng) for rv in (0, 2)]
    >>> decode_packet(receptions[0], 8, scheme) is None
    True
    >>> decode_packet(receptions, 8, scheme, rvs=(0, 2))
    b'semantic'
    """
    receptions = [received] if isinstance(received, ChannelOutput) else received
    if len(receptions) != len(rvs):
        raise InputError(f"rvs must name {len(receptions)} redundancy versions, got {rvs}")
    if scheme.shaped:
        _check_version(*rvs)
        bits = _shaped_code(num_bytes, scheme).decode(list(receptions))
    else:
        llr = np.concatenate([soft_bits(one, scheme) for one in receptions])
        bits = packet_code(num_bytes, scheme).decode(llr, rvs=rvs)
    return None if bits is None else np.packbits(bits).tobytes()


def encode_bits(bits: NDArray[np.uint8], scheme: Scheme, *, rv: int = 0) -> Tensor:
    """Encode packets, uint8 bits (..., 8·num_bytes), as complex64 (..., num_packet_symbols)."""
    if scheme.shaped:
        _check_version(rv)
        return _shaped_code(bits.shape[-1] // 8, scheme).encode(bits)
    coded = packet_code(bits.shape[-1] // 8, scheme).encode(bits, rv=rv)
    scrambled = coded ^ _scrambling(coded.shape[-1])
    return modulate(torch.from_numpy(scrambled), scheme.bits_per_symbol)


def soft_bits(received: ChannelOutput, scheme: Scheme) -> NDArray[np.float32]:
    """Demap received packets, (..., num_packet_symbols), into LLRs (..., coded bits)."""
    llr = received.llr(scheme.bits_per_symbol).numpy(force=True)
    return np.where(_scrambling(llr.shape[-1]), -llr, llr).astype(np.float32)


def packet_code(num_bytes: int, scheme: Scheme) -> PacketCode:
    """Return the prepared code for packets of ``num_bytes`` payload bytes.

    Raises ``ValueError`` for a shaped scheme, whose symbols are not made of coded bits alone.
    """
    if scheme.shaped:
        raise InputError(f"scheme {scheme.name!r} is shaped and has no plain coded bits")
    if scheme.block_bits:
        sizes = scheme.block_info_bits, scheme.block_bits, scheme.bits_per_symbol
        return equal_block_code(8 * num_bytes, *sizes)
    num_coded_bits = num_packet_symbols(num_bytes, scheme) * scheme.bits_per_symbol
    return transport_code(8 * num_bytes, num_coded_bits, scheme.bits_per_symbol)


def _shaped_code(num_bytes: int, scheme: Scheme) -> ShapedPacket:
    return shaped_packet(8 * num_bytes, scheme.bits_per_symbol, round(scheme.efficiency, 6))


def _check_version(*rvs: int) -> None:
    if any(rvs):
        raise InputError(f"shaped schemes only have redundancy version 0, got {rvs}")


def _scrambling(num_bits: int) -> NDArray[np.uint8]:
    return gold_sequence(num_bits, _SCRAMBLING_SEED)
