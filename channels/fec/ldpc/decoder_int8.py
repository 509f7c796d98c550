"""The fast decoder: layered offset min-sum on bytes, 64 lanes at a time (``kernels/simd.py``).

A check node sends to each of its bits the product of the signs of the other messages and the
smallest m of their magnitudes, corrected to ``min(max(m - OFFSET, 0), MAX_MESSAGE)`` because the
minimum exceeds the exact value. Rows are processed in turn, each on the results of the earlier
ones.

LLRs are stored in units of 1/4. When a sum saturates, subtracting a message does not restore the
earlier value, which would cause an error floor. Messages are therefore limited to well below the
range of a byte.

Columns are stored periodically with period Z over their whole length, so that every rotation is one
contiguous load. Lanes beyond Z repeat earlier ones, so that no masks are needed.

Reference: J. Chen, A. Dholakia, E. Eleftheriou, M. Fossorier, X.-Y. Hu, "Reduced-complexity
decoding of LDPC codes", IEEE Trans. Commun. 53(8), 2005, doi:10.1109/TCOMM.2005.852852; D. Hocevar,
"A reduced complexity decoder architecture via layered decoding of LDPC codes", SiPS 2004,
doi:10.1109/SIPS.2004.1363033.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.schedule import Schedule
from channels.fec.ldpc.soft_buffer import gather
from channels.kernels import simd
from channels.kernels.simd import (
    WIDTH,
    add,
    any_negative,
    any_zero,
    exclusive_or,
    fill,
    largest,
    least,
    load,
    magnitude,
    reduce,
    sign_bit,
    store,
    subtract,
    where_equal,
    with_sign,
)

F32 = NDArray[np.float32]
if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode

I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

LLR_SCALE = np.float32(4)
MAX_LLR = np.float32(80)
"""Limit of the magnitude of scaled received values: 20 in units of LLR."""
OFFSET = np.int8(2)
MAX_MESSAGE = np.int8(40)
LARGEST = np.int8(127)
"""Initial value of a filler bit, in the sign convention of the decoder, log p(b=0)/p(b=1)."""
_ZERO = np.int8(0)
_MOST_ENTRIES = 19  # of a row of either base graph
_LINE = 64  # bytes of a cache line


def decode(
    code: LdpcCode, llr: F32, max_iterations: int, rvs: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode a batch; see :meth:`channels.fec.ldpc.LdpcCode.decode` for the arguments."""
    bits, fulfilled = _decode_blocks(llr, code.schedule(rvs), max_iterations)
    return bits.view(np.uint8), fulfilled


@simd.kernel
def _aligned(size: int) -> I8:
    room = np.empty(size + _LINE - 1, dtype=np.int8)
    start = -room.ctypes.data % _LINE
    return room[start : start + size]


@simd.kernel
def _correct(x):  # type: ignore[no-untyped-def]
    return least(reduce(x, fill(OFFSET)), fill(MAX_MESSAGE))


@simd.kernel
def _row(
    state: I8,
    messages: I8,
    scratch: I8,
    columns: I64,
    reads: I64,
    begin: int,
    end: int,
    size: int,
    first: bool,
) -> None:
    """Process the entries ``begin`` to ``end``, which form one row.

    ``columns`` are the addresses of their columns in ``state``, and ``reads`` those at which their
    lanes start. In the ``first`` iteration there are no messages to subtract.
    """
    padded = -(-size // WIDTH) * WIDTH
    summary = (end - begin) * padded
    for lane in range(0, padded, WIDTH):
        nearest, second, sign = fill(LARGEST), fill(LARGEST), fill(_ZERO)
        place, message = lane, begin * padded + lane
        for e in range(begin, end):
            value = load(state, reads[e] + lane)
            if not first:
                value = subtract(value, load(messages, message))
            store(scratch, place, value)
            m = magnitude(value)
            second = least(second, largest(nearest, m))
            nearest = least(nearest, m)
            sign = exclusive_or(sign, value)
            place, message = place + padded, message + padded
        store(scratch, summary + lane, nearest)
        store(scratch, summary + padded + lane, second)
        store(scratch, summary + 2 * padded + lane, sign)
    # Columns may change only now, because a later lane reads what an earlier one writes.
    for lane in range(0, padded, WIDTH):
        nearest = load(scratch, summary + lane)
        to_others = _correct(nearest)
        to_nearest = _correct(load(scratch, summary + padded + lane))
        sign = load(scratch, summary + 2 * padded + lane)
        place, message = lane, begin * padded + lane
        for e in range(begin, end):
            value = load(scratch, place)
            new = where_equal(magnitude(value), nearest, to_nearest, to_others)
            new = with_sign(new, exclusive_or(sign, value))
            store(messages, message, new)
            value = add(value, new)
            store(state, columns[e] + lane, value)
            store(state, columns[e] + lane + size, value)
            place, message = place + padded, message + padded


@simd.kernel
def _is_codeword(state: I8, row_starts: I32, reads: I32, size: int) -> bool:
    for row in range(row_starts.size - 1):
        for lane in range(0, size, WIDTH):
            parity = fill(_ZERO)
            for e in range(row_starts[row], row_starts[row + 1]):
                parity = exclusive_or(parity, load(state, reads[e] + lane))
            if any_negative(parity):
                return False
    return True


@simd.kernel
def _all_decided(state: I8, wanted_columns: int, stride: int, size: int) -> bool:
    """Whether all information bits are decided; an undecided word would pass every check."""
    for column in range(wanted_columns):
        for lane in range(0, size, WIDTH):
            if any_zero(load(state, column * stride + lane)):
                return False
    return True


@simd.kernel
def _quantise(mother: F32, quantised: I8) -> None:
    for i in range(mother.size):
        quantised[i] = np.int8(np.rint(min(max(mother[i] * LLR_SCALE, -MAX_LLR), MAX_LLR)))


@simd.kernel
def _fill_columns(quantised: I8, rotations: I32, state: I8, stride: int, size: int) -> None:
    """Store every column repeatedly, in the rotation of its last writer."""
    step = min(size, WIDTH)  # a copy may only read what has been written
    for column in range(rotations.size):
        source, target = column * size, column * stride
        shift = rotations[column]
        for lane in range(0, size - shift, WIDTH):
            store(state, target + lane, load(quantised, source + shift + lane))
        for lane in range(0, shift, WIDTH):
            store(state, target + size - shift + lane, load(quantised, source + lane))
        for lane in range(0, stride - size - WIDTH + 1, step):
            store(state, target + size + lane, load(state, target + lane))


@simd.kernel
def _decide(
    state: I8, rotations: I32, stride: int, size: int, bits: I8, start: int, count: int
) -> None:
    """Write ``count`` information bits to ``bits`` from ``start`` on; some bytes beyond change."""
    for column in range(-(-count // size)):
        source = column * stride + (size - rotations[column]) % size
        target = column * size
        for lane in range(0, min(size, count - target), WIDTH):
            store(bits, start + target + lane, sign_bit(load(state, source + lane)))


@simd.kernel
def _decode_blocks(llr: F32, plan: Schedule, max_iterations: int) -> tuple[I8, NDArray[np.bool_]]:
    """Decode a batch block by block, with memory for one block."""
    num_blocks, size, count = llr.shape[0], plan.size, plan.num_info_bits
    padded = -(-size // WIDTH) * WIDTH
    stride = -(-2 * (size + padded) // _LINE) * _LINE
    bits = np.empty(num_blocks * count + WIDTH, dtype=np.int8)
    fulfilled = np.zeros(num_blocks, dtype=np.bool_)
    mother = np.empty(plan.rotations.size * size, dtype=np.float32)
    quantised = np.empty(mother.size + WIDTH, dtype=np.int8)
    state = _aligned(plan.rotations.size * stride)
    messages = _aligned(plan.columns.size * padded)
    scratch = _aligned((_MOST_ENTRIES + 3) * padded)
    columns = plan.columns.astype(np.int64) * stride
    reads, final_reads = columns + plan.offsets, columns + plan.final_offsets
    info_columns = -(-count // size)
    for b in range(num_blocks):
        gather(llr[b], plan.runs, mother)
        _quantise(mother, quantised)
        quantised[count : plan.known_end] = LARGEST
        _fill_columns(quantised, plan.rotations, state, stride, size)
        for iteration in range(max_iterations):
            for row in range(plan.row_starts.size - 1):
                begin, end = plan.row_starts[row], plan.row_starts[row + 1]
                _row(state, messages, scratch, columns, reads, begin, end, size, iteration == 0)
            if _is_codeword(state, plan.row_starts, final_reads, size) and _all_decided(
                state, info_columns, stride, size
            ):
                fulfilled[b] = True
                break
        _decide(state, plan.rotations, stride, size, bits, b * count, count)
    return bits[: num_blocks * count].reshape(num_blocks, count), fulfilled
