"""One prepared 5G NR LDPC code block: k information bits to n coded bits and back."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.crc import check_bits
from channels.ldpc.base_graph import (
    CORE_ROWS,
    INFO_COLUMNS,
    choose_base_graph,
    choose_lifting_size,
    lift,
)
from channels.ldpc.decoder import decode_blocks
from channels.ldpc.encoder import encode_blocks, encoding_steps
from channels.ldpc.rate_matching import transmitted_positions
from channels.ldpc.schedule import prepare_schedule

MAX_RATE = 0.95
"""Largest k/n: above it a receiver need not even try (TS 38.214 §5.1.3)."""


class LdpcCode:
    """A code of 3GPP TS 38.212 §5.3.2 with its rate matching and bit interleaving (§5.4.2).

    Prepare once, use often; :func:`ldpc_code` keeps the prepared ones. Instances hold no state
    that a call changes, and both methods let other threads run.

    Parameters
    ----------
    num_info_bits
        k, the bits of one block with its CRCs, in [12, 8448] for base graph 1 and [12, 3840] for
        base graph 2.
    num_coded_bits
        n, a multiple of ``bits_per_symbol``, at least k / 0.95. Beyond the mother code, bits are
        repeated. Base graph 2 above k/n = 0.74, and base graph 1 above 0.92, may fail even
        without noise: the punctured bits are then too many for iterations to find.
    bits_per_symbol
        Q_m of the bit interleaver; 1 leaves the order alone.
    base_graph
        1 or 2; by default chosen by k and k/n as §6.2.2 does. Packets choose before they are
        split: see :mod:`channels.transport`.

    Raises
    ------
    ValueError
        Sizes that the standard does not have.

    Examples
    --------
    >>> code = ldpc_code(100, 200)
    >>> word = code.encode(np.ones((1, 100), dtype=np.uint8))
    >>> bits, ok = code.decode(8.0 * word.astype(np.float32) - 4.0)
    >>> bool(ok[0]), int(bits.sum())
    (True, 100)
    """

    def __init__(
        self,
        num_info_bits: int,
        num_coded_bits: int,
        bits_per_symbol: int = 1,
        *,
        base_graph: int | None = None,
    ) -> None:
        k, n = num_info_bits, num_coded_bits
        if bits_per_symbol < 1 or n < 1 or n % bits_per_symbol:
            raise ValueError(
                f"num_coded_bits must be a positive multiple of bits_per_symbol, got {n} and "
                f"{bits_per_symbol}"
            )
        graph_number = choose_base_graph(k, k / n) if base_graph is None else base_graph
        size = choose_lifting_size(k, graph_number)
        if k > MAX_RATE * n:
            raise ValueError(f"code rate k/n must be at most {MAX_RATE}, got {k}/{n} = {k / n:.3f}")
        self.num_info_bits = k
        self.num_coded_bits = n
        self.bits_per_symbol = bits_per_symbol
        self.base_graph = graph_number
        self.lifting_size = size
        self.num_filler_bits = INFO_COLUMNS[graph_number] * size - k
        self.graph = lift(graph_number, size)
        self.positions = transmitted_positions(
            k, n, bits_per_symbol, base_graph=graph_number, lifting_size=size
        )
        # Rows whose own parity column is never sent say nothing about the others.
        columns = int(self.positions.max()) // size + 1
        self.num_rows = max(CORE_ROWS, columns - INFO_COLUMNS[graph_number])
        self._steps = encoding_steps(self.graph, self.num_rows)
        self._schedule = prepare_schedule(self.graph, k, self.num_rows)

    def encode(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Encode blocks.

        Parameters
        ----------
        bits
            uint8 0 or 1, shape (B, k).

        Returns
        -------
        NDArray[np.uint8]
            Coded bits in the order of transmission, shape (B, n).
        """
        check_bits(bits)
        if bits.ndim != 2 or bits.shape[1] != self.num_info_bits:
            raise ValueError(f"bits must have shape (B, {self.num_info_bits}), got {bits.shape}")
        room = np.empty(
            (INFO_COLUMNS[self.base_graph] + self.num_rows, self.lifting_size), dtype=np.uint8
        )
        return np.asarray(
            encode_blocks(np.ascontiguousarray(bits), self._steps, self.positions, room)
        )

    def decode(
        self, llr: NDArray[np.float32], max_iterations: int = 20
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Decode blocks by layered min-sum (:mod:`channels.ldpc.decoder`).

        Parameters
        ----------
        llr
            ``log p(b=1)/p(b=0)`` of every coded bit, in the order of transmission, shape (B, n);
            0 where nothing was received. Held to ±1000; must not be NaN.
        max_iterations
            Passes over all checks at most, at least 1. A block stops earlier once all its checks
            are fulfilled.

        Returns
        -------
        bits : NDArray[np.uint8]
            Decided information bits, shape (B, k).
        syndrome_ok : NDArray[np.bool_]
            Whether all checks are fulfilled and every bit is decided, shape (B,). It is no proof:
            about one block in 20,000 near the waterfall is a wrong codeword, so keep the CRC.
        """
        if max_iterations < 1:
            raise ValueError(f"max_iterations must be at least 1, got {max_iterations}")
        llr = np.ascontiguousarray(llr, dtype=np.float32)
        if llr.ndim != 2 or llr.shape[1] != self.num_coded_bits:
            raise ValueError(f"llr must have shape (B, {self.num_coded_bits}), got {llr.shape}")
        if np.isnan(llr).any():
            raise ValueError("llr must not be NaN")
        plan, info = self._schedule, INFO_COLUMNS[self.base_graph]
        bits, fulfilled = decode_blocks(
            llr,
            plan.bit_addresses[self.positions],
            plan.bit_addresses[self.num_info_bits : info * self.lifting_size],
            plan.bit_addresses[: self.num_info_bits],
            plan.row_starts,
            plan.columns,
            plan.offsets,
            plan.final_offsets,
            (info + self.num_rows, plan.column_stride, self.lifting_size, plan.padded_size),
            max_iterations,
        )
        return bits, fulfilled


@lru_cache(maxsize=256)
def ldpc_code(
    num_info_bits: int,
    num_coded_bits: int,
    bits_per_symbol: int = 1,
    *,
    base_graph: int | None = None,
) -> LdpcCode:
    """Return the prepared :class:`LdpcCode` of these sizes, made on first use."""
    return LdpcCode(num_info_bits, num_coded_bits, bits_per_symbol, base_graph=base_graph)
