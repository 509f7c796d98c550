"""MS-SSIM that modes of libaom and VVenC gain with the same bits, and PSNR that they cost.

    python -m experiments.benchmarks.tuned.encoders [--height 192 --width 256] PHOTO...

Goal: ``tune=ssim`` is the mode that gains most. Peer: the same encoder for PSNR, at three of its
qualities, on the middle of each photo. A mode's scores are interpolated, over the logarithm of the
bits, between its two steps around the bits of the peer. MS-SSIM is in dB, ``-10·log10(1 -
MS-SSIM)``. *Filter* stands for :mod:`semcom.codecs.quantiser.noise_shaping` and its power.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from semcom.codecs import av1, vvc
from semcom.codecs.parts import obu
from semcom.codecs.parts.colour import Planes, from_planes, to_planes
from semcom.codecs.parts.rate_control import best_level
from semcom.codecs.quantiser.noise_shaping import shaped
from semcom.errors import InputError
from semcom.images import load_image
from semcom.scores.psnr import psnr_db
from semcom.scores.similarity import ms_ssim
from semcom.types import Image

CPU_USED, PRESET = 4, "fast"
_SIDE = click.IntRange(min=176)  # MS-SSIM has five scales


class Mode(NamedTuple):
    """What is tried with an encoder."""

    parameters: str = ""
    """The encoder's own."""
    filter_power: float = 0
    """Power of the filter around it; 0 for none."""


class Point(NamedTuple):
    """A picture at one quality."""

    bits: int
    scores: NDArray[np.float64]
    """MS-SSIM and PSNR in dB."""


class Encoder(NamedTuple):
    """An encoder, and what is tried with it."""

    code: Callable[[Planes, int, str], tuple[int, Planes]]
    """Returns bits and decoded planes, for planes, a step of quality and parameters."""
    coarsest: int
    """The step of least quality; step 0 is the best."""
    compared: tuple[int, int, int]
    """The peer's steps."""
    slope: float
    """Typical growth of ln(bits) for one step."""
    modes: tuple[Mode, ...]


def code_av1(planes: Planes, crf: int, parameters: str) -> tuple[int, Planes]:
    """Code planes with libaom."""
    known, payload = av1.encode_planes(planes, crf, CPU_USED, parameters)
    decoded = av1.decode_planes(known + obu.frame(payload), *planes.shape[1:])
    return 8 * len(payload), decoded


def code_vvc(planes: Planes, qp: int, parameters: str) -> tuple[int, Planes]:
    """Code planes with VVenC."""
    stream = vvc.encode_planes(planes, vvc.level_of(qp), PRESET, parameters)
    assert stream is not None
    return 8 * len(vvc.split(stream)[1]), vvc.decode_planes(stream, *planes.shape[1:])


ENCODERS = {
    "av1": Encoder(
        code_av1,
        63,
        (54, 42, 28),
        0.06,
        (
            Mode("tune=ssim"),
            Mode("tune=iq"),
            Mode("tune=ssimulacra2"),
            Mode("deltaq-mode=6"),
            Mode("tune=ssim:deltaq-mode=6"),
            Mode("tune=ssim:deltaq-mode=6:enable-qm=1"),
            Mode("tune=ssim:deltaq-mode=6", 0.125),
        ),
    ),
    "vvc": Encoder(
        code_vvc,
        63,
        (41, 34, 27),
        0.11,
        (
            Mode(":PerceptQPA=1"),
            Mode(":LumaLevelToDeltaQPMode=1"),
            Mode("", 0.125),
            Mode("", 0.25),
            Mode(":PerceptQPA=1", 0.25),
        ),
    ),
}


def middle(photo: Image, height: int, width: int) -> Image:
    """Return the middle of a photo, in this size.

    Raises
    ------
    ValueError
        The photo is smaller.
    """
    if photo.shape[0] < height or photo.shape[1] < width:
        size = f"{photo.shape[1]}x{photo.shape[0]}"
        raise InputError(f"photos must have at least {width}x{height} pixels, got {size}")
    top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    return np.ascontiguousarray(photo[top : top + height, left : left + width])


def point(encoder: Encoder, image: Image, step: int, mode: Mode) -> Point:
    """Code a picture at one step of quality."""
    planes = shaped(to_planes(image), mode.filter_power)
    bits, decoded = encoder.code(planes, step, mode.parameters)
    shown = from_planes(shaped(decoded, -mode.filter_power))
    ms_ssim_db = -10 * math.log10(1 - ms_ssim(image, shown))
    return Point(bits, np.array([ms_ssim_db, psnr_db(image, shown)]))


def scores_at(
    encoder: Encoder, image: Image, mode: Mode, guess: int, bits: int
) -> NDArray[np.float64]:
    """Return the scores of a mode with this number of bits."""
    at = functools.cache(lambda step: point(encoder, image, step, mode))
    low = -best_level(
        lambda level: at(-level).bits,
        range(-encoder.coarsest, 0),
        bits,
        guess=-guess,
        slope=encoder.slope,
        tolerance=0,
    )
    (less, worse), (more, better) = at(low), at(low - 1)
    share = math.log(bits / less) / math.log(more / less)
    return (1 - share) * worse + share * better


def gains(encoder: Encoder, image: Image) -> NDArray[np.float64]:
    """Return bits per pixel, and gains of MS-SSIM and PSNR in dB, for each mode and peer's step."""
    peers = [(step, point(encoder, image, step, Mode())) for step in encoder.compared]
    return np.array(
        [
            [
                [
                    peer.bits / image[..., 0].size,
                    *(scores_at(encoder, image, mode, step, peer.bits) - peer.scores),
                ]
                for step, peer in peers
            ]
            for mode in encoder.modes
        ]
    )


@click.command()
@click.argument(
    "photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--codec", "names", multiple=True, type=click.Choice(list(ENCODERS)))
@click.option("--height", type=_SIDE, default=192, show_default=True, help="Rows of the middle.")
@click.option("--width", type=_SIDE, default=256, show_default=True, help="Columns of the middle.")
def main(photos: tuple[Path, ...], names: tuple[str, ...], height: int, width: int) -> None:
    """Print what each mode gains, as means over the photos."""
    try:
        images = [middle(load_image(photo)[0], height, width) for photo in photos]
    except InputError as error:
        raise click.ClickException(str(error)) from None
    for name in names or ENCODERS:
        encoder = ENCODERS[name]
        found = np.mean([gains(encoder, image) for image in images], axis=0)
        rates = ", ".join(f"{rate:.2f}" for rate in found[0, :, 0])
        click.echo(f"{name}: gain of MS-SSIM / PSNR in dB at {rates} bits per pixel, and the mean")
        for mode, rows in zip(encoder.modes, found, strict=True):
            filtered = [f"filter {mode.filter_power}"] * bool(mode.filter_power)
            label = ", ".join([mode.parameters.strip(":")] * bool(mode.parameters) + filtered)
            cells = (f"{ms:+.2f} / {psnr:+.2f}" for _, ms, psnr in [*rows, rows.mean(axis=0)])
            click.echo(f"  {label:37} {'   '.join(cells)}")


if __name__ == "__main__":
    main()
