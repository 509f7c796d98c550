"""From a packet to coded bits and back: the transport-channel processing of 5G NR.

3GPP TS 38.212 §6.2 and §7.2: CRC over the packet, segmentation into code blocks with a CRC each
(§5.2.2), LDPC coding (§5.3.2), rate matching (§5.4.2) and concatenation (§5.5). All redundancy
versions are supported, also several combined, for one layer, an unlimited buffer and whole packets.

The error floor of belief propagation, some blocks in a hundred thousand, would exceed the accepted
error rate of a packet of a hundred blocks. In packets of at least 16 blocks, the default decoder
therefore gives one or two wrong blocks a second try (:mod:`channels.fec.ldpc.rescue`).

There are two departures from the standard. The packet's CRC is always 24A, whereas the standard
uses the 16-bit CRC for up to 3824 bits: a simulation that counts lost packets should not count
wrong ones. And a packet may have any length, so that block lengths differ by one bit if the number
of blocks does not divide it (the standard only has lengths that it divides).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.crc import crc_attach, crc_check
from channels.fec.ldpc import MAX_RATE, ldpc_code
from channels.fec.ldpc.base_graph import MAX_INFO_BITS, choose_base_graph
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.fec.ldpc.rescue.decoder import repair
from channels.fec.packet_code import CRC, CRC_BITS, PacketCode

LONG_PACKET = 16
"""Code blocks of a packet from which on the default decoder repairs some."""
MAX_REPAIRED = 2
"""Blocks of such a packet that are repaired; if more are wrong, all stay as they are."""


class TransportCode(PacketCode):
    """The coding of packets of one size, prepared once for repeated use.

    :func:`transport_code` caches the prepared objects.

    Parameters
    ----------
    num_bits
        A, the bits of a packet, at least 1.
    num_coded_bits
        G, the coded bits that are sent: a multiple of ``bits_per_symbol``.
    bits_per_symbol
        Q_m of the modulation: 1, 2, 4, 6, 8, …

    Attributes
    ----------
    base_graph
        1 or 2, chosen by A and A/G.
    num_blocks
        C, the number of code blocks.
    block_sizes
        Information bits with CRCs and coded bits of every block, in the order of transmission.

    Raises
    ------
    ValueError
        Impossible sizes, or so few coded bits that a block's rate would exceed 0.95.

    Examples
    --------
    >>> code = transport_code(1000, 3000, 2)
    >>> packet = np.zeros(1000, dtype=np.uint8)
    >>> llr = 8.0 * code.encode(packet).astype(np.float32) - 4.0
    >>> received = code.decode(llr)
    >>> received is not None and not received.any()
    True
    >>> code.decode(np.zeros(3000, dtype=np.float32)) is None
    True
    """

    def __init__(self, num_bits: int, num_coded_bits: int, bits_per_symbol: int) -> None:
        if num_bits < 1:
            raise InputError(f"num_bits must be at least 1, got {num_bits}")
        if bits_per_symbol < 1 or num_coded_bits < 1 or num_coded_bits % bits_per_symbol:
            raise InputError(
                "num_coded_bits must be a positive multiple of bits_per_symbol, "
                f"got {num_coded_bits} and {bits_per_symbol}"
            )
        self.num_bits = num_bits
        self.num_coded_bits = num_coded_bits
        self.bits_per_symbol = bits_per_symbol
        self.base_graph = choose_base_graph(num_bits, num_bits / num_coded_bits)
        self.num_blocks = count_blocks(num_bits + CRC_BITS, self.base_graph)
        total = num_bits + self.num_crc_bits
        symbols = num_coded_bits // bits_per_symbol
        info = _share(total, self.num_blocks)[::-1]
        coded = [bits_per_symbol * share for share in _share(symbols, self.num_blocks)]
        self.block_sizes = list(zip(info, coded, strict=True))
        if any(k > MAX_RATE * n for k, n in self.block_sizes):
            enough = self.num_blocks * math.ceil(max(info) / MAX_RATE / bits_per_symbol)
            raise InputError(
                f"{num_bits} bits and {self.num_crc_bits} CRC bits are too many for "
                f"{num_coded_bits} coded bits, as no block may exceed the rate {MAX_RATE}: "
                f"{enough * bits_per_symbol} coded bits are enough"
            )
        # Blocks of the same size are coded as one batch.
        self._groups = {
            size: np.flatnonzero([other == size for other in self.block_sizes])
            for size in dict.fromkeys(self.block_sizes)
        }
        self._codes = {
            (k, n): ldpc_code(k, n, bits_per_symbol, base_graph=self.base_graph)
            for k, n in self._groups
        }

    @property
    def num_crc_bits(self) -> int:
        """CRC bits that are sent: 24 for the packet and, with several blocks, 24 for each."""
        return CRC_BITS * (1 + (self.num_blocks if self.num_blocks > 1 else 0))

    def _encode(self, packets: NDArray[np.uint8], rv: int) -> NDArray[np.uint8]:
        blocks = self._split(packets)
        coded = list(blocks)
        for (k, n), members in self._groups.items():
            batch = np.stack([blocks[i] for i in members]).reshape(-1, k)
            words = self._codes[k, n].encode(batch, rv=rv).reshape(len(members), -1, n)
            for i, word in zip(members, words, strict=True):
                coded[i] = word
        return np.concatenate(coded, axis=-1)

    def _decode(
        self,
        receptions: NDArray[np.float32],
        max_iterations: int,
        rvs: tuple[int, ...],
        decoder: str,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        parts = np.split(receptions, np.cumsum([n for _, n in self.block_sizes])[:-1], axis=2)
        blocks: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)] * self.num_blocks
        fulfilled = np.empty((self.num_blocks, len(receptions)), dtype=np.bool_)
        first = DEFAULT_DECODER if decoder == "listed" else decoder
        for size, members in self._groups.items():
            # The receptions of a block are adjacent.
            received = np.stack([parts[i] for i in members]).reshape(-1, size[1] * len(rvs))
            decided, ok = self._codes[size].decode(received, max_iterations, rvs=rvs, decoder=first)
            fulfilled[members] = ok.reshape(len(members), -1)
            for i, block in zip(members, np.split(decided, len(members)), strict=True):
                blocks[i] = block
        crc = "24B" if self.num_blocks > 1 else CRC
        right = fulfilled & np.stack([crc_check(block, crc) for block in blocks])
        few = (~right).sum(axis=0) <= self._most_repaired(decoder)
        for i, b in np.argwhere(~right & few):
            if np.count_nonzero(parts[i][b]) < self.block_sizes[i][0]:
                continue  # so little was received that a word of zeros, whose CRC holds, would fit
            better = repair(
                self._codes[self.block_sizes[i]],
                parts[i][b].ravel(),
                max_iterations,
                rvs,
                lambda found: crc_check(found, crc),
            )
            if better is not None:
                blocks[i][b], right[i, b] = better, True
        kept = [block[:, :-CRC_BITS] for block in blocks] if self.num_blocks > 1 else blocks
        return np.concatenate(kept, axis=1), right.all(axis=0)

    def _most_repaired(self, decoder: str) -> int:
        """Return how many blocks of a packet may be wrong if they shall get a second try."""
        if decoder == "listed":
            return self.num_blocks
        long = self.num_blocks >= LONG_PACKET
        return MAX_REPAIRED if long and decoder == DEFAULT_DECODER else 0

    def _split(self, packets: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Cut packets (B, A + 24) into blocks (B, k), each with its own CRC: §5.2.2."""
        if self.num_blocks == 1:
            return [packets]
        ends = np.cumsum([k - CRC_BITS for k, _ in self.block_sizes])
        return [crc_attach(part, "24B") for part in np.split(packets, ends[:-1], axis=1)]


@lru_cache(maxsize=256)
def transport_code(num_bits: int, num_coded_bits: int, bits_per_symbol: int) -> TransportCode:
    """Return the cached :class:`TransportCode` of these sizes.

    Examples
    --------
    A long packet is split into several code blocks, and each gets a CRC of 24 bits:

    >>> code = transport_code(20_000, 40_000, 2)
    >>> code.num_blocks, code.num_crc_bits
    (3, 96)
    """
    return TransportCode(num_bits, num_coded_bits, bits_per_symbol)


def count_blocks(num_bits: int, base_graph: int) -> int:
    """Count the code blocks of a packet of ``num_bits``, including its CRC: §5.2.2."""
    largest = MAX_INFO_BITS[base_graph]
    return 1 if num_bits <= largest else -(-num_bits // (largest - CRC_BITS))


def _share(total: int, parts: int) -> list[int]:
    """Split ``total`` into ``parts`` that differ by at most one, the smaller first: §5.4.2.1."""
    small, larger = divmod(total, parts)
    return [small] * (parts - larger) + [small + 1] * larger
