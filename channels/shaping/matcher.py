"""Distribution matching with constant composition: bits to sequences of amplitudes and back.

All sequences in which amplitude ``a`` occurs ``counts[a]`` times are numbered in lexicographic
order; a message is the number of its sequence. If ``W`` sequences remain for ``n`` places, the
share ``W·counts[a]/n`` of them, a whole number, begins with ``a``. Integers of Python are exact, so
no rounding can spoil the inverse.

The counts follow the law of Maxwell and Boltzmann, ``counts[a] ∝ exp(-ν·(2a+1)²)``, which needs the
least energy for a given entropy. The rate loss against that entropy is about
``(L-1)/2·log2(n)/n`` bits per amplitude for L amplitudes: 0.005 bits at n = 3328 and L = 4.

References
----------
P. Schulte, G. Böcherer, "Constant composition distribution matching", IEEE Trans. Inf. Theory
62(1), 2016, DOI 10.1109/TIT.2015.2499181; T. Cover, "Enumerative source encoding", IEEE Trans. Inf.
Theory 19(1), 1973, DOI 10.1109/TIT.1973.1054929, for the numbering.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError

_SLACK_BITS = 1e-3  # far above the rounding of lgamma, far below a bit
_STEEPEST = 4.0  # ν at which only the weakest amplitude is left


class Matcher:
    """The numbering of all sequences of one composition.

    Parameters
    ----------
    counts
        How often each amplitude occurs, the weakest first, at least 0 and not all 0.

    Attributes
    ----------
    length
        Amplitudes of a sequence.
    num_bits
        Bits that a sequence carries: the whole part of log2 of the number of sequences.

    Raises
    ------
    ValueError
        Counts out of range.

    Examples
    --------
    >>> matcher = Matcher((2, 1))  # 001, 010 and 100
    >>> matcher.num_bits, matcher.sequence(1).tolist()
    (1, [0, 1, 0])
    >>> matcher.index(np.array([0, 1, 0], dtype=np.uint8))
    1
    """

    def __init__(self, counts: tuple[int, ...]) -> None:
        if not counts or min(counts) < 0 or sum(counts) == 0:
            raise InputError(f"counts must be at least 0, and one above 0, got {counts}")
        self.counts = counts
        self.length = sum(counts)
        self._sequences = math.factorial(self.length)
        for count in counts:
            self._sequences //= math.factorial(count)
        self.num_bits = self._sequences.bit_length() - 1

    def sequence(self, index: int) -> NDArray[np.uint8]:
        """Return the sequence with this number, amplitudes as uint8 (length,).

        Raises ``ValueError`` for a number below 0 or that of no sequence.
        """
        if not 0 <= index < self._sequences:
            raise InputError(f"index must be at least 0 and below {self._sequences}, got {index}")
        left, ways = list(self.counts), self._sequences
        sequence = np.empty(self.length, dtype=np.uint8)
        for place in range(self.length):
            amplitude = 0
            while index >= (share := ways * left[amplitude] // (self.length - place)):
                index -= share
                amplitude += 1
            sequence[place] = amplitude
            left[amplitude] -= 1
            ways = share
        return sequence

    def index(self, sequence: NDArray[np.uint8]) -> int | None:
        """Return the number of a sequence (length,), or None if its counts are others."""
        found = np.bincount(sequence, minlength=len(self.counts))
        if found.tolist() != list(self.counts):
            return None
        left, ways, index = list(self.counts), self._sequences, 0
        for place, amplitude in enumerate(sequence.tolist()):
            rest = self.length - place
            if amplitude:
                index += ways * sum(left[:amplitude]) // rest
            ways = ways * left[amplitude] // rest
            left[amplitude] -= 1
        return index


def cheapest_counts(length: int, num_amplitudes: int, num_bits: int) -> tuple[int, ...]:
    """Return the Maxwell–Boltzmann counts of least energy whose sequences carry ``num_bits``.

    Parameters
    ----------
    length
        Amplitudes of a sequence, at least 1.
    num_amplitudes
        Number of amplitudes 1, 3, 5, …, at least 2.
    num_bits
        Bits to carry, at least 0.

    Raises
    ------
    ValueError
        More bits than equally frequent amplitudes carry.

    Examples
    --------
    >>> cheapest_counts(1000, 4, 1600)  # of at most 2000 bits; uniform would be 250 each
    (493, 325, 141, 41)
    """
    energies = np.arange(1, 2 * num_amplitudes, 2.0) ** 2
    gentle, steep = 0.0, _STEEPEST
    if _carried(_rounded(energies, gentle, length)) < num_bits:
        raise InputError(
            f"{length} of {num_amplitudes} amplitudes cannot carry {num_bits} bits, but at most "
            f"{math.floor(_carried(_rounded(energies, gentle, length)))}"
        )
    for _ in range(50):
        middle = (gentle + steep) / 2
        if _carried(_rounded(energies, middle, length)) >= num_bits:
            gentle = middle
        else:
            steep = middle
    return _rounded(energies, gentle, length)


def _rounded(energies: NDArray[np.float64], steepness: float, length: int) -> tuple[int, ...]:
    """Round ``length`` times the probabilities so that they add up to ``length``."""
    weights = np.exp(-steepness * (energies - energies[0]))
    shares = length * weights / weights.sum()
    counts = np.floor(shares).astype(np.int64)
    most_cut = np.argsort(counts - shares, kind="stable")
    counts[most_cut[: length - counts.sum()]] += 1
    return tuple(counts.tolist())


def _carried(counts: tuple[int, ...]) -> float:
    """Return log2 of the number of sequences, less a slack for its rounding error."""
    ways = math.lgamma(sum(counts) + 1) - sum(math.lgamma(count + 1) for count in counts)
    return ways / math.log(2) - _SLACK_BITS
