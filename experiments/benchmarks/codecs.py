"""Benchmark of all codecs: encode and decode a picture of 768x512, and how much was learned.

    python -m experiments.benchmarks.codecs [--json] [--runs N]

All codecs run in this process on two threads, on the same picture, for CBR 1/16 at 10 dB; an
analog codec gets 94% of the channel uses as symbols, and a digital one as many bits as a link of 2
bits per channel use carries. Each run encodes another picture, and the fastest counts. Parameters
are those of the weights in the package, tables of probabilities included.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import torch
from rich.console import Console
from rich.table import Table
from safetensors import safe_open

from experiments.benchmarks.analog_codecs import THREADS, measure, picture
from semcom import cache
from semcom.codecs.base import CODECS
from semcom.processor import keep_freed_memory
from semcom.types import Image

NEED_MORE = ("learned", "torch_jscc")
"""Codecs that need a download, or a network of the user's."""


def parameters_of(codec: str) -> int:
    """Return the number of trained numbers that come with a codec."""
    module = CODECS.entry(codec).target.partition(":")[0]
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.origin
    file = Path(spec.origin).with_name("weights.safetensors")
    if not file.is_file():
        return 0
    with safe_open(file, "pt") as stored:
        return sum(stored.get_tensor(name).numel() for name in stored.keys())  # noqa: SIM118


def rows_of(names: Sequence[str], image: Image, runs: int) -> list[dict[str, Any]]:
    """Return milliseconds and parameters of each codec."""
    return [measure(name, image, runs) | {"parameters": parameters_of(name)} for name in names]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@click.option("--runs", type=click.IntRange(min=1), default=3, help="Runs, of which one counts.")
def main(as_json: bool, runs: int) -> None:
    """Measure the speed of every codec that is installed."""
    torch.set_num_threads(THREADS)
    keep_freed_memory()
    os.environ[cache.ENVIRONMENT] = "off"
    image = picture()
    names = [
        name
        for name in CODECS.names()
        if name not in NEED_MORE
        and CODECS.entry(name).source == "semcom"
        and not CODECS.entry(name).missing
    ]
    rows = rows_of(names, image, runs)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("codec", *(f"{part}, ms" for part in ("encode", "decode")), "parameters")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        parameters = f"{row['parameters']:,}" if row["parameters"] else "–"
        table.add_row(
            row["codec"], f"{row['encode_ms']:,.0f}", f"{row['decode_ms']:,.0f}", parameters
        )
    Console().print(table)


if __name__ == "__main__":
    main()
