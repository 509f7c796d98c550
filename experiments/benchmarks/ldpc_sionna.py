"""Comparison of block error rates with Sionna's through the waterfall, on the same LLRs.

    python -m experiments.benchmarks.ldpc_sionna

Goal: at no point a higher block error rate than Sionna's ``LDPC5GDecoder`` (boxplus, flooding
schedule, 20 iterations), by a one-sided test of the counts at a significance of 1e-3. The points
are k = 1024 and 4096, R = 1/2, 1/3 and 5/6, QPSK on AWGN with exact LLRs, where Sionna's BLER goes
from 0.3 down to 0.01. The file ``experiments/results/ldpc-sionna.csv`` keeps the raw counts, and
a test compares our decoders with them (``tests/channels/fec/ldpc/test_bler.py``). The benchmark
takes about ten minutes on one core, mostly for Sionna. Points in the file are not measured again.
"""

from __future__ import annotations

import csv
import importlib.metadata
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from scipy.stats import fisher_exact

from channels.fec.ldpc import LdpcCode, ldpc_code
from channels.models.awgn import Awgn
from channels.modulation import demodulate, modulate
from channels.packets.block_chain import random_bits
from channels.units import esn0_db_from_ebn0_db, noise_var_from_snr_db
from experiments.benchmarks.peers import CASES, Bits, LLRs
from experiments.csv_table import append_row

ITERATIONS = 20
SIGNIFICANCE = 1e-3
OURS = ("int8", "cascade")
PEER = "sionna_boxplus"
POINTS = {
    (1024, "1/2"): ((1.1, 300), (1.3, 700), (1.5, 2000)),
    (1024, "1/3"): ((0.55, 300), (0.75, 700), (0.95, 2000)),
    (1024, "5/6"): ((3.0, 300), (3.3, 700), (3.6, 2000)),
    (4096, "1/2"): ((1.0, 150), (1.1, 300), (1.2, 800)),
    (4096, "1/3"): ((0.45, 300), (0.55, 800), (0.65, 2000)),
    (4096, "5/6"): ((2.95, 150), (3.05, 300), (3.15, 800)),
}
"""Eb/N0 in dB and number of blocks of every point, with more blocks where int8 and Sionna are
close to each other."""
OUT = Path(__file__).parents[1] / "results" / "ldpc-sionna.csv"

Row = dict[str, Any]


def points() -> list[Row]:
    """Return every point with code, Eb/N0, blocks and seed, the quickest first."""
    rows: list[Row] = []
    for (k, name), code_points in POINTS.items():
        for ebn0_db, blocks in code_points:
            about = {"k": k, "rate": name, "ebn0_db": ebn0_db}
            rows.append({**about, "seed": 1000 + len(rows), "blocks": blocks})
    return sorted(rows, key=lambda row: row["k"] * row["blocks"])


def point_code(k: int, name: str) -> LdpcCode:
    """Return the code of a point."""
    rate = next(rate for one, rate, other in CASES if (one, other) == (k, name))
    return ldpc_code(k, 2 * round(k / rate / 2), 2)


def receive(code: LdpcCode, ebn0_db: float, num_blocks: int, seed: int) -> tuple[Bits, LLRs]:
    """Send random blocks; return bits (B, k) and LLRs (B, n)."""
    rng = torch.Generator().manual_seed(seed)
    bits = random_bits((num_blocks, code.num_info_bits), rng)
    rate = code.num_info_bits / code.num_coded_bits
    noise_var = noise_var_from_snr_db(esn0_db_from_ebn0_db(ebn0_db, 2, rate))
    received = Awgn()(modulate(torch.from_numpy(code.encode(bits)), 2), noise_var, rng)
    return bits, demodulate(*received, 2).numpy()


def block_errors(code: LdpcCode, bits: Bits, llr: LLRs, decoder: str, iterations: int) -> int:
    """Count the blocks that a decoder gets wrong, in batches that limit Sionna's memory."""
    size = max(1, 200_000 // code.num_coded_bits)
    return sum(
        int((code.decode(part, iterations, decoder=decoder)[0] != sent).any(axis=1).sum())
        for sent, part in zip(_split(bits, size), _split(llr, size), strict=True)
    )


def _split(array: np.ndarray[Any, Any], size: int) -> list[np.ndarray[Any, Any]]:
    return [array[start : start + size] for start in range(0, len(array), size)]


def read(file: Path) -> list[Row]:
    """Read the rows of the file: k, rate, ebn0_db, seed, blocks and errors of every decoder."""
    if not file.exists():
        return []
    kinds = {"rate": str, "ebn0_db": float, "sionna": str, "semcom": str}
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            {name: kinds.get(name, int)(value) for name, value in row.items()}
            for row in csv.DictReader(lines)
        ]


def excess_pvalue(errors: int, blocks: int, peer_errors: int, peer_blocks: int) -> float:
    """Return the one-sided p-value (Fisher) for an error rate that is not above the peer's."""
    table = [[errors, blocks - errors], [peer_errors, peer_blocks - peer_errors]]
    return float(fisher_exact(table, alternative="greater").pvalue)


def measure(point: Row) -> Row:
    """Count the errors of all decoders on the same LLRs."""
    code = point_code(point["k"], point["rate"])
    bits, llr = receive(code, point["ebn0_db"], point["blocks"], point["seed"])
    errors = {name: block_errors(code, bits, llr, name, ITERATIONS) for name in (PEER, *OURS)}
    versions = {name: importlib.metadata.version(name) for name in ("sionna", "semcom")}
    return {**point, **errors, **versions}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(out: Path) -> None:
    """Measure every point that the file lacks."""
    torch.set_num_threads(1)
    done = {(row["k"], row["rate"], row["ebn0_db"]) for row in read(out)}
    todo = [row for row in points() if (row["k"], row["rate"], row["ebn0_db"]) not in done]
    for point in track(todo, description="points", console=Console(stderr=True)):
        append_row(out, measure(point))
    for row in sorted(read(out), key=lambda row: (row["k"], row["rate"], row["ebn0_db"])):
        rates = "  ".join(f"{name} {row[name] / row['blocks']:.4f}" for name in (PEER, *OURS))
        n = row["blocks"]
        held = all(excess_pvalue(row[name], n, row[PEER], n) > SIGNIFICANCE for name in OURS)
        click.echo(
            f"k={row['k']} R={row['rate']} Eb/N0={row['ebn0_db']:g} dB, BLER of {row['blocks']} "
            f"blocks: {rates}; goal {'reached' if held else 'missed'}"
        )


if __name__ == "__main__":
    main()
