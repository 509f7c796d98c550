"""Benchmark of 5G NR LDPC decoding on one thread, beside Sionna and the package ``ldpc``.

    python -m experiments.benchmarks.ldpc [--json]

Goal: 300 times the speed of Sionna and 50 times that of ``ldpc``, at k = 1024 and 4096, R = 1/2,
1/3 and 5/6, near a BLER of 1e-2. The peers, if installed, are Sionna's ``LDPC5GDecoder`` (boxplus,
flooding schedule, torch on the CPU) and the ``BpDecoder`` of ``ldpc`` (scaled min-sum, serial
schedule). All decode the same LLRs in the same process, with at most 20 iterations; ours and that
of ``ldpc`` stop when all checks hold, and Sionna's never stops early. The modulation is QPSK on
AWGN. Only decoding is timed, and the fastest of five runs counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import torch

from channels.fec.ldpc import LdpcCode, ldpc_code
from channels.models.awgn import Awgn
from channels.modulation import demodulate, modulate
from channels.packets.block_chain import random_bits
from channels.units import esn0_db_from_ebn0_db, noise_var_from_snr_db
from experiments.benchmarks.peers import (
    CASES,
    HAS_LDPC,
    HAS_SIONNA,
    NEAR_1E_2_DB,
    Bits,
    LLRs,
    ldpc_decoder,
    seconds,
)

GOAL_SIONNA, GOAL_LDPC = 300, 50
ITERATIONS = 20
NUM_BITS, NUM_BITS_PEER = 4_000_000, 120_000


def blocks(k: int, rate: float, ebn0_db: float, num_blocks: int) -> tuple[Bits, LLRs]:
    """Send random blocks over QPSK on AWGN; return bits (B, k) and LLRs (B, n)."""
    rng = torch.Generator().manual_seed(1)
    code = ldpc_code(k, 2 * round(k / rate / 2), 2)
    bits = random_bits((num_blocks, k), rng)
    snr_db = esn0_db_from_ebn0_db(ebn0_db, 2, k / code.num_coded_bits)
    x = modulate(torch.from_numpy(code.encode(bits)), 2)
    received = Awgn()(x, noise_var_from_snr_db(snr_db), rng)
    return bits, demodulate(*received, 2).numpy()


def measure(k: int, rate: float, ebn0_db: float) -> dict[str, dict[str, float]]:
    """Return the speed in Mb/s of information bits and the errors of every installed decoder."""
    code = ldpc_code(k, 2 * round(k / rate / 2), 2)
    bits, llr = blocks(k, rate, ebn0_db, NUM_BITS // k)
    few = NUM_BITS_PEER // k
    decoders: dict[str, tuple[int, Callable[[LLRs], Bits]]] = {
        name: (len(bits), partial(_decode, code, name))
        for name in ("int8", "cascade", "float32", "boxplus")
    }
    if HAS_SIONNA:
        decoders["sionna"] = (few, partial(_decode, code, "sionna_boxplus"))
    if HAS_LDPC:
        decoders["ldpc"] = (few, ldpc_decoder(code, ITERATIONS))
    works = {name: partial(decode, llr[:count]) for name, (count, decode) in decoders.items()}
    times = seconds(works)
    results = {}
    for name, (count, _) in decoders.items():
        errors = int((works[name]() != bits[:count]).any(axis=1).sum())
        results[name] = {"mbps": count * k / times[name] / 1e6, "errors": errors, "blocks": count}
    return results


def _decode(code: LdpcCode, decoder: str, llr: LLRs) -> Bits:
    return code.decode(llr, ITERATIONS, decoder=decoder)[0]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(as_json: bool) -> None:
    """Measure the speed of LDPC decoding on one thread."""
    torch.set_num_threads(1)
    rows = []
    for k, rate, name in CASES:
        row: dict[str, Any] = {"k": k, "rate": name, "ebn0_db": NEAR_1E_2_DB[k, name]}
        row |= {"decoders": measure(k, rate, row["ebn0_db"])}
        ours = row["decoders"]["int8"]["mbps"]
        for peer in {"sionna", "ldpc"} & set(row["decoders"]):
            row[f"ratio_{peer}"] = ours / row["decoders"][peer]["mbps"]
        rows.append(row)
        if not as_json:
            _print(row)
    if as_json:
        goals = {"ratio_sionna": GOAL_SIONNA, "ratio_ldpc": GOAL_LDPC}
        click.echo(json.dumps({"goals": goals, "rows": rows}, indent=2))


def _print(row: dict[str, Any]) -> None:
    click.echo(f"k={row['k']} R={row['rate']} Eb/N0={row['ebn0_db']:g} dB, QPSK, Mb/s and BLER")
    for name, result in row["decoders"].items():
        rate = result["errors"] / result["blocks"]
        click.echo(f"  {name:8s} {result['mbps']:9.3f}   {rate:.1e} of {result['blocks']} blocks")
    for peer, goal in (("sionna", GOAL_SIONNA), ("ldpc", GOAL_LDPC)):
        if (ratio := row.get(f"ratio_{peer}")) is not None:
            verdict = "reached" if ratio >= goal else "missed"
            click.echo(f"  int8 is {ratio:.0f} times as fast as {peer}; goal {goal} {verdict}")
        else:
            click.echo(f"  {peer} is not installed: no ratio")


if __name__ == "__main__":
    main()
