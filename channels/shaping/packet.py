"""Packets of shaped code blocks.

A packet gets a CRC of 24 bits and is cut into blocks of nearly equal length. The lengths follow
from the symbols: as few blocks as possible share them, and each carries its symbols times the
efficiency. Unlike in 5G NR, blocks have no CRC of their own, which would cost 0.05 dB: they are
never repeated alone. A packet that fills less than half of the longest block is padded with zeros,
as is the last block. The message is scrambled, so that any bytes have the statistics that shaping
relies on.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.base import ChannelOutput
from channels.errors import InputError
from channels.fec.crc import crc_attach, crc_check, crc_length
from channels.fec.scrambling import gold_sequence
from channels.shaping.block import shaped_block
from channels.shaping.schemes import MAX_SYMBOLS

Bits = NDArray[np.uint8]
CRC_BITS = crc_length("24A")
_SCRAMBLING_SEED = 0x5EC0


def least_symbols(bits_per_symbol: int) -> int:
    """Return the symbols of the shortest packet: half of the longest block."""
    return MAX_SYMBOLS[bits_per_symbol] // 2


def num_shaped_symbols(num_bits: int, bits_per_symbol: int, efficiency: float) -> int:
    """Return the symbols of a packet of ``num_bits``.

    Examples
    --------
    >>> num_shaped_symbols(15_976, 6, 3.2)  # and a CRC of 24 bits
    5000
    """
    symbols = math.ceil((num_bits + CRC_BITS) / efficiency - 1e-9)
    return max(symbols, least_symbols(bits_per_symbol))


def block_symbols(num_symbols: int, bits_per_symbol: int) -> list[int]:
    """Share the symbols of a packet among as few blocks as possible, the smaller first.

    Examples
    --------
    >>> block_symbols(5000, 6)
    [1250, 1250, 1250, 1250]
    """
    count = -(-num_symbols // MAX_SYMBOLS[bits_per_symbol])
    small, larger = divmod(num_symbols, count)
    return [small] * (count - larger) + [small + 1] * larger


def block_message_bits(num_symbols: int, efficiency: float) -> int:
    """Return the message bits of a block."""
    return math.ceil(num_symbols * efficiency - 1e-9)


class ShapedPacket:
    """The coding of packets of one size; :func:`shaped_packet` caches it.

    Parameters
    ----------
    num_bits
        Bits of a packet, at least 1.
    bits_per_symbol
        4, 6 or 8.
    efficiency
        Packet bits including the CRC of the packet per symbol.

    Examples
    --------
    >>> code = shaped_packet(16_000, 6, 3.2)
    >>> code.num_symbols, len(code.sizes)
    (5008, 4)
    >>> packet = np.ones(16_000, dtype=np.uint8)
    >>> x = code.encode(packet)
    >>> received = code.decode([ChannelOutput(x, torch.ones(1), torch.tensor(0.05))])
    >>> received is not None and bool(received.all())
    True
    """

    def __init__(self, num_bits: int, bits_per_symbol: int, efficiency: float) -> None:
        if num_bits < 1:
            raise InputError(f"num_bits must be at least 1, got {num_bits}")
        self.num_bits, self.bits_per_symbol = num_bits, bits_per_symbol
        self.num_symbols = num_shaped_symbols(num_bits, bits_per_symbol, efficiency)
        self.sizes = block_symbols(self.num_symbols, bits_per_symbol)
        self._blocks = [
            shaped_block(bits_per_symbol, block_message_bits(size, efficiency), size)
            for size in self.sizes
        ]

    @property
    def num_crc_bits(self) -> int:
        """CRC bits that are sent: 24 for the packet."""
        return CRC_BITS

    @property
    def num_parity_bits(self) -> int:
        """Bits of the symbols beyond the packet and its CRC, including what shaping costs."""
        return self.bits_per_symbol * self.num_symbols - self.num_bits - CRC_BITS

    def encode(self, bits: Bits) -> Tensor:
        """Encode packets, uint8 (..., num_bits), as complex64 symbols (..., num_symbols).

        Raises ``ValueError`` for another number of bits.
        """
        if bits.shape[-1] != self.num_bits:
            raise InputError(f"bits must have shape (..., {self.num_bits}), got {bits.shape}")
        packets = crc_attach(bits.reshape(-1, self.num_bits), "24A")
        ends = np.cumsum([block.num_bits for block in self._blocks])
        packets = np.pad(packets, ((0, 0), (0, int(ends[-1]) - packets.shape[1])))
        packets = packets ^ gold_sequence(int(ends[-1]), _SCRAMBLING_SEED)
        messages = np.split(packets, ends[:-1], axis=1)
        parts = [block.encode(part) for block, part in zip(self._blocks, messages, strict=True)]
        return torch.cat(parts, dim=-1).reshape(*bits.shape[:-1], self.num_symbols)

    def decode(self, receptions: list[ChannelOutput]) -> Bits | None:
        """Decode one packet from its receptions, symbols (num_symbols,); their LLRs add up.

        Returns the bits, uint8 (num_bits,), or None if a block is no codeword or a CRC fails.
        Raises ``ValueError`` for another number of symbols.
        """
        for one in receptions:
            if one.y.shape != (self.num_symbols,):
                raise InputError(
                    f"received symbols must have shape ({self.num_symbols},), "
                    f"got {tuple(one.y.shape)}"
                )
        seen = [self._blocks[0].matched(one.y, one.h, one.noise_var) for one in receptions]
        matched, gain = (sum(parts) for parts in zip(*seen, strict=True))
        ends = 2 * np.cumsum(self.sizes)[:-1]
        pieces = zip(self._blocks, np.split(matched, ends), np.split(gain, ends), strict=True)
        received = []
        for block, u, g in pieces:
            message, ok = block.decode(u[None], g[None])
            if not ok[0]:
                return None
            received.append(message[0])
        packet = np.concatenate(received)
        packet ^= gold_sequence(len(packet), _SCRAMBLING_SEED)
        packet = packet[: self.num_bits + CRC_BITS]
        return packet[: self.num_bits] if crc_check(packet, "24A") else None


@functools.lru_cache(maxsize=64)
def shaped_packet(num_bits: int, bits_per_symbol: int, efficiency: float) -> ShapedPacket:
    """Return the cached :class:`ShapedPacket` of these sizes.

    Examples
    --------
    >>> shaped_packet(100, 6, 3.2).num_symbols  # padded to half of the longest block
    832
    """
    return ShapedPacket(num_bits, bits_per_symbol, efficiency)
