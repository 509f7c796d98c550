"""What the link carries with plain and with shaped QAM, and where the rest of capacity goes.

    python -m experiments.benchmarks.shaped.carried [--snr-db 10 --blocks 100000]

Goal: 3.2 bits per use at 10 dB, in one packet at CBR 1/16 of a picture of 768x512 pixels. Peer: the
same link with the schemes of 5G NR. With ``--blocks``, code blocks of the chosen shaped scheme are
sent, to see that the loss of packets keeps to the target; the counts of further runs with other
seeds add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import click
import numpy as np
import torch
from scipy.stats import norm

from channels import theory
from channels.models.awgn import Awgn
from channels.packets.mcs import CRC_BITS, Scheme
from channels.packets.packet import max_packet_bytes, num_code_blocks
from channels.packets.packet_errors import block_snr_db
from channels.packets.scheme_sets import scheme_set
from channels.packets.selection import select_header, select_scheme
from channels.packets.target import Target
from channels.shaping.block import shaped_block
from channels.shaping.packet import block_message_bits, block_symbols
from channels.shaping.schemes import capacity_db
from channels.theory.shaping import geometric_rate, probabilistic_rate
from channels.units import awgn_capacity, db_to_linear, symbol_budget
from experiments.benchmarks.mcs_thresholds import ends
from experiments.benchmarks.shaped.thresholds import BATCH, send_blocks

BUDGET = symbol_budget(Fraction(1, 16), 512, 768)
MODULATIONS = (4, 6, 8)
SETS = ("nr", "shaped")


def limits(snr_db: float) -> dict[str, float]:
    """Return limits in bits per use, each with the best of 16-, 64- and 256-QAM."""
    uniform = max(float(theory.bicm_mutual_information(bits, snr_db)) for bits in (2, *MODULATIONS))
    return {
        "capacity": awgn_capacity(snr_db),
        "plain QAM": uniform,
        "other levels": max(geometric_rate(bits, snr_db) for bits in MODULATIONS),
        "other frequencies": max(probabilistic_rate(bits, snr_db) for bits in MODULATIONS),
    }


def packet(name: str, snr_db: float) -> tuple[Scheme, int]:
    """Return the scheme of the packet that fills the budget, and its bytes."""
    symbols = BUDGET - select_header(Awgn(), snr_db)
    scheme = select_scheme(Awgn(), snr_db, symbols, schemes=scheme_set(name))
    return scheme, max_packet_bytes(symbols, scheme)


def losses_db(name: str, snr_db: float) -> dict[str, float]:
    """Break down the distance in dB between the capacity of what is carried and the SNR."""
    scheme, num_bytes = packet(name, snr_db)
    rate, blocks = scheme.efficiency, num_code_blocks(num_bytes, scheme)
    bler = Target().bler / blocks
    limit = probabilistic_rate if scheme.shaped else theory.bicm_mutual_information
    modulation_db = _inverse(lambda x: float(limit(scheme.bits_per_symbol, x)), rate)
    uses = (8 * num_bytes + CRC_BITS) / rate / blocks
    finite_db = _inverse(lambda x: _finite_rate(x, uses, bler), rate) - capacity_db(rate)
    usual_db = block_snr_db(Awgn(), scheme, num_bytes, 1e-3)
    usual_finite_db = _inverse(lambda x: _finite_rate(x, uses, 1e-3), rate) - capacity_db(rate)
    needed_db = block_snr_db(Awgn(), scheme, num_bytes, bler)
    return {
        "constellation, bit by bit": modulation_db - capacity_db(rate),
        "finite length, 1e-3": usual_finite_db,
        "code and demapper, 1e-3": usual_db - modulation_db - usual_finite_db,
        "all blocks must arrive": needed_db - usual_db,
        "  of which unavoidable": finite_db - usual_finite_db,
        "steps of the table": snr_db - needed_db,
    }


def _finite_rate(snr_db: float, uses: float, bler: float) -> float:
    """Return the rate of the best code by the normal approximation, in bits per complex use."""
    snr = db_to_linear(snr_db)
    dispersion = snr * (snr + 2) / (snr + 1) ** 2 * math.log2(math.e) ** 2
    spread = math.sqrt(dispersion / uses) * float(norm.isf(bler))
    return awgn_capacity(snr_db) - spread + math.log2(2 * uses) / (2 * uses)


def _inverse(rate_of: Callable[[float], float], rate: float) -> float:
    """Return the SNR in dB at which a rate that grows with the SNR is reached, to 0.001 dB."""
    low, high = -20.0, 40.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if rate_of(middle) < rate else (low, middle)
    return high


def count_losses(snr_db: float, num_blocks: int, seed: int) -> tuple[int, int, int]:
    """Send code blocks of the shaped packet: block errors, blocks, and blocks of a packet."""
    scheme, num_bytes = packet("shaped", snr_db)
    if not scheme.shaped:
        return 0, 0, num_code_blocks(num_bytes, scheme)
    symbols = math.ceil((8 * num_bytes + CRC_BITS) / scheme.efficiency - 1e-6)
    sizes = block_symbols(symbols, scheme.bits_per_symbol)
    efficiency = round(scheme.efficiency, 6)
    block = shaped_block(
        scheme.bits_per_symbol, block_message_bits(sizes[-1], efficiency), sizes[-1]
    )
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    errors = blocks = 0
    while blocks < num_blocks:
        errors += send_blocks(block, Awgn(), snr_db, BATCH, rng, noise)
        blocks += BATCH
    return errors, blocks, len(sizes)


@click.command()
@click.option("--snr-db", "snrs_db", multiple=True, type=float, default=(1, 4, 7, 10, 13))
@click.option("--blocks", default=0, help="Code blocks to send at every SNR.")
@click.option("--seed", default=0)
def main(snrs_db: Sequence[float], blocks: int, seed: int) -> None:
    """Print limits, what is carried, and where the rest goes."""
    torch.set_num_threads(1)
    for snr_db in snrs_db:
        found = ", ".join(f"{name} {rate:.3f}" for name, rate in limits(snr_db).items())
        click.echo(f"{snr_db:g} dB, bits per use: {found}")
        for name in SETS:
            scheme, num_bytes = packet(name, snr_db)
            click.echo(
                f"  {name}: {8 * num_bytes / BUDGET:.3f} of payload, {num_bytes} bytes in {BUDGET} "
                f"uses, {scheme.name} ({scheme.efficiency:.3f})"
            )
            parts = ", ".join(
                f"{part.strip()} {x:.2f}" for part, x in losses_db(name, snr_db).items()
            )
            click.echo(f"    dB: {parts}")
        if blocks:
            errors, sent, per_packet = count_losses(snr_db, blocks, seed)
            if sent:
                high = ends((snr_db, errors, sent))[1]
                click.echo(
                    f"  {errors} of {sent} shaped blocks wrong, 95 % below {high:.2g}, or "
                    f"{1 - (1 - high) ** per_packet:.2g} of packets of {per_packet}; target "
                    f"{Target().bler:g}"
                )


if __name__ == "__main__":
    main()
