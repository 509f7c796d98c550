"""Base graphs of the 5G NR LDPC codes, and the rules that choose them.

3GPP TS 38.212 §5.3.2 (graphs), §5.2.2 (lifting size), §6.2.2 and §7.2.2 (which graph).

A base graph is a small sparse matrix. Lifting replaces each entry V by the Z×Z identity matrix with
its columns rotated right by ``V mod Z``: check ``j`` of a row touches bit ``(j + V) mod Z`` of the
column. Both graphs have the form [information | four columns coupled to the first four rows |
identity], which makes encoding cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError

LIFTING_SETS: tuple[tuple[int, ...], ...] = (
    (2, 4, 8, 16, 32, 64, 128, 256),
    (3, 6, 12, 24, 48, 96, 192, 384),
    (5, 10, 20, 40, 80, 160, 320),
    (7, 14, 28, 56, 112, 224),
    (9, 18, 36, 72, 144, 288),
    (11, 22, 44, 88, 176, 352),
    (13, 26, 52, 104, 208),
    (15, 30, 60, 120, 240),
)
"""Lifting sizes Z by set index i_LS: Table 5.3.2-1."""

MAX_INFO_BITS: dict[int, int] = {1: 8448, 2: 3840}
"""Largest code block K_cb of each base graph, its CRCs included: §5.2.2."""

MIN_INFO_BITS = 12
"""Smallest code block: six columns of the smallest Z. Fewer bits would consist mostly of filler
bits, and none of them would be sent."""

INFO_COLUMNS: dict[int, int] = {1: 22, 2: 10}
"""Information columns of each base graph."""

NUM_ROWS: dict[int, int] = {1: 46, 2: 42}
"""Rows of each base graph."""

CORE_ROWS = 4
"""Rows whose parity columns depend on each other; every later row has a parity column of its
own."""


@dataclass(frozen=True)
class LiftedGraph:
    """The entries of a base graph for one lifting size, sorted by row, then column."""

    base_graph: int
    lifting_size: int
    rows: NDArray[np.int32]
    """Row of every entry, shape (num_entries,)."""
    columns: NDArray[np.int32]
    """Column of every entry, shape (num_entries,)."""
    shifts: NDArray[np.int32]
    """Rotation of every entry, in [0, Z), shape (num_entries,)."""


def choose_base_graph(num_info_bits: int, rate: float) -> int:
    """Choose base graph 1 or 2 for ``num_info_bits`` (A, without CRC) and a code rate.

    References
    ----------
    3GPP TS 38.212 §6.2.2 and §7.2.2.
    """
    if num_info_bits <= 292 or (num_info_bits <= 3824 and rate <= 0.67) or rate <= 0.25:
        return 2
    return 1


def choose_lifting_size(num_info_bits: int, base_graph: int) -> int:
    """Return the smallest Z for a block of ``num_info_bits`` (K', including its CRCs).

    References
    ----------
    3GPP TS 38.212 §5.2.2. K_b depends on the block here and on the packet there. Both agree,
    because the blocks of split packets have more than 640 bits.
    """
    check_base_graph(base_graph)
    largest = MAX_INFO_BITS[base_graph]
    if not MIN_INFO_BITS <= num_info_bits <= largest:
        raise InputError(
            f"num_info_bits must be in [{MIN_INFO_BITS}, {largest}] for base graph {base_graph} "
            f"(TS 38.212 §5.2.2), got {num_info_bits}"
        )
    columns = INFO_COLUMNS[base_graph]
    if base_graph == 2 and num_info_bits <= 640:
        columns = 9 if num_info_bits > 560 else 8 if num_info_bits > 192 else 6
    sizes = (size for sizes in LIFTING_SETS for size in sizes)
    return min(size for size in sizes if columns * size >= num_info_bits)


def check_base_graph(base_graph: int) -> None:
    """Raise ``ValueError`` unless ``base_graph`` is 1 or 2."""
    if base_graph not in MAX_INFO_BITS:
        raise InputError(f"base_graph must be 1 or 2, got {base_graph!r}")


@lru_cache(maxsize=128)
def lift(base_graph: int, lifting_size: int) -> LiftedGraph:
    """Return the entries of a base graph with their rotations for ``lifting_size``.

    Raises
    ------
    ValueError
        A base graph or a lifting size that the standard does not have.
    """
    check_base_graph(base_graph)
    sets = [i for i, sizes in enumerate(LIFTING_SETS) if lifting_size in sizes]
    if not sets:
        choices = ", ".join(str(s) for s in sorted(s for sizes in LIFTING_SETS for s in sizes))
        raise InputError(f"no lifting size {lifting_size!r}; choices: {choices}")
    table = _read_table(base_graph)
    shifts = (table[:, 2 + sets[0]] % lifting_size).astype(np.int32)
    return LiftedGraph(base_graph, lifting_size, table[:, 0], table[:, 1], shifts)


@lru_cache(maxsize=2)
def _read_table(base_graph: int) -> NDArray[np.int32]:
    text = files("channels.fec.ldpc").joinpath("data", f"bg{base_graph}.csv").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return np.loadtxt(lines[1:], delimiter=",", dtype=np.int32)
