"""One prepared 5G NR LDPC code block: k information bits to n coded bits and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.crc import check_bits
from channels.fec.ldpc.base_graph import (
    CORE_ROWS,
    INFO_COLUMNS,
    choose_base_graph,
    choose_lifting_size,
    lift,
)
from channels.fec.ldpc.decoders import DECODERS, DEFAULT_DECODER
from channels.fec.ldpc.encoder import Steps, encode_blocks, encoding_steps
from channels.fec.ldpc.rate_matching import transmitted_positions
from channels.fec.ldpc.schedule import Schedule, find_runs, prepare_schedule

Decode: TypeAlias = Callable[
    ["LdpcCode", NDArray[np.float32], int, tuple[int, ...]],
    tuple[NDArray[np.uint8], NDArray[np.bool_]],
]
"""A decoder: a function of (code, llr, max_iterations, rvs) that returns bits and syndrome_ok.
:meth:`channels.fec.ldpc.LdpcCode.decode` describes and checks them."""

MAX_RATE = 0.95
"""Largest k/n. A receiver may skip decoding above it (TS 38.214 §5.1.3)."""


class LdpcCode:
    """A code of 3GPP TS 38.212 §5.3.2 with its rate matching and bit interleaving (§5.4.2).

    It is prepared once for repeated use; :func:`ldpc_code` caches the prepared objects. Calls do
    not change an instance, and both methods release the GIL.

    Parameters
    ----------
    num_info_bits
        k, the bits of one block with its CRCs, in [12, 8448] for base graph 1 and [12, 3840] for
        base graph 2.
    num_coded_bits
        n, a multiple of ``bits_per_symbol``, at least k / 0.95. Beyond the length of the mother
        code, bits are repeated. Base graph 2 above k/n = 0.74, and base graph 1 above 0.92, may
        fail even without noise: iterations cannot recover so many punctured bits.
    bits_per_symbol
        Q_m of the bit interleaver; 1 keeps the order.
    base_graph
        1 or 2; by default chosen from k and k/n as in §6.2.2. For packets the choice is made
        before they are split: see :mod:`channels.fec.transport_block`.

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
            raise InputError(
                f"num_coded_bits must be a positive multiple of bits_per_symbol, got {n} and "
                f"{bits_per_symbol}"
            )
        graph_number = choose_base_graph(k, k / n) if base_graph is None else base_graph
        size = choose_lifting_size(k, graph_number)
        if k > MAX_RATE * n:
            raise InputError(f"code rate k/n must be at most {MAX_RATE}, got {k}/{n} = {k / n:.3f}")
        self.num_info_bits = k
        self.num_coded_bits = n
        self.bits_per_symbol = bits_per_symbol
        self.base_graph = graph_number
        self.lifting_size = size
        self.num_filler_bits = INFO_COLUMNS[graph_number] * size - k
        self.graph = lift(graph_number, size)
        self._positions: dict[int, NDArray[np.int32]] = {}
        self._steps: dict[int, tuple[Steps, NDArray[np.int32]]] = {}
        self._schedules: dict[tuple[int, ...], Schedule] = {}

    def positions(self, rv: int = 0) -> NDArray[np.int32]:
        """Return the mother-code index of every bit that redundancy version ``rv`` sends.

        Shape (n,), in the order of transmission. The mother code is numbered from its first
        information bit.
        """
        if rv not in self._positions:
            self._positions[rv] = transmitted_positions(
                self.num_info_bits,
                self.num_coded_bits,
                self.bits_per_symbol,
                base_graph=self.base_graph,
                lifting_size=self.lifting_size,
                rv=rv,
            )
        return self._positions[rv]

    def num_rows(self, rvs: tuple[int, ...] = (0,)) -> int:
        """Count the rows of the base graph that matter if the versions ``rvs`` are sent.

        A row whose own parity column is never sent carries no information about other bits.
        """
        last = max(int(self.positions(rv).max()) for rv in rvs) // self.lifting_size
        return max(CORE_ROWS, last + 1 - INFO_COLUMNS[self.base_graph])

    def schedule(self, rvs: tuple[int, ...] = (0,)) -> Schedule:
        """Prepare the decoders' tables for receiving the versions ``rvs`` in this order."""
        if rvs not in self._schedules:
            runs = [
                find_runs(self.positions(rv), self.bits_per_symbol, i * self.num_coded_bits)
                for i, rv in enumerate(rvs)
            ]
            self._schedules[rvs] = prepare_schedule(
                self.graph, self.num_info_bits, self.num_rows(rvs), np.concatenate(runs)
            )
        return self._schedules[rvs]

    def encode(self, bits: NDArray[np.uint8], *, rv: int = 0) -> NDArray[np.uint8]:
        """Encode blocks.

        Parameters
        ----------
        bits
            uint8 0 or 1, shape (B, k).
        rv
            Redundancy version, 0 to 3: the position in the mother code where transmission starts.

        Returns
        -------
        NDArray[np.uint8]
            Coded bits in the order of transmission, shape (B, n).
        """
        check_bits(bits)
        if bits.ndim != 2 or bits.shape[1] != self.num_info_bits:
            raise InputError(f"bits must have shape (B, {self.num_info_bits}), got {bits.shape}")
        num_rows = self.num_rows((rv,))
        if rv not in self._steps:
            before = self.positions(rv).reshape(-1, self.bits_per_symbol).T.ravel()
            runs = find_runs(before, 1)
            self._steps[rv] = (encoding_steps(self.graph, num_rows), runs)
        steps, runs = self._steps[rv]
        coded = encode_blocks(
            np.ascontiguousarray(bits, dtype=np.uint8).view(np.int8),
            steps,
            INFO_COLUMNS[self.base_graph] + num_rows,
            runs,
            self.num_coded_bits,
            self.bits_per_symbol,
        )
        return np.asarray(coded.view(np.uint8))

    def decode(
        self,
        llr: NDArray[np.float32],
        max_iterations: int = 20,
        *,
        rvs: tuple[int, ...] = (0,),
        decoder: str = DEFAULT_DECODER,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Decode blocks.

        Parameters
        ----------
        llr
            ``log p(b=1)/p(b=0)`` of every coded bit, in the order of transmission, shape
            (B, n·len(rvs)); 0 where nothing was received. Must not be NaN.
        max_iterations
            Maximum number of passes over all checks, at least 1. Decoding of a block stops as soon
            as all its checks are fulfilled.
        rvs
            The received redundancy versions, in the order of ``llr``. LLRs of the same bit are
            added up (incremental redundancy, or chase combining if the versions are equal).
        decoder
            One of :data:`channels.fec.ldpc.decoders.DECODERS`.

        Returns
        -------
        bits : NDArray[np.uint8]
            Decided information bits, shape (B, k).
        syndrome_ok : NDArray[np.bool_]
            Whether all checks are fulfilled and every bit is decided, shape (B,). This is no
            proof: near the waterfall about one block in 20,000 is a wrong codeword, so keep the
            CRC.
        """
        if max_iterations < 1:
            raise InputError(f"max_iterations must be at least 1, got {max_iterations}")
        if not rvs:
            raise InputError("rvs must name at least one redundancy version")
        llr = np.ascontiguousarray(llr, dtype=np.float32)
        if llr.ndim != 2 or llr.shape[1] != self.num_coded_bits * len(rvs):
            raise InputError(
                f"llr must have shape (B, {self.num_coded_bits * len(rvs)}), got {llr.shape}"
            )
        if llr.size and np.isnan(llr.min()):
            raise InputError("llr must not be NaN")
        decode: Decode = DECODERS.load(decoder)
        return decode(self, llr, max_iterations, rvs)


@lru_cache(maxsize=256)
def ldpc_code(
    num_info_bits: int,
    num_coded_bits: int,
    bits_per_symbol: int = 1,
    *,
    base_graph: int | None = None,
) -> LdpcCode:
    """Return the cached :class:`LdpcCode` of these sizes.

    Examples
    --------
    >>> ldpc_code(1000, 2000) is ldpc_code(1000, 2000)
    True
    >>> ldpc_code(1000, 1010)
    Traceback (most recent call last):
    channels.errors.InputError: code rate k/n must be at most 0.95, got 1000/1010 = 0.990
    """
    return LdpcCode(num_info_bits, num_coded_bits, bits_per_symbol, base_graph=base_graph)
