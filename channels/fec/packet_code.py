"""The part that all codings of a packet share: checks, the packet's CRC, single packets."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.crc import check_bits, crc_attach, crc_check, crc_length
from channels.fec.ldpc.decoders import DEFAULT_DECODER

CRC = "24A"
"""The CRC of every packet."""
CRC_BITS = crc_length(CRC)
MAX_ITERATIONS = 50
"""Decoder iterations of links, and of the thresholds in :mod:`channels.packets.mcs`. Only blocks
that are hard to decode take so many."""


class PacketCode(ABC):
    """The coding of packets of one size with their CRC, prepared once for repeated use.

    Subclasses cut packets into code blocks and join them again.

    Attributes
    ----------
    num_bits
        A, the bits of a packet.
    num_coded_bits
        G, the coded bits that are sent.
    bits_per_symbol
        Q_m of the modulation.
    num_blocks
        C, the number of code blocks.
    """

    num_bits: int
    num_coded_bits: int
    bits_per_symbol: int
    num_blocks: int

    @property
    def num_crc_bits(self) -> int:
        """CRC bits that are sent: 24 for the packet, and those of the blocks."""
        return CRC_BITS

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
        coded = self._encode(crc_attach(bits.reshape(-1, self.num_bits), CRC), rv)
        return coded.reshape(*bits.shape[:-1], self.num_coded_bits)

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
            fails gets a second try (:mod:`channels.fec.ldpc.rescue`); blocks without a CRC of their
            own are decoded as by ``"cascade"``. With ``"cascade"``, one or two such blocks of a
            long packet do (:mod:`channels.fec.transport_block`).

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
        packets, ok = self._decode(receptions, max_iterations, rvs, decoder)
        # Of a packet of which next to nothing arrived, a word of zeros, whose CRC holds, would fit.
        enough = np.count_nonzero(llr, axis=1) >= self.num_bits + CRC_BITS
        return packets[:, : self.num_bits], ok & enough & crc_check(packets, CRC)

    @abstractmethod
    def _encode(self, packets: NDArray[np.uint8], rv: int) -> NDArray[np.uint8]:
        """Encode packets with their CRC, (B, A + 24), as coded bits (B, G)."""

    @abstractmethod
    def _decode(
        self,
        receptions: NDArray[np.float32],
        max_iterations: int,
        rvs: tuple[int, ...],
        decoder: str,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Decode LLRs (B, receptions, G).

        Returns the packets with their CRC, (B, A + 24), and whether all blocks are codewords and
        their own CRCs hold, (B,).
        """
