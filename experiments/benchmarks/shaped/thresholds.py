"""Measurement of the SNR that shaped code blocks need, for ``channels/data/shaped.json``.

    python -m experiments.benchmarks.shaped.thresholds

Blocks of full and of half length are sent over AWGN at the efficiencies of
:data:`channels.shaping.schemes.MEASURED`, demapped exactly and decoded as in links. Amplitudes are
drawn as random orders of their counts, which is what the matcher makes of random bits. As in
:mod:`experiments.benchmarks.mcs_thresholds`, the SNR rises until the block error rate is below
1e-3, and a point stops at 60 block errors. The benchmark takes about half an hour on one core; a
killed run can be resumed.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.progress import track

from channels.base import Channel
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.models.awgn import Awgn
from channels.packets.mcs import LEVELS
from channels.shaping.block import MAX_ITERATIONS, ShapedBlock, shaped_block
from channels.shaping.packet import block_message_bits
from channels.shaping.schemes import MAX_SYMBOLS, MEASURED
from channels.units import noise_var_from_snr_db
from experiments.benchmarks.mcs_thresholds import Point, crossings, ends

MAX_ERRORS = 60
MAX_BLOCKS = 4_000
STEP_DB = 0.1
FIRST_DB = {4: 0.6, 6: 0.6, 8: 0.6}
"""Distance in dB from capacity at which a measurement starts."""
BATCH = 32
OUT = Path(__file__).parents[3] / "channels" / "data" / "shaped.json"

Job = tuple[int, float, int]
"""Bits per symbol, efficiency in bits per symbol, symbols of the block."""


def jobs() -> list[Job]:
    """Return every modulation with every measured efficiency and length."""
    return [
        (bits, efficiency, MAX_SYMBOLS[bits] // share)
        for share in (1, 2)
        for bits, efficiencies in sorted(MEASURED.items(), key=lambda one: one[0] != 6)
        for efficiency in efficiencies
    ]


def block_errors(block: ShapedBlock, channel: Channel, snr_db: float, *, seed: int) -> Point:
    """Count block errors at one SNR, until there are enough of them."""
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    errors = blocks = 0
    while errors < MAX_ERRORS and blocks < MAX_BLOCKS:
        wrong = send_blocks(block, channel, snr_db, BATCH, rng, noise)
        errors, blocks = errors + wrong, blocks + BATCH
        if errors > 0.75 * blocks:  # far above the levels of interest, and slow
            break
    return snr_db, errors, blocks


def send_blocks(
    block: ShapedBlock,
    channel: Channel,
    snr_db: float,
    count: int,
    rng: np.random.Generator,
    noise: torch.Generator,
) -> int:
    """Send random blocks; return how many are decided wrongly."""
    ordered = np.repeat(np.arange(len(block.counts), dtype=np.uint8), block.counts)
    amplitudes = rng.permuted(np.tile(ordered, (count, 1)), axis=1)
    uniform = rng.integers(0, 2, (count, block.num_uniform), dtype=np.uint8)
    x = block.send(amplitudes, uniform)
    received = channel(x, noise_var_from_snr_db(snr_db), noise)
    decided, _ = block.decode_info(*block.matched(*received))
    return int((decided != block.info_bits(amplitudes, uniform)).any(axis=1).sum())


def measure(job: Job, seed: int) -> dict[str, Any]:
    """Measure one length at one efficiency; return the row of the table."""
    bits, efficiency, num_symbols = job
    block = shaped_block(bits, block_message_bits(num_symbols, efficiency), num_symbols)
    capacity_db = 10 * math.log10(2**efficiency - 1)
    snr_db = math.ceil((capacity_db + FIRST_DB[bits]) / STEP_DB) * STEP_DB
    points: list[Point] = []
    while not points or ends(points[-1])[1] > LEVELS[-1]:
        point_seed = zlib.crc32(f"{seed} {job} {len(points)}".encode())
        points.append(block_errors(block, Awgn(), round(snr_db, 3), seed=point_seed))
        snr_db += STEP_DB if points[-1][1] < 0.7 * points[-1][2] else 2 * STEP_DB
    best, low, high = (
        [round(value, 3) for value in crossings(points, end)] for end in (None, 0, 1)
    )
    return {
        "channel": "awgn",
        "bits_per_symbol": bits,
        "efficiency": efficiency,
        "num_symbols": num_symbols,
        "snr_db": best,
        "interval_db": [list(pair) for pair in zip(low, high, strict=True)],
        "points": points,
    }


def _write(rows: list[dict[str, Any]], out: Path, seed: int) -> None:
    about = {
        "command": f"python -m experiments.benchmarks.shaped.thresholds --seed {seed}",
        "receiver": f"exact demapping, decoder {DEFAULT_DECODER}, {MAX_ITERATIONS} iterations",
        "snr_db": "Es/N0 in dB at block error rates of 0.1, 0.01 and 0.001",
        "interval_db": "95 % confidence",
        "points": "[SNR in dB, block errors, blocks]",
    }
    order = {job: i for i, job in enumerate(jobs())}
    lines = ",\n".join(json.dumps(row) for row in sorted(rows, key=lambda row: order[_job(row)]))
    part = out.with_suffix(".part")
    part.write_text(f'{{"about": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8")
    part.replace(out)


def _job(row: dict[str, Any]) -> Job:
    return row["bits_per_symbol"], row["efficiency"], row["num_symbols"]


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seed: int, out: Path) -> None:
    """Measure every efficiency and length that the table lacks."""
    torch.set_num_threads(1)
    rows = json.loads(out.read_text("utf-8"))["rows"] if out.exists() else []
    rows = [row for row in rows if _job(row) in jobs()]
    done = set(map(_job, rows))
    for job in track([job for job in jobs() if job not in done], description="blocks"):
        rows.append(measure(job, seed))
        _write(rows, out, seed)


if __name__ == "__main__":
    main()
