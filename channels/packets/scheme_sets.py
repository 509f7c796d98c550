"""The sets of modulation and coding schemes that a sender and a receiver may agree on.

A header refers to a scheme by its index within the agreed set, so that both ends must know the name
of the set before the first frame. Another set is added by a function that returns its schemes, with
an entry in ``_SETS``; ``channels/data/thresholds.json`` must then have the SNR that each of its
schemes needs.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from channels.errors import InputError
from channels.packets.mcs import SCHEMES, Scheme
from channels.shaping.schemes import shaped_efficiencies

BLOCK_BITS = 6144
"""Coded bits of every code block of the papers' schemes."""
_PAPERS = {2: "1/3 1/2 2/3", 4: "1/2 2/3", 6: "1/2 2/3 3/4"}


def _nr() -> tuple[Scheme, ...]:
    """Return the schemes of 5G NR, with further rates in between (:mod:`channels.packets.mcs`)."""
    return SCHEMES


def _papers() -> tuple[Scheme, ...]:
    """Return the schemes of the papers on semantic image communication.

    Every code block has :data:`BLOCK_BITS` coded bits. The list is that of issue 9 of the
    repository of WITT (arXiv:2211.00937), to which 64-QAM with rates 2/3 and 3/4 is added, which
    other papers use.
    """
    return tuple(
        Scheme(bits, float(Fraction(rate)), BLOCK_BITS)
        for bits, rates in _PAPERS.items()
        for rate in rates.split()
    )


def _shaped() -> tuple[Scheme, ...]:
    """Return the schemes of 5G NR for short packets, and shaped QAM for long ones.

    :mod:`channels.shaping` explains the latter; they need a channel that holds its gain.
    """
    shaped = (
        Scheme(bits, efficiency / bits, shaped=True) for bits, efficiency in shaped_efficiencies()
    )
    return (*SCHEMES, *shaped)


_SETS: dict[str, Callable[[], tuple[Scheme, ...]]] = {
    "nr": _nr,
    "papers": _papers,
    "shaped": _shaped,
}
SCHEME_SETS = tuple(_SETS)
"""The names of all sets."""
_MADE = {name: make() for name, make in _SETS.items()}


def scheme_set(name: str) -> tuple[Scheme, ...]:
    """Return the schemes of a set, in the order to which a header refers.

    Parameters
    ----------
    name
        One of :data:`SCHEME_SETS`: ``"nr"``, ``"papers"`` or ``"shaped"``.

    Raises
    ------
    ValueError
        Another name.

    Examples
    --------
    >>> [scheme.name for scheme in scheme_set("papers")][:3]
    ['QPSK 0.333', 'QPSK 0.500', 'QPSK 0.667']
    >>> scheme_set("lte")
    Traceback (most recent call last):
    channels.errors.InputError: unknown set of schemes 'lte'; choices: nr, papers, shaped
    """
    if name not in _MADE:
        choices = ", ".join(SCHEME_SETS)
        raise InputError(f"unknown set of schemes {name!r}; choices: {choices}")
    return _MADE[name]
