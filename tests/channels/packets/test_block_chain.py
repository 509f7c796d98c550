"""Bits to bits: the same counts however they are worked out, and memory that does not grow."""

import subprocess
import sys

import pytest
import torch

from channels.fec.ldpc import ldpc_code
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock
from channels.packets.block_chain import (
    BlockCount,
    batch_size,
    count_errors,
    pass_blocks,
    random_bits,
    run_chain,
)

CODE = ldpc_code(200, 400, 2)
MANY = """
import resource
from channels.models.awgn import Awgn
from channels.packets.block_chain import batch_size, run_chain
from channels.fec.ldpc import ldpc_code

def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

code = ldpc_code(1024, 1280, 2)
for threads in (1, 2):
    few, many = (
        (run_chain(code, Awgn(), 8.0, batches * batch_size(code), threads=threads), peak())[1]
        for batches in (8, 56)
    )
    print(many - few, batch_size(code) * code.num_coded_bits)
"""


@pytest.mark.parametrize("decoder", ["int8", "cascade"])
def test_counts_do_not_depend_on_threads(decoder: str) -> None:
    """Twenty batches, so that threads take more than one group of them, the last one short."""
    num_blocks = 20 * batch_size(CODE) - 100
    alone, together = (
        run_chain(CODE, Awgn(), 1.0, num_blocks, seed=3, threads=threads, decoder=decoder)
        for threads in (1, 2)
    )
    assert alone == together
    assert alone.blocks == num_blocks
    assert 0 < alone.block_errors < num_blocks
    assert alone.block_errors <= alone.bit_errors


def test_seeds_are_other_blocks_of_the_same_error_rate() -> None:
    counts = [run_chain(CODE, RayleighBlock(), 6.0, 2000, seed=seed) for seed in range(2)]
    assert counts[0] != counts[1]
    assert run_chain(CODE, RayleighBlock(), 6.0, 2000, seed=1) == counts[1]
    rates = [count.block_errors / count.blocks for count in counts]
    mean = sum(rates) / 2
    assert abs(rates[0] - rates[1]) < 4 * (2 * mean * (1 - mean) / 2000) ** 0.5


def test_errors_are_counted_by_bit_and_by_block() -> None:
    rng = torch.Generator().manual_seed(0)
    bits = random_bits((50, 200), rng)
    decided, ok = pass_blocks(bits, CODE, Awgn(), 20.0, rng)
    assert count_errors(bits, decided, ok) == BlockCount(50, 0, 0, 0)
    decided[3, :7] ^= 1
    decided[9, 0] ^= 1
    ok[9] = False
    assert count_errors(bits, decided, ok) == BlockCount(50, 2, 8, 1)
    total = BlockCount(50, 2, 8, 1) + BlockCount(1, 1, 1, 0)
    assert total == BlockCount(51, 3, 9, 1)


def test_memory_does_not_grow_with_the_number_of_blocks() -> None:
    """The peak of 56 batches is that of 8, give or take two batches of symbols and LLRs.

    A fresh process, so that nothing else has set the peak. The LLRs of the 48 batches more would
    take 120 MiB, their decided bits alone 24 MiB; two batches are 15 MiB.
    """
    pytest.importorskip("resource", reason="needs the peak of a process")
    run = subprocess.run(  # its peak is in KiB, on macOS in bytes
        [sys.executable, "-c", MANY], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    for line in run.stdout.splitlines():
        growth, coded_bits = (int(number) for number in line.split())
        # Per coded bit: half a complex64 symbol sent and received, and a float32 LLR.
        assert growth * unit < 2 * coded_bits * 12
    assert len(run.stdout.splitlines()) == 2


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="num_blocks must be at least 1, got 0"):
        run_chain(CODE, Awgn(), 0.0, 0)
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        run_chain(CODE, Awgn(), 0.0, 10, threads=0)
