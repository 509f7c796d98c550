"""Decode 5G NR LDPC blocks near BLER 1e-2 on one core, beside Sionna.

    python -m experiments.benchmarks.ldpc [--json]

Goal: at least 5 Mb/s of information bits per core at k = 1024 and k = 4096, R = 1/2, with 20
iterations at most. Peer: Sionna's ``LDPC5GDecoder`` on the same LLRs (torch, CPU, one thread, 20
iterations of flooding), when it is installed. QPSK on AWGN; the LLRs are made beforehand, so that
only decoding is timed; the best of three runs counts, because others may use the machine.
"""

from __future__ import annotations

import importlib.util
import json
import math
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from channels.ldpc import LdpcCode, ldpc_code

GOAL_MBPS = 5.0
ITERATIONS = 20
EB_N0_DB = {1024: 1.5, 4096: 1.15}
"""Where our decoder has a BLER near 1e-2, by k."""

NUM_BITS = 4_000_000
NUM_BITS_PEER = 100_000


def blocks(
    code: LdpcCode, eb_n0_db: float, num_blocks: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Send random blocks over QPSK on AWGN: bits (B, k) and LLRs (B, n)."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (num_blocks, code.num_info_bits), dtype=np.uint8)
    rate = code.num_info_bits / code.num_coded_bits
    variance = np.float32(10 ** (-eb_n0_db / 10) / (2 * rate))
    coded = code.encode(bits).astype(np.float32)
    noise = rng.standard_normal(coded.shape, dtype=np.float32)
    y = 2 * coded - 1 + np.sqrt(variance) * noise
    return bits, 2 * y / variance


def measure(
    decode: Callable[[NDArray[np.float32]], NDArray[np.uint8]],
    bits: NDArray[np.uint8],
    llr: NDArray[np.float32],
) -> dict[str, float]:
    """Time a decoder after one untimed block: Mb/s of information bits, and its BLER."""
    decode(llr[:1])
    seconds = math.inf
    for _ in range(3):
        start = time.perf_counter()
        decided = decode(llr)
        seconds = min(seconds, time.perf_counter() - start)
    errors = int((decided != bits).any(axis=1).sum())
    return {"mbps": bits.size / seconds / 1e6, "block_errors": errors, "blocks": len(bits)}


def our_decoder(code: LdpcCode) -> Callable[[NDArray[np.float32]], NDArray[np.uint8]]:
    """Return the decoder under test."""
    return lambda llr: code.decode(llr, ITERATIONS)[0]


def sionna_decoder(code: LdpcCode) -> Callable[[NDArray[np.float32]], NDArray[np.uint8]]:
    """Prepare Sionna's decoder for the same code; its LLRs have our sign."""
    import torch
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    torch.set_num_threads(1)
    encoder = LDPC5GEncoder(code.num_info_bits, code.num_coded_bits, device="cpu")
    decoder = LDPC5GDecoder(encoder, num_iter=ITERATIONS, device="cpu")

    def decode(llr: NDArray[np.float32]) -> NDArray[np.uint8]:
        with torch.inference_mode():
            return np.asarray(decoder(torch.from_numpy(llr)).numpy().astype(np.uint8))

    return decode


def run() -> list[dict[str, Any]]:
    """Measure every k with every decoder that is there."""
    has_peer = importlib.util.find_spec("sionna") is not None
    rows = []
    for k, eb_n0_db in EB_N0_DB.items():
        code = ldpc_code(k, 2 * k)
        bits, llr = blocks(code, eb_n0_db, NUM_BITS // k)
        row: dict[str, Any] = {"k": k, "rate": 0.5, "eb_n0_db": eb_n0_db}
        row["semcom"] = measure(our_decoder(code), bits, llr)
        if has_peer:
            few = NUM_BITS_PEER // k
            row["sionna"] = measure(sionna_decoder(code), bits[:few], llr[:few])
            row["ratio"] = row["semcom"]["mbps"] / row["sionna"]["mbps"]
        rows.append(row)
    return rows


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(as_json: bool) -> None:
    """Measure LDPC decoding on one core."""
    rows = run()
    if as_json:
        click.echo(json.dumps({"goal_mbps": GOAL_MBPS, "rows": rows}, indent=2))
        return
    for row in rows:
        ours = row["semcom"]
        verdict = "reached" if ours["mbps"] >= GOAL_MBPS else "missed"
        click.echo(
            f"k={row['k']} R=1/2 Eb/N0={row['eb_n0_db']} dB: {ours['mbps']:.1f} Mb/s, "
            f"{ours['block_errors']} of {ours['blocks']} blocks wrong; "
            f"goal {GOAL_MBPS:g} Mb/s {verdict}"
        )
        if "sionna" in row:
            peer = row["sionna"]
            click.echo(
                f"  Sionna: {peer['mbps']:.3f} Mb/s, {peer['block_errors']} of {peer['blocks']} "
                f"wrong; ratio {row['ratio']:.0f}"
            )
        else:
            click.echo("  Sionna is not installed (pip install 'semcom[sionna]'): no ratio")


if __name__ == "__main__":
    main()
