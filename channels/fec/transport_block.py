"""From a packet to coded bits and back: the transport-channel processing of 5G NR.

3GPP TS 38.212 §6.2 and §7.2: CRC over the packet, segmentation into code blocks with a CRC each
(§5.2.2), LDPC coding (§5.3.2), rate matching (§5.4.2) and concatenation (§5.5). All redundancy
versions are supported, also several combined, for one layer, an unlimited buffer and whole packets.

There are two departures from the standard. The packet's CRC is always 24A, whereas the standard
uses the 16-bit CRC for up to 3824 bits: a simulation that counts lost packets should not count
wrong ones. And a packet may have any length, so that block lengths differ by one bit if the number
of blocks does not divide it (the standard only has lengths that it divides).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.crc import check_bits, crc_attach, crc_check, crc_length
from channels.fec.ldpc import MAX_RATE, ldpc_code
from channels.fec.ldpc.base_graph import MAX_INFO_BITS, choose_base_graph
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.fec.ldpc.rescue.decoder import repair

_CRC_BITS = crc_length("24A")

MAX_ITERATIONS = 50
"""Decoder iterations of links, and of the thresholds in :mod:`channels.packets.mcs`. Only blocks
that are hard to decode take so many."""


class TransportCode:
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
        self.num_blocks = count_blocks(num_bits + _CRC_BITS, self.base_graph)
        total = num_bits + self.num_crc_bits
        if total > MAX_RATE * num_coded_bits:
            raise InputError(
                f"{num_bits} bits and {self.num_crc_bits} CRC bits need at least "
                f"{int(np.ceil(total / MAX_RATE))} coded bits (rate {MAX_RATE}), "
                f"got {num_coded_bits}"
            )
        symbols = num_coded_bits // bits_per_symbol
        info = _share(total, self.num_blocks)[::-1]
        coded = [bits_per_symbol * share for share in _share(symbols, self.num_blocks)]
        self.block_sizes = list(zip(info, coded, strict=True))
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
        return _CRC_BITS * (1 + (self.num_blocks if self.num_blocks > 1 else 0))

    @property
    def num_parity_bits(self) -> int:
        """Coded bits beyond the packet and its CRCs: G - A - :attr:`num_crc_bits`."""
        return self.num_coded_bits - self.num_bits - self.num_crc_bits

    def encode(self, bits: NDArray[np.uint8], *, rv: int = 0) -> NDArray[np.uint8]:
        """Encode packets.

        Parameters
        ----------
        bits
            uint8 0 or 1, shape (..., A).
        rv
            Redundancy version, 0 to 3: it selects the part of the mother code that is sent.

        Returns
        -------
        NDArray[np.uint8]
            Coded bits in the order of transmission, shape (..., G).
        """
        check_bits(bits)
        if bits.shape[-1] != self.num_bits:
            raise InputError(f"bits must have shape (..., {self.num_bits}), got {bits.shape}")
        blocks = self._split(crc_attach(bits.reshape(-1, self.num_bits), "24A"))
        coded = list(blocks)
        for (k, n), members in self._groups.items():
            batch = np.stack([blocks[i] for i in members]).reshape(-1, k)
            words = self._codes[k, n].encode(batch, rv=rv).reshape(len(members), -1, n)
            for i, word in zip(members, words, strict=True):
                coded[i] = word
        return np.concatenate(coded, axis=-1).reshape(*bits.shape[:-1], self.num_coded_bits)

    def decode(
        self,
        llr: NDArray[np.float32],
        max_iterations: int = MAX_ITERATIONS,
        *,
        rvs: tuple[int, ...] = (0,),
        decoder: str = DEFAULT_DECODER,
    ) -> NDArray[np.uint8] | None:
        """Decode one packet.

        Parameters
        ----------
        llr
            ``log p(b=1)/p(b=0)`` of every coded bit, shape (G·len(rvs),), one reception after the
            other; 0 where nothing was received.
        max_iterations
            Maximum number of iterations of the LDPC decoder, at least 1.
        rvs
            The redundancy version of every reception. LLRs of the same bit are added up:
            ``(0, 0)`` is chase combining, ``(0, 2)`` incremental redundancy.
        decoder
            One of :data:`channels.fec.ldpc.decoders.DECODERS`. With ``"listed"``, a block whose CRC
            fails gets a second try (:mod:`channels.fec.ldpc.rescue`).

        Returns
        -------
        NDArray[np.uint8] | None
            The packet, shape (A,), or None if a block is not a codeword or a CRC fails.
        """
        llr = np.asarray(llr, dtype=np.float32)
        if llr.shape != (self.num_coded_bits * len(rvs),):
            raise InputError(
                f"llr must have shape ({self.num_coded_bits * len(rvs)},), got {llr.shape}"
            )
        packets, ok = self.decode_batch(llr[None], max_iterations, rvs=rvs, decoder=decoder)
        return packets[0] if ok[0] else None

    def decode_batch(
        self,
        llr: NDArray[np.float32],
        max_iterations: int = MAX_ITERATIONS,
        *,
        rvs: tuple[int, ...] = (0,),
        decoder: str = DEFAULT_DECODER,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Decode many packets at once, which is faster if they are short.

        Parameters
        ----------
        llr
            As for :meth:`decode`, shape (B, G·len(rvs)).
        max_iterations, rvs, decoder
            As for :meth:`decode`.

        Returns
        -------
        packets : NDArray[np.uint8]
            Shape (B, A); meaningless where a packet is lost.
        ok : NDArray[np.bool_]
            Whether all blocks are codewords and all CRCs hold, shape (B,).
        """
        if not rvs:
            raise InputError("rvs must name at least one redundancy version")
        llr = np.asarray(llr, dtype=np.float32)
        if llr.ndim != 2 or llr.shape[1] != self.num_coded_bits * len(rvs):
            raise InputError(
                f"llr must have shape (B, {self.num_coded_bits * len(rvs)}), got {llr.shape}"
            )
        receptions = llr.reshape(len(llr), len(rvs), self.num_coded_bits)
        parts = np.split(receptions, np.cumsum([n for _, n in self.block_sizes])[:-1], axis=2)
        blocks: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)] * self.num_blocks
        ok = np.ones(len(llr), dtype=np.bool_)
        for (k, n), members in self._groups.items():
            # The receptions of a block are adjacent.
            received = np.stack([parts[i] for i in members]).reshape(-1, n * len(rvs))
            decided, fulfilled = self._codes[k, n].decode(
                received, max_iterations, rvs=rvs, decoder=decoder
            )
            if decoder == "listed":
                self._repair(received, decided, (k, n), max_iterations, rvs)
            if self.num_blocks > 1:
                fulfilled = fulfilled & crc_check(decided, "24B")
                decided = decided[:, :-_CRC_BITS]
            ok &= fulfilled.reshape(len(members), -1).all(axis=0)
            for i, block in zip(members, np.split(decided, len(members)), strict=True):
                blocks[i] = block
        packets = np.concatenate(blocks, axis=1)
        return packets[:, : self.num_bits], ok & crc_check(packets, "24A")

    def _repair(
        self,
        received: NDArray[np.float32],
        decided: NDArray[np.uint8],
        size: tuple[int, int],
        max_iterations: int,
        rvs: tuple[int, ...],
    ) -> None:
        """Replace blocks whose CRC fails by codewords whose CRC holds, where some are found."""
        crc = "24B" if self.num_blocks > 1 else "24A"
        for i in np.flatnonzero(~crc_check(decided, crc)):
            code = self._codes[size]
            better = repair(code, received[i], max_iterations, rvs, lambda b: crc_check(b, crc))
            if better is not None:
                decided[i] = better

    def _split(self, packets: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Cut packets (B, A + 24) into blocks (B, k), each with its own CRC: §5.2.2."""
        if self.num_blocks == 1:
            return [packets]
        ends = np.cumsum([k - _CRC_BITS for k, _ in self.block_sizes])
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
    return 1 if num_bits <= largest else -(-num_bits // (largest - _CRC_BITS))


def _share(total: int, parts: int) -> list[int]:
    """Split ``total`` into ``parts`` that differ by at most one, the smaller first: §5.4.2.1."""
    small, larger = divmod(total, parts)
    return [small] * (parts - larger) + [small + 1] * larger
