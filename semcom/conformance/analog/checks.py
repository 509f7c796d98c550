"""The checks of analog codecs, in analogy with :mod:`semcom.conformance.digital.checks`."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.base import AnalogCodec, least_symbols
from semcom.conformance import garbage
from semcom.conformance.analog import promises
from semcom.conformance.analog.calls import air, build, data_of, decode, encode, same, send
from semcom.conformance.base import MEMORY, THREADS, Candidate, Check, CheckFailed
from semcom.conformance.calls import check_harmless, qualities
from semcom.conformance.common_checks import MAX_SUBSETS, bounded_memory, same_in_threads, subsets
from semcom.conformance.isolated_process import ProcessError, run
from semcom.conformance.samples import crop, large_photo, made, photo, region
from semcom.scores.psnr import psnr_db
from semcom.types import Image

_SYMBOLS = 9_000
_FEW_SYMBOLS = _SYMBOLS // 4
_LARGE_SYMBOLS = 40_000
_SIZES = [(1, 1), (1, 40), (3, 2), (15, 17), (16, 16), (33, 64), (65, 47)]
_OTHER_SYMBOLS = (0, 1, 7, 999, 1_001, 2_000)
"""Number of subsets of lost packets that are tried."""


def check_signal(candidate: Candidate) -> str:
    """Encode the photo into 9,000 symbols and fewer, for SNRs from -10 to 40 dB."""
    codec = build(candidate)
    for num_symbols, snr_db in [*((_SYMBOLS, snr) for snr in (-10, 0, 10, 20, 40)), (900, 10)]:
        encode(codec, photo(), num_symbols, snr_db=snr_db, promise=promises.SIGNAL)
    return ""


def check_picture(candidate: Candidate) -> str:
    """Send the photo with more symbols and over better channels, with better pictures each time."""
    codec = build(candidate)
    few, more = (
        psnr_db(photo(), send(codec, photo(), count)[1]) for count in (_FEW_SYMBOLS, _SYMBOLS)
    )
    fixed = least_symbols(codec, *photo().shape[:2]) > _FEW_SYMBOLS
    if not (few > 15 and (fixed or more > few + 0.5)):
        asked = f"send the photo in {_FEW_SYMBOLS:,} symbols above 15 dB, better in {_SYMBOLS:,}"
        raise CheckFailed(asked, f"{few:.2f} and {more:.2f} dB", promises.PICTURE)
    rising = [
        psnr_db(photo(), send(codec, photo(), _SYMBOLS, real_snr_db=snr_db)[1])
        for snr_db in (4, 10, 16)
    ]
    if not rising[0] < rising[1] < rising[2]:
        asked = "send the photo at 4, 10 and 16 dB, all planned for 10 dB, better each time"
        raise CheckFailed(asked, ", ".join(f"{db:.2f}" for db in rising), promises.PICTURE)
    return ""


def check_sizes(candidate: Candidate) -> str:
    """Send pictures of odd and tiny sizes, flat, noisy, and cut from the photo."""
    codec = build(candidate)
    for size in _SIZES:
        height, width = size
        pictures = {f"a {content} picture": made(content, *size) for content in ("flat", "noise")}
        pictures["a part of the photo"] = crop(60, 100, *size)
        for what, image in pictures.items():
            for count in (1, 2, 3 * height * width + 2):
                shown = send(codec, image, count, snr_db=20, what=what, promise=promises.SIZES)[1]
            if "flat" in what and not psnr_db(image, shown) > 20:
                asked = f"send a flat picture, {width}x{height}, in {count} symbols at 20 dB"
                raise CheckFailed(asked, f"{psnr_db(image, shown):.2f} dB", promises.SIZES)
    return ""


def check_same_signal(candidate: Candidate) -> str:
    """Encode the photo twice, the second time with another codec of the same options."""
    first, again = (encode(build(candidate), photo(), _SYMBOLS) for _ in range(2))
    if not same(first, again):
        asked = f"encode the photo twice into {_SYMBOLS:,} symbols"
        raise CheckFailed(asked, "a different signal", promises.SAME_SIGNAL)
    return ""


def check_other_process(candidate: Candidate) -> str:
    """Send a picture to another process, where the receiver only knows the codec's name."""
    image = crop(40, 90, 40, 56)
    signal = encode(build(candidate), image, 1_000, what="a part of the photo")
    received = air(signal.symbols, 10)
    shown = decode(build(candidate), received, data_of(signal), 40, 56)
    asked = "decode in another process what was sent here"
    try:
        there = run(
            _receive, candidate, received, data_of(signal), limit_s=candidate.process_limit_s
        )
    except ProcessError as error:
        raise CheckFailed(asked, str(error), promises.RECEIVED) from error
    if np.abs(there.astype(int) - shown).max() > 1:  # libraries may round differently
        raise CheckFailed(asked, "a different picture from here", promises.RECEIVED)
    return ""


def _receive(
    candidate: Candidate, received: tuple[Tensor, Tensor, Tensor], side: list[bytes]
) -> Image:
    build(candidate)  # it may open files that both ends need
    codec = build(candidate, candidate.name)
    return decode(codec, received, side, 40, 56, promise=promises.RECEIVED)


def check_threads(candidate: Candidate) -> str:
    """Send three small pictures in three threads, and then one after the other."""
    codec = build(candidate)

    def both(image: Image) -> dict[str, bytes]:
        shown = send(codec, image, 1_000, what="a part of the photo")[1]
        return {"pixels": shown.tobytes()}

    same_in_threads(both, promises.SAME_SIGNAL)
    return ""


def check_map(candidate: Candidate) -> str:
    """Send the photo with and without an important region, in many symbols or else in few."""
    codec, inside = build(candidate), region()
    w = np.where(inside, 0.65 / inside.mean(), 0.35 / (1 - inside.mean())).astype(np.float32)
    even, gains = np.ones_like(w), []
    for count in (_SYMBOLS, _FEW_SYMBOLS):
        (blind, before), (steered, after) = (send(codec, photo(), count, w=m) for m in (even, w))
        if not codec.steerable:
            if not same(blind, steered):
                asked = "encode the photo with and without a region: steerable is False"
                steady = same(blind, encode(codec, photo(), count))
                broken = promises.STEERABLE if steady else promises.SAME_SIGNAL
                raise CheckFailed(asked, "a different signal", broken)
            return ""
        inner, outer, weighted = qualities(after, w) - qualities(before, w)
        if inner > 0.5 and outer < 0 and weighted > 0.25:
            return ""
        gains.append(
            f"{inner:+.2f} dB inside, {outer:+.2f} dB outside, {weighted:+.2f} dB weighted"
        )
    asked = (
        "give a tenth of the photo 65 % of the weight, which gains more than 0.5 dB there, less "
        f"outside, and 0.25 dB of weighted PSNR, in {_SYMBOLS:,} or in {_FEW_SYMBOLS:,} symbols: "
        "steerable is True"
    )
    raise CheckFailed(asked, "; ".join(gains), promises.STEERABLE)


def check_fading(candidate: Candidate) -> str:
    """Rotate the symbols, let them fade, and remove some of them."""
    codec, size = build(candidate), photo().shape[:2]
    signal = encode(codec, photo(), _SYMBOLS)
    x, side = signal.symbols, data_of(signal)

    def quality(gains: Tensor | complex, snr_db: float = 10.0) -> float:
        received = air(x, snr_db, gains=gains)
        return psnr_db(photo(), decode(codec, received, side, *size, promise=promises.FADING))

    plain, turned = quality(1.0), quality(1j)
    if abs(plain - turned) > 1:
        asked = "decode the photo from symbols that are rotated by 90 degrees, with known gains"
        raise CheckFailed(asked, f"{turned:.2f} dB instead of {plain:.2f} dB", promises.FADING)
    quality(1.0, snr_db=300)
    worst = psnr_db(photo(), np.full_like(photo(), 128)) - 1
    rng = torch.Generator().manual_seed(0)
    fast = torch.randn(len(x), dtype=x.dtype, generator=rng)
    half = (torch.rand(len(x), generator=rng) < 0.5).to(x.dtype)
    for what, gains in {"fast fading": fast, "half of them": half, "none": 0 * half}.items():
        if quality(gains) < worst:
            asked = f"decode the photo from symbols after {what} came through, above {worst:.2f} dB"
            raise CheckFailed(asked, f"{quality(gains):.2f} dB", promises.FADING)
    return ""


def check_losses(candidate: Candidate) -> str:
    """Lose every subset of the packets of side information, or many if there are too many."""
    codec = build(candidate)
    signal = encode(codec, photo(), _SYMBOLS)
    received, data = air(signal.symbols, 10), data_of(signal)
    codec = build(candidate, candidate.name)
    for arrived in subsets(len(data)):
        kept = [packet if here else None for packet, here in zip(data, arrived, strict=True)]
        decode(codec, received, kept, *photo().shape[:2], promise=promises.LOSSES)
    every = 2 ** len(data) <= MAX_SUBSETS
    return "" if every else f"{MAX_SUBSETS} of the subsets of {len(data)} packets"


def check_garbage(candidate: Candidate) -> str:
    """Decode garbage and damaged side information of a small picture."""
    codec = build(candidate)
    decoder, side = _of_side(codec, 1_000)
    if not side:
        return "no side information"
    about: dict[str, Any] = {"limit_s": candidate.decode_limit_s, "promise": promises.GARBAGE}
    for what, damaged in garbage.cases(side):
        check_harmless(decoder, damaged, 40, 56, what=what, **about)
    return ""


def check_frames(candidate: Candidate) -> str:
    """Decode other numbers of packets and of symbols, and other sizes, than were sent."""
    codec = build(candidate)
    decoder, side = _of_side(codec, 1_000)
    about: dict[str, Any] = {"limit_s": candidate.decode_limit_s, "promise": promises.FRAMES}
    for count in _OTHER_SYMBOLS:
        received = (torch.ones(count, dtype=torch.complex64),) * 2, torch.ones(count)
        other = SimpleNamespace(decode=functools.partial(codec.decode, *received[0], received[1]))
        check_harmless(other, side, 40, 56, what=f"{count} symbols and its packets", **about)
    return garbage.check_frames(decoder, side or [b"?"], (40, 56), candidate, promises.FRAMES)


def check_memory(candidate: Candidate) -> str:
    """Send a picture of 512x512, and decode a few bytes of garbage, in bounded memory."""
    codec = build(candidate)

    def send_large() -> tuple[Any, list[bytes]]:
        send(codec, large_photo(), _LARGE_SYMBOLS, what="a larger photo")
        return _of_side(codec, 1_000)

    return bounded_memory(candidate, send_large, (40, 56), promises.GARBAGE)


def _of_side(codec: AnalogCodec, num_symbols: int) -> tuple[Any, list[bytes]]:
    """Return a decoder of side information for a small received picture, and its own packets."""
    signal = encode(codec, crop(40, 90, 40, 56), num_symbols, what="a part of the photo")
    decode = functools.partial(codec.decode, *air(signal.symbols, 10))
    return SimpleNamespace(decode=decode), data_of(signal)


ANALOG_CHECKS = (
    Check("signal", promises.SIGNAL, check_signal),
    Check("picture", promises.PICTURE, check_picture),
    Check("sizes", promises.SIZES, check_sizes),
    Check("same-signal", promises.SAME_SIGNAL, check_same_signal),
    Check("other-process", promises.RECEIVED, check_other_process),
    Check("threads", THREADS, check_threads),
    Check("map", promises.STEERABLE, check_map),
    Check("fading", promises.FADING, check_fading),
    Check("losses", promises.LOSSES, check_losses),
    Check("garbage", promises.GARBAGE, check_garbage),
    Check("frames", promises.FRAMES, check_frames),
    Check("memory", MEMORY, check_memory),
)
