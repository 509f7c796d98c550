"""Measure the SNR that each scheme needs on AWGN and write ``channels/data/awgn_thresholds.json``.

    python -m experiments.benchmarks.mcs_thresholds

One code block of each length is coded, mapped, sent, demapped (max-log) and decoded; the SNR rises
in steps of 0.2 dB, from 0.4 dB above where the BICM mutual information equals the efficiency, until
the block error rate is below 1e-3. A point stops at 200 block errors or 10,000 blocks (5,000 of the
longest, whose curves are steep). Thresholds are interpolated linearly in log10(BLER); the counts of
every point are kept beside them. About half an hour on one core; a killed run goes on where it was.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.progress import track

from channels import theory
from channels.ldpc import ldpc_code
from channels.mcs import HEADER_BYTES, HEADER_SYMBOLS, SCHEMES, Scheme, header_scheme
from channels.modulation import demodulate, modulate
from channels.phy import CRC_BITS, num_packet_symbols

STEP_DB = 0.2
LEVELS = (0.1, 0.01, 0.001)
MAX_ERRORS = 200
MAX_BLOCKS = 10_000
OUT = Path(__file__).parents[2] / "channels" / "data" / "awgn_thresholds.json"


def lengths(scheme: Scheme) -> tuple[int, ...]:
    """Payload bits of the packets that are measured: each is one code block."""
    longest = 3784 if scheme.code_rate <= 0.25 else 8400  # base graph 2 takes shorter blocks
    return (200, 1000, longest)


def jobs() -> list[tuple[Scheme, int]]:
    """Every scheme with every length, and the control blocks; the quickest first."""
    data = [(scheme, bits) for scheme in reversed(SCHEMES) for bits in lengths(scheme)]
    return [(header_scheme(n), 8 * HEADER_BYTES) for n in HEADER_SYMBOLS] + data


def block_errors(scheme: Scheme, num_bits: int, snr_db: float, seed: int) -> tuple[int, int]:
    """Count block errors: (errors, blocks)."""
    rng = np.random.default_rng([seed, round(1000 * (snr_db + 100))])
    noise_rng = torch.Generator().manual_seed(int(rng.integers(2**62)))
    num_coded = num_packet_symbols(num_bits // 8, scheme) * scheme.bits_per_symbol
    code = ldpc_code(num_bits + CRC_BITS, num_coded, scheme.bits_per_symbol)
    noise_var = 10 ** (-snr_db / 10)
    batch = max(16, min(500, 2_000_000 // num_coded))
    errors = blocks = 0
    most = MAX_BLOCKS if num_bits <= 1000 else MAX_BLOCKS // 2
    while errors < MAX_ERRORS and blocks < most:
        bits = rng.integers(0, 2, (batch, num_bits + CRC_BITS), dtype=np.uint8)
        x = modulate(torch.from_numpy(code.encode(bits)), scheme.bits_per_symbol)
        noise = torch.randn((*x.shape, 2), generator=noise_rng)
        y = x + torch.view_as_complex(noise) * math.sqrt(noise_var / 2)
        gain, variance = torch.ones_like(x), torch.tensor(noise_var)
        llr = demodulate(y, gain, variance, scheme.bits_per_symbol)
        decoded, _ = code.decode(llr.numpy())
        errors += int((decoded != bits).any(axis=1).sum())
        blocks += batch
    return errors, blocks


def bound_db(scheme: Scheme) -> float:
    """SNR at which the BICM mutual information equals the efficiency."""
    low, high = -20.0, 40.0
    while high - low > 0.01:
        middle = (low + high) / 2
        enough = theory.bicm_mutual_information(scheme.bits_per_symbol, middle) > scheme.efficiency
        low, high = (low, middle) if enough else (middle, high)
    return high


def measure(scheme: Scheme, num_bits: int, seed: int) -> dict[str, Any]:
    """Measure one scheme at one length; the row of the table."""
    snr_db = math.ceil((bound_db(scheme) + 0.4) / STEP_DB) * STEP_DB
    points: list[tuple[float, int, int]] = []
    while not points or points[-1][1] / points[-1][2] > 0.8e-3:
        points.append((round(snr_db, 3), *block_errors(scheme, num_bits, snr_db, seed)))
        snr_db += STEP_DB
    return {
        "bits_per_symbol": scheme.bits_per_symbol,
        "code_rate": scheme.code_rate,
        "num_bits": num_bits,
        "snr_db": {str(level): round(crossing(points, level), 3) for level in LEVELS},
        "points": points,
    }


def crossing(points: list[tuple[float, int, int]], level: float) -> float:
    """SNR at which the block error rate falls through ``level``."""
    rates = [math.log10(max(errors, 0.5) / blocks) for _, errors, blocks in points]
    target = math.log10(level)
    i = next((i for i, rate in enumerate(rates) if rate <= target), len(rates) - 1)
    if i == 0:
        return points[0][0]
    share = (rates[i - 1] - target) / (rates[i - 1] - rates[i])
    return points[i - 1][0] + share * (points[i][0] - points[i - 1][0])


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seed: int, out: Path) -> None:
    """Measure every scheme that the table lacks."""
    torch.set_num_threads(1)
    rows = json.loads(out.read_text())["rows"] if out.exists() else []
    done = {(row["bits_per_symbol"], row["code_rate"], row["num_bits"]) for row in rows}
    todo = [
        (scheme, bits)
        for scheme, bits in jobs()
        if (scheme.bits_per_symbol, scheme.code_rate, bits) not in done
    ]
    about = {
        "command": f"python -m experiments.benchmarks.mcs_thresholds --seed {seed}",
        "channel": "AWGN, max-log demapping, 20 iterations",
        "snr_db": "SNR in dB at block error rates of 0.1, 0.01 and 0.001",
        "points": "[SNR in dB, block errors, blocks]",
    }
    for scheme, bits in track(todo, description="schemes"):
        rows.append(measure(scheme, bits, seed))
        part = out.with_suffix(".part")
        lines = ",\n".join(json.dumps(row) for row in rows)
        part.write_text(f'{{"about": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')
        part.replace(out)


if __name__ == "__main__":
    main()
