"""Benchmark of the analog codecs beside HEVC: encode and decode a picture of 768x512.

    python -m experiments.benchmarks.analog_codecs [--json]

Goals: ``jscc`` encodes and decodes in 150 ms on two threads, in float32, and ``restore=true`` adds
at most 150 ms to decoding. All codecs run in this process, on the same picture, for CBR 1/16 at 10
dB; an analog codec gets 94% of the channel uses as symbols, and HEVC as many bits as a link of 2
bits per channel use carries. The fastest of five runs counts. The multiply–accumulates are those of
the receiver's network.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
import numpy as np
import torch
from PIL import Image as PilImage
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from channels.models.awgn import Awgn
from semcom import cache
from semcom.codecs.base import CODECS, is_analog
from semcom.codecs.jscc.weights import new_refiner
from semcom.codecs.refiner.knowledge import CELL, MAPS
from semcom.processor import keep_freed_memory
from semcom.scores.psnr import psnr_db
from semcom.types import Image

GOAL_MS, THREADS, RUNS = 150, 2, 5
HEIGHT, WIDTH = 512, 768
CODECS_MEASURED = (
    "jscc",
    "jscc:precision=float32",
    "jscc:refine=false",
    "softcast",
    "jpeg",
    "jpeg:restore=true",
    "hevc:restore=true",
    "hevc",
)
_SNR_DB = 10.0


def picture(height: int = HEIGHT, width: int = WIDTH) -> Image:
    """Return a photo of this size, (height, width, 3) uint8."""
    import skimage.data

    coffee = PilImage.fromarray(skimage.data.coffee())  # type: ignore[no-untyped-call]
    return np.asarray(coffee.resize((width, height), PilImage.Resampling.LANCZOS))


def measure(name: str, image: Image, runs: int = RUNS) -> dict[str, Any]:
    """Return the milliseconds that a codec takes to encode and to decode."""
    codec, (height, width) = CODECS.create(name), image.shape[:2]
    w, uses = np.ones((height, width), np.float32), image.size // 16
    # Each run encodes another picture, since codecs may keep something of the last one.
    others = (np.roll(image, 8 * k, axis=1) for k in itertools.count(1))
    if is_analog(codec):
        num_symbols = round(0.94 * uses)
        signal = codec.encode(image, w, num_symbols, _SNR_DB)
        x, side = signal.symbols, [packet.data for packet in signal.side]
        noise_var = torch.full((len(x),), 10 ** (-_SNR_DB / 10))
        encode = _fastest(lambda: codec.encode(next(others), w, num_symbols, _SNR_DB), runs)
        ones = torch.ones_like(x)
        decode = _fastest(lambda: codec.decode(x, ones, noise_var, side, height, width), runs)
    else:
        packets = [packet.data for packet in codec.encode(image, w, 2 * uses).packets]
        encode = _fastest(lambda: codec.encode(next(others), w, 2 * uses), runs)
        decode = _fastest(lambda: codec.decode(packets, height, width), runs)
    return {"codec": name, "encode_ms": encode, "decode_ms": decode, "sum_ms": encode + decode}


def cost_of_bfloat16_db(image: Image) -> float:
    """Return by how much bfloat16 lowers the PSNR of ``jscc`` in dB; 0 where it is not used."""
    (height, width), codec = image.shape[:2], CODECS.create("jscc")
    w, num_symbols = np.ones((height, width), np.float32), round(0.94 * image.size / 16)
    signal = codec.encode(image, w, num_symbols, _SNR_DB)
    y, h, noise_var = Awgn()(
        signal.symbols, 10 ** (-_SNR_DB / 10), torch.Generator().manual_seed(0)
    )
    side = [packet.data for packet in signal.side]
    exact, fast = (
        psnr_db(
            image,
            CODECS.create(name).decode(y, h, noise_var.expand(y.shape), side, height, width),
        )
        for name in ("jscc:precision=float32", "jscc")
    )
    return exact - fast


def refiner_inputs(maps: int) -> tuple[torch.Tensor, ...]:
    """Return planes of 768x512, and what a refiner with this number of maps is told of them."""
    cells = HEIGHT // CELL, WIDTH // CELL
    planes = torch.zeros(1, 3, HEIGHT, WIDTH)
    return planes, torch.zeros(1, maps, *cells), torch.zeros(1, 3, *cells)


def macs_per_pixel(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> float:
    """Count the multiply–accumulates of a network for each pixel of 768x512."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(*inputs)
    return counter.get_total_flops() / 2 / (HEIGHT * WIDTH)


def describe(row: Mapping[str, Any]) -> str:
    """Return a line with the times of a codec."""
    return (
        f"{row['codec']}: encode {row['encode_ms']:.0f} ms, decode {row['decode_ms']:.0f} ms, "
        f"together {row['sum_ms']:.0f} ms"
    )


def _fastest(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(as_json: bool) -> None:
    """Measure the speed of the analog codecs and of HEVC."""
    torch.set_num_threads(THREADS)
    keep_freed_memory()
    os.environ[cache.ENVIRONMENT] = "off"
    image = picture()
    rows = [measure(name, image) for name in CODECS_MEASURED]
    macs, cost_db = macs_per_pixel(new_refiner(), refiner_inputs(MAPS)), cost_of_bfloat16_db(image)
    if as_json:
        about = {"goal_ms": GOAL_MS, "macs_per_pixel": macs, "cost_of_bfloat16_db": cost_db}
        click.echo(json.dumps({**about, "rows": rows}, indent=2))
        return
    for row in rows:
        click.echo(describe(row))
    by_name = {row["codec"]: row for row in rows}
    own, hevc = (by_name[name]["sum_ms"] for name in ("jscc:precision=float32", "hevc"))
    click.echo(
        f"jscc takes {own:.0f} ms in float32 (goal {GOAL_MS}), hevc {hevc / own:.1f} times that"
    )
    added = by_name["jpeg:restore=true"]["decode_ms"] - by_name["jpeg"]["decode_ms"]
    click.echo(f"restore=true adds {added:.0f} ms to decoding (goal {GOAL_MS})")
    click.echo(f"bfloat16, where the processor has it, lowers the PSNR by {cost_db:.4f} dB")
    click.echo(f"network of jscc: {macs / 1e3:.1f} thousand multiply–accumulates per pixel")


if __name__ == "__main__":
    main()
