"""Benchmark of the codec ``tiny`` beside its peers: encode and decode a picture of 768x512.

    python -m experiments.benchmarks.lightweight_codecs [--json]

Goal: ``tiny`` encodes and decodes in 250 ms on two threads. All codecs run in this process, on the
same picture, for the same number of bits, 0.38 a pixel; the fastest of five runs counts. The
multiply–accumulates for each pixel are those of the networks: of ``tiny``'s receiver, and of both
ends of CompressAI's smallest model, which needs the extra ``learned``, and whose weights do not
change its work.
"""

from __future__ import annotations

import importlib.util
import json
import os

import click
import torch
from torch import nn

from experiments.benchmarks.analog_codecs import (
    THREADS,
    describe,
    macs_per_pixel,
    measure,
    picture,
    refiner_inputs,
)
from semcom import cache
from semcom.codecs.tiny.repair import MAPS, new_refiner
from semcom.processor import keep_freed_memory

GOAL_MS = 250
CODECS_MEASURED = ("tiny", "tiny:refine=false", "webp", "jpeg2000", "hevc")
PEER = "bmshj2018-factorized"


def networks() -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
    """Return the networks to be counted, each with an input of 768x512."""
    inputs = refiner_inputs(MAPS)
    found: dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]] = {"tiny": (new_refiner(), inputs)}
    if importlib.util.find_spec("compressai"):
        from semcom.checkpoints.compressai import import_zoo

        found[PEER] = import_zoo().image.model_architectures[PEER](128, 192), inputs[:1]
    return found


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(as_json: bool) -> None:
    """Measure the speed of tiny and of its peers."""
    torch.set_num_threads(THREADS)
    keep_freed_memory()
    os.environ[cache.ENVIRONMENT] = "off"
    image = picture()
    rows = [measure(name, image) for name in CODECS_MEASURED]
    sizes = {
        name: (sum(p.numel() for p in network.parameters()), macs_per_pixel(network, inputs))
        for name, (network, inputs) in networks().items()
    }
    if as_json:
        click.echo(json.dumps({"goal_ms": GOAL_MS, "networks": sizes, "rows": rows}, indent=2))
        return
    for row in rows:
        click.echo(describe(row))
    ratio = rows[-1]["sum_ms"] / rows[0]["sum_ms"]
    click.echo(
        f"tiny takes {rows[0]['sum_ms']:.0f} ms (goal {GOAL_MS}), hevc {ratio:.1f} times that"
    )
    for name, (parameters, macs) in sizes.items():
        click.echo(
            f"{name}: {parameters:,} parameters, {macs / 1e3:.1f} thousand multiply–accumulates "
            "per pixel"
        )


if __name__ == "__main__":
    main()
