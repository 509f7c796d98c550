"""The commands of the link level: ``semcom ber``, ``semcom bler`` and ``semcom mcs``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from experiments.cli.options import examples, out_option, say
from experiments.cli.parameter_types import (
    Parsed,
    _channel,
    _decoders,
    _known,
    _modulations,
    _numbers,
    _scheme,
    _scheme_set,
    _snrs,
)

_INTEGERS = Parsed("N,N,…", functools.partial(_numbers, int))
_REALS = Parsed("R,R,…", functools.partial(_numbers, float))
_MODULATIONS = Parsed("NAME,NAME,…", _modulations)


_CHANNELS = click.option(
    "--channel",
    "channels",
    multiple=True,
    callback=_known(_channel),
    default=("awgn",),
    show_default=True,
    metavar="SPEC",
    help="Channel by name, with options, such as rician:k_db=3 (repeatable); run "
    '"semcom list channels" to see all.',
)


def _sampling(max_errors: int, wrong: str, max_trials: int, trials: str) -> Callable[[Any], Any]:
    """Add the options that set the SNR axis and when the simulation of a point stops."""
    decorators = (
        click.option(
            "--axis",
            default="esn0",
            show_default=True,
            type=click.Choice(["esn0", "ebn0"]),
            help="Read the SNRs as Es/N0 per symbol or as Eb/N0 per information bit.",
        ),
        click.option(
            "--max-errors",
            default=max_errors,
            show_default=True,
            type=click.IntRange(1),
            help=f"Stop a point after this many {wrong}.",
        ),
        click.option(
            f"--max-{trials}",
            "max_trials",
            default=max_trials,
            show_default=True,
            type=click.IntRange(1),
            help=f"Stop a point after this many {trials}, whatever the number of errors.",
        ),
        click.option(
            "--seed",
            default=0,
            show_default=True,
            type=click.IntRange(0),
            help="Seed for bits, fading and noise.",
        ),
        click.option(
            "--jobs",
            default=1,
            show_default=True,
            type=click.IntRange(1),
            help="Number of worker processes; the results do not depend on it.",
        ),
    )

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _snr_option(default: str | None, text: str) -> Callable[[Any], Any]:
    return click.option(
        "--snrs",
        default=default,
        show_default=True,
        help=text,
        type=Parsed("DB,DB,…", _snrs),
        metavar="DB,DB,…|FIRST:LAST:STEP",
    )


@click.command(
    epilog=examples("ber --channel rayleigh", "ber --channel rician:k_db=3 --snrs 0:20:2")
)
@click.option(
    "--modulation",
    "modulations",
    default="qpsk",
    show_default=True,
    type=_MODULATIONS,
    help="Modulations: bpsk, qpsk, 16qam, 64qam, 256qam.",
)
@_CHANNELS
@_snr_option("0:20:2", "SNRs in dB on the axis that --axis sets; ranges include both ends.")
@_sampling(200, "wrong symbols (or faded transmissions)", 10_000_000, "bits")
@click.option(
    "--num-symbols",
    type=int,
    help="Number of symbols per transmission; block fading holds its gain that long.  [default: "
    "32; over OFDM, all data of a slot]",
)
@out_option("semcom-ber")
def ber(
    modulations: tuple[int, ...],
    channels: tuple[str, ...],
    snrs: tuple[float, ...],
    axis: Any,
    max_errors: int,
    max_trials: int,
    num_symbols: int | None,
    seed: int,
    jobs: int,
    out: Path,
) -> None:
    """Measure bit error rates and compare them with theory.

    The command prints every point with its confidence interval, and writes the raw counts (JSON
    lines), the table (CSV) and the plot (PNG, PDF) into the --out folder. If a run was killed, the
    same command resumes it.
    """
    from experiments.link_level.ber import ber as run
    from experiments.link_level.montecarlo import Limits

    run(
        modulations,
        tuple(dict.fromkeys(channels)),
        snrs,
        out,
        axis=axis,
        limits=Limits(max_errors, max_trials),
        num_symbols=num_symbols,
        seed=seed,
        jobs=jobs,
        say=say,
    )


@click.command(epilog=examples("bler", "bler --channel rayleigh_fast --snrs 0:8:1"))
@click.option(
    "--scheme",
    "schemes",
    multiple=True,
    callback=_known(_scheme),
    metavar="NAME",
    help="Modulation and code rate by a name from the table of semcom mcs, such as '16-QAM 0.602', "
    "or by the number of its row (repeatable); replaces -n, --rate and --modulation.",
)
@click.option(
    "-k",
    "info_bits",
    default="1024",
    show_default=True,
    type=_INTEGERS,
    help="Numbers of information bits per block.",
)
@click.option(
    "-n", "coded_bits", type=_INTEGERS, help="Numbers of coded bits per block; replaces --rate."
)
@click.option("--rate", "rates", type=_REALS, help="Code rates k/n.  [default: 0.5]")
@click.option(
    "--modulation",
    "modulations",
    type=_MODULATIONS,
    help="Modulations: bpsk, qpsk, 16qam, 64qam, 256qam.  [default: qpsk]",
)
@_CHANNELS
@click.option(
    "--decoder",
    "decoders",
    default="cascade",
    show_default=True,
    callback=_known(_decoders),
    metavar="NAME,NAME,…",
    help='Decoders to use; run "semcom list decoders" to see all.',
)
@click.option(
    "--iterations", default=20, show_default=True, help="Limit the iterations of the decoder."
)
@click.option(
    "--peer",
    type=click.Choice(["sionna"]),
    help="Decode with sionna_boxplus as well; it uses a flooding schedule, so each of its "
    "iterations achieves less.",
)
@_snr_option(
    None,
    "SNRs in dB on the axis that --axis sets; ranges include both ends.  [default: upwards from "
    "the limit of the modulation]",
)
@_sampling(100, "wrong blocks", 100_000, "blocks")
@out_option("semcom-bler")
def bler(
    schemes: tuple[str, ...],
    info_bits: tuple[int, ...],
    coded_bits: tuple[int, ...] | None,
    rates: tuple[float, ...] | None,
    modulations: tuple[int, ...] | None,
    channels: tuple[str, ...],
    decoders: str,
    iterations: int,
    peer: str | None,
    snrs: tuple[float, ...] | None,
    axis: Any,
    max_errors: int,
    max_trials: int,
    seed: int,
    jobs: int,
    out: Path,
) -> None:
    """Measure block error rates of 5G LDPC codes and compare them with theory and peers.

    Every combination of k, n or rate, modulation, channel and decoder gives a curve. A peer sees
    the same bits, fading and noise. The command writes the same kinds of file as semcom ber and
    resumes in the same way.
    """
    from experiments.link_level.bler import PEERS, block_systems, default_snrs
    from experiments.link_level.bler import bler as run
    from experiments.link_level.montecarlo import Limits

    systems = block_systems(
        info_bits=info_bits,
        coded_bits=coded_bits,
        rates=rates,
        modulations=modulations,
        schemes=schemes,
        channels=channels,
        decoders=tuple(decoders.split(",")) + ((PEERS[peer],) if peer else ()),
        max_iterations=iterations,
    )
    limits = Limits(max_errors, max_trials)
    snrs = snrs or default_snrs(systems, axis)
    run(systems, snrs, out, axis=axis, limits=limits, seed=seed, jobs=jobs, say=say)


@click.command(epilog=examples("mcs", "mcs --channel rayleigh_fast"))
@click.option(
    "--channel",
    default="awgn",
    show_default=True,
    callback=_known(_channel),
    metavar="SPEC",
    help="Channel by name, with options, such as rician:k_db=3.",
)
@click.option(
    "--num-bits",
    default=8400,
    show_default=True,
    help="Number of payload bits per code block; the table uses the longest measured block that "
    "does not exceed it.",
)
@click.option(
    "--schemes",
    default="nr",
    show_default=True,
    callback=_known(_scheme_set),
    metavar="SET",
    help="Set of schemes, as for semcom send: nr, papers or shaped.",
)
@out_option("semcom-mcs")
def mcs(channel: str, num_bits: int, schemes: str, out: Path) -> None:
    """Print the modulation and coding schemes, the SNR that each needs, and its gap to capacity.

    The command writes the table (CSV) and the plot (PNG, PDF) into the --out folder.
    """
    from experiments.link_level.mcs import mcs as run

    run(channel, num_bits, out, schemes=schemes, say=say)
