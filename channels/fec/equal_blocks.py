"""From a packet to coded bits and back, with code blocks that are all of one length.

This is how papers on semantic communication use the LDPC codes of 5G NR: not as a terminal does,
which chooses the length of the code blocks by the length of the packet (TS 38.212 §5.2.2,
:mod:`channels.fec.transport_block`), but with one code of k information bits and n coded bits. The
packet with its CRC of 24 bits is cut into pieces of k bits. The last piece is padded with zeros,
and the padding is coded and sent like everything else; it is not shortened. Blocks have no CRC of
their own.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.ldpc import ldpc_code
from channels.fec.packet_code import CRC_BITS, PacketCode


class EqualBlockCode(PacketCode):
    """The coding of packets of one size into code blocks of one length.

    :func:`equal_block_code` caches the prepared objects.

    Parameters
    ----------
    num_bits
        A, the bits of a packet, at least 1.
    info_bits, coded_bits
        k and n, the information bits and the coded bits of every block; n is a multiple of
        ``bits_per_symbol``.
    bits_per_symbol
        Q_m of the modulation: 1, 2, 4, 6, 8, …

    Attributes
    ----------
    num_blocks
        Number of code blocks, ⌈(A + 24) / k⌉.
    num_coded_bits
        Coded bits of the packet: n for every block.

    Raises
    ------
    ValueError
        Impossible sizes.

    Examples
    --------
    >>> code = equal_block_code(5000, 3072, 6144, 2)
    >>> code.num_blocks, code.num_coded_bits
    (2, 12288)
    >>> packet = np.ones(5000, dtype=np.uint8)
    >>> received = code.decode(8.0 * code.encode(packet).astype(np.float32) - 4.0)
    >>> received is not None and bool(received.all())
    True
    """

    def __init__(
        self, num_bits: int, info_bits: int, coded_bits: int, bits_per_symbol: int
    ) -> None:
        if num_bits < 1:
            raise InputError(f"num_bits must be at least 1, got {num_bits}")
        self.num_bits = num_bits
        self.bits_per_symbol = bits_per_symbol
        self.num_blocks = -(-(num_bits + CRC_BITS) // info_bits)
        self.num_coded_bits = self.num_blocks * coded_bits
        self._code = ldpc_code(info_bits, coded_bits, bits_per_symbol)

    def _encode(self, packets: NDArray[np.uint8], rv: int) -> NDArray[np.uint8]:
        k = self._code.num_info_bits
        blocks = np.pad(packets, ((0, 0), (0, self.num_blocks * k - packets.shape[1])))
        shape = len(packets) * self.num_blocks, k
        return self._code.encode(blocks.reshape(shape), rv=rv).reshape(
            len(packets), self.num_coded_bits
        )

    def _decode(
        self,
        receptions: NDArray[np.float32],
        max_iterations: int,
        rvs: tuple[int, ...],
        decoder: str,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        count, k, n = len(receptions), self._code.num_info_bits, self._code.num_coded_bits
        blocks = receptions.reshape(count, len(rvs), self.num_blocks, n).swapaxes(1, 2)
        received = blocks.reshape(count * self.num_blocks, len(rvs) * n)
        decided, fulfilled = self._code.decode(received, max_iterations, rvs=rvs, decoder=decoder)
        packets = decided.reshape(count, self.num_blocks * k)[:, : self.num_bits + CRC_BITS]
        return packets, fulfilled.reshape(count, self.num_blocks).all(axis=1)


@lru_cache(maxsize=256)
def equal_block_code(
    num_bits: int, info_bits: int, coded_bits: int, bits_per_symbol: int
) -> EqualBlockCode:
    """Return the cached :class:`EqualBlockCode` of these sizes.

    Examples
    --------
    >>> equal_block_code(3048, 3072, 6144, 2).num_blocks
    1
    """
    return EqualBlockCode(num_bits, info_bits, coded_bits, bits_per_symbol)
