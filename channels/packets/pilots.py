"""Channel knowledge from pilots, for block fading.

:class:`~channels.base.ChannelOutput` carries perfect knowledge as ``h``. Here the receiver has to
estimate it: every coherence block starts with ``num_pilots`` known symbols, which cost channel
uses. The receiver averages ``y·conj(p)`` over them (least squares, as ``|p| = 1``), so that
``ĥ = h + e`` with ``e ~ CN(0, N0/P)``, and for the data ``y = ĥ·x + (n - e·x)``: for data of unit
power the error acts as additional noise of variance N0/P. The receiver therefore assumes
``N0·(1 + 1/P)``.

Leaves out: boosted pilots, interpolation between blocks, and the prior on h (an MMSE estimate
would shrink ĥ). The receiver must know the block boundaries and N0.

Reference: B. Hassibi, B. M. Hochwald, "How much training is needed in multiple-antenna wireless
links?", IEEE Trans. Inf. Theory 49(4), 2003, DOI 10.1109/TIT.2003.809594.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import ChannelOutput
from channels.errors import InputError


def _check(num_pilots: int, block_length: int) -> None:
    if num_pilots < 1:
        raise InputError(f"num_pilots must be at least 1, got {num_pilots}")
    if block_length != 0 and block_length <= num_pilots:
        raise InputError(
            f"block_length must be 0 (one block) or exceed the {num_pilots} pilots at the start of "
            f"a block, got {block_length}"
        )


def num_pilot_symbols(num_data: int, num_pilots: int, block_length: int) -> int:
    """Return the channel uses that pilots take in a frame of ``num_data`` data symbols.

    Parameters
    ----------
    num_data
        Data symbols, at least 1.
    num_pilots
        Pilots at the start of every block, at least 1.
    block_length
        Symbols per coherence block, pilots included; 0 makes the whole frame one block.

    Raises
    ------
    ValueError
        A number outside these ranges.

    Examples
    --------
    >>> num_pilot_symbols(90, 10, 0), num_pilot_symbols(90, 10, 40)  # one block, three blocks
    (10, 30)
    """
    _check(num_pilots, block_length)
    if num_data < 1:
        raise InputError(f"num_data must be at least 1, got {num_data}")
    blocks = -(-num_data // (block_length - num_pilots)) if block_length else 1
    return blocks * num_pilots


def longest_frame(num_symbols: int, num_pilots: int, block_length: int) -> int:
    """Return the length of the longest valid frame within ``num_symbols`` symbols; 0: none."""
    _check(num_pilots, block_length)
    stump = num_symbols % block_length if block_length else num_symbols
    return num_symbols - (stump if stump <= num_pilots else 0)


def pilot_sequence(num_pilots: int, like: Tensor) -> Tensor:
    """Return the pilots of one block: complex (num_pilots,), QPSK, unit power, dtype of ``like``.

    The phase ``π/4 + (π/2)·k(k+1)/2`` is quadratic, so that the spectrum has no strong line.
    """
    k = torch.arange(num_pilots, device=like.device)
    phase = math.pi / 4 + math.pi / 2 * ((k * (k + 1) // 2) % 4).to(like.real.dtype)
    return torch.polar(torch.ones_like(phase), phase)


def _is_pilot(num_symbols: int, num_pilots: int, block_length: int, like: Tensor) -> Tensor:
    position = torch.arange(num_symbols, device=like.device)
    return position % (block_length or num_symbols) < num_pilots


def insert_pilots(x: Tensor, num_pilots: int, block_length: int) -> Tensor:
    """Insert pilots at the start of every coherence block.

    Parameters
    ----------
    x
        Data symbols, complex (..., num_data).
    num_pilots, block_length
        As for :func:`num_pilot_symbols`. A full block has ``block_length - num_pilots`` data
        symbols; the last block may have fewer.

    Returns
    -------
    Tensor
        The frame, complex (..., num_data + num_pilot_symbols).

    Examples
    --------
    >>> frame = insert_pilots(torch.zeros(4, dtype=torch.complex64), 1, 3)
    >>> frame.abs().round().int().tolist()  # each block of three starts with a pilot
    [1, 0, 0, 1, 0, 0]
    """
    num_data = x.shape[-1]
    total = num_data + num_pilot_symbols(num_data, num_pilots, block_length)
    pilot = _is_pilot(total, num_pilots, block_length, x)
    blocks = (total - num_data) // num_pilots
    frame = x.new_empty((*x.shape[:-1], total))
    frame[..., pilot] = pilot_sequence(num_pilots, x).repeat(blocks)
    frame[..., ~pilot] = x
    return frame


def remove_pilots(
    y: Tensor, noise_var: float | Tensor, num_pilots: int, block_length: int
) -> ChannelOutput:
    """Estimate the gain from the pilots and return the data symbols.

    Parameters
    ----------
    y
        Received frame, complex (..., num_symbols), in the layout of :func:`insert_pilots`.
    noise_var
        N0 as the channel reports it, broadcastable to ``y``; constant within a block.
    num_pilots, block_length
        As for the transmitter.

    Returns
    -------
    ChannelOutput
        ``y`` and the estimate ``h`` at the data positions, (..., num_data), and
        ``N0·(1 + 1/num_pilots)``.

    Raises
    ------
    ValueError
        A frame that :func:`insert_pilots` cannot have made.

    Examples
    --------
    >>> x = torch.ones(90, dtype=torch.complex64)
    >>> frame = insert_pilots(x, 10, 0)
    >>> y, h, noise_var = remove_pilots(2j * frame, 0.1, 10, 0)  # a gain of 2j
    >>> bool(torch.allclose(h, torch.tensor(2j))), round(float(noise_var), 3)
    (True, 0.11)
    """
    _check(num_pilots, block_length)
    total = y.shape[-1]
    length = min(block_length or total, total)
    if 0 < total % length <= num_pilots or total <= num_pilots:
        raise InputError(
            f"a frame of {total} symbols ends without data after {num_pilots} pilots per block "
            f"of {length}"
        )
    pilot = _is_pilot(total, num_pilots, block_length, y)
    received = y[..., pilot].reshape(*y.shape[:-1], -1, num_pilots)
    estimate = (received * pilot_sequence(num_pilots, y).conj()).mean(dim=-1)
    h = estimate.repeat_interleave(length, dim=-1)[..., :total]
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype, device=y.device)
    if noise.ndim and noise.shape[-1] == total:
        noise = noise[..., ~pilot]
    return ChannelOutput(y[..., ~pilot], h[..., ~pilot], noise * (1 + 1 / num_pilots))
