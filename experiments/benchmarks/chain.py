"""Benchmark of the whole link from bits to bits beside Sionna's: encode, map, noise, demap, decode.

    python -m experiments.benchmarks.chain [--json]

Goal: 300 times the speed of Sionna and 40 Mb/s of information bits on one thread, and 1.6 times
that speed on two threads. The cases are k = 1024 and 4096, R = 1/2, 1/3 and 5/6, QPSK on AWGN near
a BLER of 1e-2, with Sionna's modules in the same process. Our decoder, min-sum on bytes, stops when
all checks hold, after at most 20 iterations; Sionna's decoder, belief propagation, always makes 20.
The numbers of ``cascade``, the decoder of the links, are printed as well. The fastest of five runs
counts. Sionna's BLER is that of the blocks in these runs, of which there are few.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np
import torch

from channels.fec.ldpc import ldpc_code
from channels.models.awgn import Awgn
from channels.packets.block_chain import BlockCount, random_bits, run_chain
from channels.units import esn0_db_from_ebn0_db
from experiments.benchmarks.peers import CASES, HAS_SIONNA, NEAR_1E_2_DB, seconds, sionna_chain

GOAL_SIONNA, GOAL_MBPS, GOAL_THREADS = 300, 40, 1.6
ITERATIONS = 20
NUM_BITS, NUM_BITS_PEER = 16_000_000, 120_000


def measure(k: int, rate: float, name: str) -> dict[str, Any]:
    """Measure the speed of our chain with one and two threads, and of Sionna's chain."""
    code = ldpc_code(k, 2 * round(k / rate / 2), 2)
    snr_db = esn0_db_from_ebn0_db(NEAR_1E_2_DB[k, name], 2, k / code.num_coded_bits)
    num_blocks = NUM_BITS // k

    def run(decoder: str, threads: int) -> BlockCount:
        return run_chain(code, Awgn(), snr_db, num_blocks, threads=threads, decoder=decoder)

    works: dict[str, Callable[[], Any]] = {
        "mbps": partial(run, "int8", 1),
        "mbps_2_threads": partial(run, "int8", 2),
        "mbps_cascade": partial(run, "cascade", 1),
    }
    sent = dict.fromkeys(works, num_blocks * k)
    if HAS_SIONNA:
        peer = sionna_chain(code, ITERATIONS)
        bits = random_bits((NUM_BITS_PEER // k, k), torch.Generator().manual_seed(1))
        works["mbps_sionna"], sent["mbps_sionna"] = partial(peer, bits, snr_db), bits.size
    row: dict[str, Any] = {"k": k, "rate": name, "ebn0_db": NEAR_1E_2_DB[k, name]}
    row |= {work: sent[work] / time_s / 1e6 for work, time_s in seconds(works).items()}
    row["ratio_threads"] = row["mbps_2_threads"] / row["mbps"]
    count = run("int8", 1)
    row["bler"] = count.block_errors / count.blocks
    if HAS_SIONNA:
        row["ratio_sionna"] = row["mbps"] / row["mbps_sionna"]
        row["bler_sionna"] = float(np.mean((peer(bits, snr_db) != bits).any(axis=1)))
    return row


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(as_json: bool) -> None:
    """Measure the speed of the link from bits to bits."""
    torch.set_num_threads(1)
    rows = []
    for case in CASES:
        rows.append(measure(*case))
        if not as_json:
            _print(rows[-1])
    if as_json:
        goals = {"ratio_sionna": GOAL_SIONNA, "mbps": GOAL_MBPS, "ratio_threads": GOAL_THREADS}
        click.echo(json.dumps({"goals": goals, "rows": rows}, indent=2))


def _print(row: dict[str, Any]) -> None:
    click.echo(
        f"k={row['k']} R={row['rate']} Eb/N0={row['ebn0_db']:g} dB: {row['mbps']:.1f} Mb/s "
        f"(goal {GOAL_MBPS}), BLER {row['bler']:.1e}; two threads {row['ratio_threads']:.2f} times "
        f"(goal {GOAL_THREADS}); cascade {row['mbps_cascade']:.1f} Mb/s"
    )
    if "ratio_sionna" in row:
        click.echo(
            f"  Sionna {row['mbps_sionna']:.3f} Mb/s, BLER {row['bler_sionna']:.1e}: "
            f"{row['ratio_sionna']:.0f} times as fast (goal {GOAL_SIONNA})"
        )
    else:
        click.echo("  Sionna is not installed (pip install 'semcom[sionna]'): no ratio")


if __name__ == "__main__":
    main()
