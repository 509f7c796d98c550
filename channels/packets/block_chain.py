"""Bits to bits in bounded memory: encode, map, send, demap, decode and count, batch after batch.

Only the symbols, LLRs and words of one batch per thread are held, however many blocks are sent.
Every batch has its own generator, seeded from the seed and the batch number, so that the counts do
not depend on the number of threads. The kernels release the GIL, so that threads run in parallel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from channels.base import Channel, send_over
from channels.errors import InputError
from channels.fec.ldpc import LdpcCode
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.modulation import modulate
from channels.units import noise_var_from_snr_db

Bits = NDArray[np.uint8]

_BATCH_CODED_BITS = 1 << 20
_MAX_BATCH = 512


@dataclass(frozen=True)
class BlockCount:
    """Counts of blocks; two of them can be added."""

    blocks: int = 0
    block_errors: int = 0
    """Blocks with a wrong information bit."""
    bit_errors: int = 0
    """Wrong information bits."""
    undetected: int = 0
    """Wrong blocks that fulfil all parity checks; catching them is the task of a CRC."""

    def __add__(self, other: BlockCount) -> BlockCount:
        """Return the sum of both counts."""
        return BlockCount(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def batch_size(code: LdpcCode) -> int:
    """Return the number of blocks in a batch: at most 512, or 2²⁰ coded bits."""
    return max(1, min(_MAX_BATCH, _BATCH_CODED_BITS // code.num_coded_bits))


def random_bits(shape: tuple[int, int], rng: torch.Generator) -> Bits:
    """Draw equally likely bits, uint8 0 or 1."""
    num_bytes = -(-shape[0] * shape[1] // 8)
    drawn = torch.randint(256, (num_bytes,), generator=rng, dtype=torch.uint8).numpy()
    return np.unpackbits(drawn, count=shape[0] * shape[1]).reshape(shape)


def pass_blocks(
    bits: Bits,
    code: LdpcCode,
    channel: Channel,
    snr_db: float,
    rng: torch.Generator,
    *,
    max_iterations: int = 20,
    decoder: str = DEFAULT_DECODER,
) -> tuple[Bits, NDArray[np.bool_]]:
    """Send blocks through the whole chain, each as one transmission.

    Parameters
    ----------
    bits
        Information bits, uint8 0 or 1, (num_blocks, k).
    code
        Its ``bits_per_symbol`` is the modulation: 1, 2, 4, 6 or 8.
    channel
        The channel; the receiver knows the ``h`` and N0 that it returns.
    snr_db
        Es/N0 in dB.
    rng
        Source of fading and noise.
    max_iterations, decoder
        See :meth:`channels.fec.ldpc.LdpcCode.decode`.

    Returns
    -------
    bits : NDArray[np.uint8]
        Decided bits, (num_blocks, k).
    syndrome_ok : NDArray[np.bool_]
        Whether all checks are fulfilled, (num_blocks,).
    """
    x = modulate(torch.from_numpy(code.encode(bits)), code.bits_per_symbol)
    received = send_over(channel, x, noise_var_from_snr_db(snr_db), rng)
    llr = received.llr(code.bits_per_symbol).numpy(force=True)
    return code.decode(llr, max_iterations, decoder=decoder)


def count_errors(sent: Bits, decided: Bits, syndrome_ok: NDArray[np.bool_]) -> BlockCount:
    """Count the differences of bits (num_blocks, k), given ``syndrome_ok`` of the decoder."""
    differs = sent != decided
    wrong = differs.any(axis=1)
    undetected = wrong & syndrome_ok
    return BlockCount(len(sent), int(wrong.sum()), int(differs.sum()), int(undetected.sum()))


def run_chain(
    code: LdpcCode,
    channel: Channel,
    snr_db: float,
    num_blocks: int,
    *,
    seed: int = 0,
    threads: int = 1,
    max_iterations: int = 20,
    decoder: str = DEFAULT_DECODER,
) -> BlockCount:
    """Send random blocks and count the errors.

    Parameters
    ----------
    code, channel, snr_db, max_iterations, decoder
        See :func:`pass_blocks`.
    num_blocks
        Number of blocks, at least 1. Memory does not grow with it.
    seed
        Seed of bits, fading and noise. The counts depend on it but not on ``threads``.
    threads
        Batches that run in parallel, at least 1. It is best to limit torch to one thread of its
        own with ``torch.set_num_threads(1)``.

    Raises
    ------
    ValueError
        ``num_blocks`` or ``threads`` below 1.

    Examples
    --------
    >>> from channels.models.awgn import Awgn
    >>> from channels.fec.ldpc import ldpc_code
    >>> run_chain(ldpc_code(1000, 2000, 2), Awgn(), 3.0, 2000)
    BlockCount(blocks=2000, block_errors=0, bit_errors=0, undetected=0)
    """
    for name, value in (("num_blocks", num_blocks), ("threads", threads)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, got {value}")

    def run(batch: tuple[int, int]) -> BlockCount:
        index, size = batch
        rng = torch.Generator().manual_seed(batch_seed(seed, index))
        bits = random_bits((size, code.num_info_bits), rng)
        decided, ok = pass_blocks(
            bits, code, channel, snr_db, rng, max_iterations=max_iterations, decoder=decoder
        )
        return count_errors(bits, decided, ok)

    sizes = batches(num_blocks, batch_size(code))
    total = BlockCount()
    if threads == 1:
        return sum(map(run, sizes), total)
    with ThreadPoolExecutor(threads) as pool:
        # Hand out a few batches in advance: no thread waits, and no list of all batches is made.
        while group := list(itertools.islice(sizes, 8 * threads)):
            total = sum(pool.map(run, group), total)
    return total


def batches(num_blocks: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the number and size of every batch."""
    return (
        (index, min(size, num_blocks - start))
        for index, start in enumerate(range(0, num_blocks, size))
    )


def batch_seed(seed: int, index: int) -> int:
    """Return the seed of a batch."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0]) >> 1
