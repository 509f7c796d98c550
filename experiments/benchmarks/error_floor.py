"""Search for an error floor of LDPC decoding one dB past the waterfall.

    python -m experiments.benchmarks.error_floor

Goal: no floor above 1e-6 at k = 1024, R = 1/3, 1/2 and 5/6, QPSK on AWGN, one dB above the SNR at
which ``int8`` has a BLER near 1e-2, for ``int8``, ``cascade`` and ``listed``. This means no error
in 4 million blocks, for which the 95 % interval ends at 9.2e-7. Peer: that bound. All decoders see
the same noise. ``listed`` needs a CRC: 24 of the k bits are one, a block counts as wrong if it is
lost or wrong, and as undetected if it is wrong although its CRC holds.

Each chunk of blocks has its own seed and gives a row of raw counts, which is appended to
``experiments/results/ldpc-error-floor.csv`` at once; a killed run can be resumed. The benchmark
takes about a quarter of an hour on one core. The noise has no values beyond 6.7 standard deviations
(:mod:`channels.kernels.gaussian`), which would occur once in 10^11 numbers.
"""

from __future__ import annotations

import csv
import importlib.metadata
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from channels.fec.ldpc import ldpc_code
from channels.fec.transport_block import transport_code
from channels.models.awgn import Awgn
from channels.modulation import demodulate, modulate
from channels.packets.block_chain import (
    BlockCount,
    batch_seed,
    batch_size,
    batches,
    random_bits,
    run_chain,
)
from channels.packets.mcs import CRC_BITS
from channels.units import esn0_db_from_ebn0_db, noise_var_from_snr_db
from experiments.benchmarks.peers import CASES, NEAR_1E_2_DB
from experiments.csv_table import append_row
from experiments.intervals import Count

GOAL = 1e-6
K = 1024
PAST_DB = 1.0
DECODERS = ("int8", "cascade", "listed")
MAX_ITERATIONS = 20
CHUNK = 200_000
NUM_BLOCKS = 4_000_000
OUT = Path(__file__).parents[1] / "results" / "ldpc-error-floor.csv"

Key = tuple[str, str]
"""Name of the code rate, and decoder."""


def cases() -> list[Key]:
    """Return every combination of code rate and decoder; at R = 1/2 nothing needs a list."""
    every = [(name, decoder) for k, _, name in CASES if k == K for decoder in DECODERS]
    return [key for key in every if key != ("1/2", "listed")]


def ebn0_db(name: str) -> float:
    """Return the Eb/N0 in dB at which a code rate is measured."""
    return NEAR_1E_2_DB[K, name] + PAST_DB


def send(name: str, decoder: str, num_blocks: int, seed: int) -> BlockCount:
    """Send blocks one dB past the waterfall."""
    rate = next(rate for k, rate, one in CASES if (k, one) == (K, name))
    code = ldpc_code(K, 2 * round(K / rate / 2), 2)
    snr_db = esn0_db_from_ebn0_db(ebn0_db(name), 2, K / code.num_coded_bits)
    if decoder == "listed":
        return _send_packets(code.num_coded_bits, snr_db, num_blocks, seed)
    return run_chain(code, Awgn(), snr_db, num_blocks, seed=seed, decoder=decoder)


def _send_packets(num_coded_bits: int, snr_db: float, num_blocks: int, seed: int) -> BlockCount:
    """Send packets of one block with a CRC, over the noise of :func:`run_chain`."""
    code, total = transport_code(K - CRC_BITS, num_coded_bits, 2), BlockCount()
    for index, size in batches(num_blocks, batch_size(ldpc_code(K, num_coded_bits, 2))):
        rng = torch.Generator().manual_seed(batch_seed(seed, index))
        packets = np.ascontiguousarray(random_bits((size, K), rng)[:, : K - CRC_BITS])
        x = modulate(torch.from_numpy(code.encode(packets)), 2)
        received = Awgn()(x, noise_var_from_snr_db(snr_db), rng)
        llr = demodulate(*received, 2).numpy()
        decided, ok = code.decode_batch(llr, MAX_ITERATIONS, decoder="listed")
        wrong = (decided != packets).any(axis=1)
        bits = int((decided != packets)[wrong].sum())
        total += BlockCount(size, int((wrong | ~ok).sum()), bits, int((wrong & ok).sum()))
    return total


def read(file: Path) -> dict[Key, dict[int, BlockCount]]:
    """Read the counts of every chunk, by its seed."""
    chunks: dict[Key, dict[int, BlockCount]] = {key: {} for key in cases()}
    if file.exists():
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                count = BlockCount(*(int(row[name]) for name in asdict(BlockCount())))
                chunks[row["rate"], row["decoder"]][int(row["seed"])] = count
    return chunks


def append(file: Path, key: Key, seed: int, count: BlockCount) -> None:
    """Append the counts of one chunk to the file."""
    about = {"k": K, "rate": key[0], "ebn0_db": ebn0_db(key[0]), "decoder": key[1], "seed": seed}
    row = {**about, **asdict(count), "semcom": importlib.metadata.version("semcom")}
    append_row(file, row)


def as_count(count: BlockCount) -> Count:
    """Convert the counts, with blocks as independent trials."""
    errors = count.block_errors
    return Count(count.blocks, errors, count.blocks, errors, errors)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(out: Path) -> None:
    """Send blocks until every case has enough of them."""
    torch.set_num_threads(1)
    chunks = read(out)
    todo = [
        (key, seed)
        for seed in range(NUM_BLOCKS // CHUNK)
        for key in chunks
        if seed not in chunks[key]
    ]
    for key, seed in track(todo, description="chunks", console=Console(stderr=True)):
        chunks[key][seed] = send(*key, CHUNK, seed)
        append(out, key, seed, chunks[key][seed])
    for key, found in chunks.items():
        total = sum(found.values(), BlockCount())
        high = as_count(total).interval()[1]
        click.echo(
            f"k={K} R={key[0]} Eb/N0={ebn0_db(key[0]):g} dB, {key[1]}: {total.block_errors} of "
            f"{total.blocks} blocks wrong, {total.undetected} of them undetected, 95 % below "
            f"{high:.2g}; goal {GOAL:g} {'reached' if high < GOAL else 'missed'}"
        )


if __name__ == "__main__":
    main()
