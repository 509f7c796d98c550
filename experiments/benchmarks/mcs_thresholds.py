"""Measurement of the SNR that each scheme needs, for ``channels/data/thresholds.json``.

    python -m experiments.benchmarks.mcs_thresholds --jobs 2

Code blocks of each length are coded, mapped, sent over AWGN or fast Rayleigh fading, demapped
(max-log) and decoded as in links. The SNR rises, from slightly above the SNR at which the BICM
mutual information equals the efficiency, until the block error rate is below 1e-3. A point stops
at 100 block errors or at the largest number of blocks for its length, and earlier if nearly all
blocks are wrong. Thresholds are interpolated linearly in log10(BLER). Their intervals result from
interpolating the ends of Clopper and Pearson's 95 % intervals. The counts of every point are kept.
The benchmark takes about two hours on one core; a killed run can be resumed.
"""

from __future__ import annotations

import itertools
import json
import math
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.progress import track
from scipy.optimize import brentq

from channels import theory
from channels.base import Channel
from channels.catalogue import CHANNELS
from channels.fec.ldpc import ldpc_code
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.fec.packet_code import MAX_ITERATIONS
from channels.packets.block_chain import pass_blocks
from channels.packets.mcs import (
    CLASSES,
    CRC_BITS,
    HEADER_BYTES,
    HEADER_SYMBOLS,
    LEVELS,
    Scheme,
    header_scheme,
    packet_scheme,
    scheme_of_row,
)
from channels.packets.packet import num_packet_symbols
from channels.packets.scheme_sets import scheme_set
from experiments.intervals import Count
from semcom.errors import InputError

MAX_ERRORS = 100
OUT = Path(__file__).parents[2] / "channels" / "data" / "thresholds.json"

Point = tuple[float, int, int]
"""SNR in dB, block errors, blocks."""


def lengths(channel: str, scheme: Scheme) -> tuple[int, ...]:
    """Return the payload bits of the packets to measure; each packet is one code block."""
    if scheme.block_bits:
        return (scheme.block_info_bits - CRC_BITS,)
    short = (8, 24, 56, 120, 200, 296, 480, 1000)
    longest = 3784 if scheme.code_rate <= 0.25 else 8400  # base graph 2 takes shorter blocks
    if channel != "awgn":
        return (*short, longest)
    first = (3832,) if 0.25 < scheme.code_rate <= 0.67 else ()  # the shortest of base graph 1
    return (*short, 3000, *first, longest)


def step_db(channel: str, num_bits: int) -> float:
    """Return the step in SNR, which is smaller for long blocks, as their curves are steep."""
    steps = {40: 0.4, 56: 0.4, 8: 0.5, 24: 0.5}
    step = steps.get(num_bits, 0.3 if num_bits <= 200 else 0.2 if num_bits <= 1000 else 0.1)
    return 2 * step if channel != "awgn" and num_bits <= 1000 else step


def max_blocks(num_bits: int) -> int:
    """Return the largest number of blocks of a point; steep curves need fewer blocks."""
    return {88: 60_000, 296: 24_000, 480: 16_000, 1000: 12_000}.get(
        num_bits, 40_000 if num_bits <= 200 else 4_000
    )


def jobs() -> list[tuple[str, Scheme, int]]:
    """Return every class of channel with every scheme and length, including control blocks.

    Shaped schemes have a benchmark of their own (:mod:`experiments.benchmarks.shaped.thresholds`).
    """
    # The shortest table of packets has 40 bits and the rate of a header.
    headers = [(header_scheme(n), bits) for n in HEADER_SYMBOLS for bits in (8 * HEADER_BYTES, 40)]
    packets = [
        (channel, packet_scheme(scheme, bits), bits)
        for channel in CLASSES
        for scheme in (*scheme_set("nr"), *scheme_set("papers"))
        for bits in lengths(channel, scheme)
    ]
    controls = [(channel, scheme, bits) for channel in CLASSES for scheme, bits in headers]
    return list(dict.fromkeys([*controls, *packets]))  # short packets share one rate above 2/3


def block_errors(channel: str, scheme: Scheme, num_bits: int, snr_db: float, seed: int) -> Point:
    """Count the block errors at one SNR."""
    rng = torch.Generator().manual_seed(seed)
    link: Channel = CHANNELS.create(channel)
    num_coded = num_packet_symbols(num_bits // 8, scheme) * scheme.bits_per_symbol
    code = ldpc_code(num_bits + CRC_BITS, num_coded, scheme.bits_per_symbol)
    batch = max(16, min(500, 1_000_000 // num_coded))
    errors = blocks = 0
    while errors < MAX_ERRORS and blocks < max_blocks(num_bits):
        size = batch if blocks else 16
        bits = torch.randint(
            0, 2, (size, code.num_info_bits), generator=rng, dtype=torch.uint8
        ).numpy()
        decided, _ = pass_blocks(bits, code, link, snr_db, rng, max_iterations=MAX_ITERATIONS)
        errors += int((decided != bits).any(axis=1).sum())
        blocks += size
        if errors > 0.75 * blocks:  # far above the levels of interest, and slow
            break
    return snr_db, errors, blocks


def bound_db(channel: str, scheme: Scheme, num_bits: int) -> float:
    """Return the SNR at which the BICM mutual information equals the efficiency."""
    link = CHANNELS.create(channel)
    symbols = num_packet_symbols(num_bits // 8, scheme)
    efficiency = (num_bits + CRC_BITS) / symbols

    def surplus(snr_db: float) -> float:
        bits = scheme.bits_per_symbol
        equal_db = theory.effective_snr_db(bits, snr_db, link.gain_quantile)
        return float(theory.bicm_mutual_information(bits, equal_db)) - efficiency

    return float(brentq(surplus, -20.0, 60.0, xtol=0.01))


def measure(channel: str, scheme: Scheme, num_bits: int, seed: int) -> dict[str, Any]:
    """Measure one scheme at one length; return the row of the table."""
    torch.set_num_threads(1)
    step = step_db(channel, num_bits)
    snr_db = math.ceil(bound_db(channel, scheme, num_bits) / step) * step
    points: list[Point] = []
    while not points or ends(points[-1])[1] > LEVELS[-1]:
        name = f"{seed} {channel} {scheme} {num_bits} {len(points)}"
        point_seed = zlib.crc32(name.encode())
        points.append(block_errors(channel, scheme, num_bits, round(snr_db, 3), point_seed))
        # Take two steps at a time while nearly all blocks are wrong.
        snr_db += step if points[-1][1] < 0.7 * points[-1][2] else 2 * step
    best, low, high = (
        [round(value, 3) for value in crossings(points, end)] for end in (None, 0, 1)
    )
    return {
        "channel": channel,
        "bits_per_symbol": scheme.bits_per_symbol,
        "code_rate": scheme.code_rate,
        **({"block_bits": scheme.block_bits} if scheme.block_bits else {}),
        "num_bits": num_bits,
        "snr_db": best,
        "interval_db": [list(pair) for pair in zip(low, high, strict=True)],
        "points": points,
    }


def ends(point: Point) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a point's block error rate."""
    _, errors, blocks = point
    return Count(blocks, errors, blocks, errors, errors).interval()


def crossings(points: Sequence[Point], end: int | None = None) -> list[float]:
    """Return the SNR at which the block error rate falls below each level.

    With ``end`` 0 or 1, the lower or upper ends of the 95 % intervals are used instead of the
    rates. A level that no point reaches is at the nearest end.

    Raises
    ------
    ValueError
        No point, SNRs that do not rise, or counts that are none.
    """
    snrs = [snr_db for snr_db, _, _ in points]
    if not snrs or not all(a < b for a, b in itertools.pairwise([-math.inf, *snrs])):
        raise InputError(f"SNRs must rise, over at least one point, got {snrs}")
    for _, errors, blocks in points:
        if not 0 <= errors <= blocks or blocks == 0:
            raise InputError(
                f"a point must count blocks and errors, got {errors} errors of {blocks}"
            )
    rates = [max(errors, 0.5) / blocks for _, errors, blocks in points]
    if end is not None:
        rates = [max(ends(point)[end], 1e-9) for point in points]
    # The true curve falls, so random increases are removed.
    falling = np.minimum.accumulate(np.log10(rates))
    return [float(np.interp(-math.log10(level), -falling, snrs)) for level in LEVELS]


def _write(rows: list[dict[str, Any]], out: Path, seed: int) -> None:
    about = {
        "command": f"python -m experiments.benchmarks.mcs_thresholds --seed {seed}",
        "receiver": f"max-log demapping, decoder {DEFAULT_DECODER}, {MAX_ITERATIONS} iterations",
        "snr_db": "mean Es/N0 in dB at block error rates of 0.1, 0.01 and 0.001",
        "interval_db": "95 % confidence",
        "points": "[SNR in dB, block errors, blocks]",
    }
    order = {key: i for i, key in enumerate(jobs())}
    rows = sorted(rows, key=lambda row: order[_key(row)])
    lines = ",\n".join(json.dumps(row) for row in rows)
    part = out.with_suffix(".part")
    part.write_text(f'{{"about": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8")
    part.replace(out)


def _key(row: dict[str, Any]) -> tuple[str, Scheme, int]:
    return row["channel"], scheme_of_row(row), row["num_bits"]


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--jobs", "num_jobs", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seed: int, num_jobs: int, out: Path) -> None:
    """Measure every scheme that the table lacks."""
    rows = json.loads(out.read_text("utf-8"))["rows"] if out.exists() else []
    wanted = set(jobs())
    rows = [row for row in rows if _key(row) in wanted]
    done = {_key(row) for row in rows}
    todo = [job for job in jobs() if job not in done]
    with ProcessPoolExecutor(num_jobs) as pool:
        futures = [pool.submit(measure, *job, seed) for job in todo]
        for future in track(as_completed(futures), description="schemes", total=len(todo)):
            rows.append(future.result())
            _write(rows, out, seed)


if __name__ == "__main__":
    main()
