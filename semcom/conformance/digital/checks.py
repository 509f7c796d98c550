"""The checks of digital codecs.

Each is a function of a :class:`~semcom.conformance.base.Candidate`. It raises
:class:`~semcom.conformance.base.CheckFailed` if a promise of ``docs/tutorials/adding-a-codec.md``
is broken, and otherwise returns a remark, which is usually empty.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from semcom.codecs.base import BudgetTooSmallError, DigitalCodec, weighted_gain
from semcom.conformance import garbage
from semcom.conformance.base import MEMORY, THREADS, Candidate, Check, CheckFailed, told
from semcom.conformance.calls import check_harmless, qualities
from semcom.conformance.common_checks import MAX_SUBSETS, bounded_memory, same_in_threads, subsets
from semcom.conformance.digital import promises
from semcom.conformance.digital.calls import data_of, decode, encode, send
from semcom.conformance.digital.other_process import check_other_process
from semcom.conformance.samples import crop, flat_map, large_photo, made, photo, region
from semcom.errors import InputError
from semcom.scores.psnr import psnr_db
from semcom.types import Bitstream, Image

_BITS = 40_000
_LARGE_BITS = 70_000
_SIZES = [(16, 16), (17, 31), (33, 64), (65, 47)]
_TINY = [(1, 1), (1, 40), (3, 2), (15, 17)]
"""Number of subsets of lost packets that are tried."""


def _trained(codec: DigitalCodec) -> bool:
    return bool(getattr(codec, "trained", False))


def check_budget(candidate: Candidate) -> str:
    """Encode the photo within 40,000 bits, no more and not many fewer."""
    codec = candidate.codec()
    used = encode(codec, photo(), _BITS).num_bits
    least = 0.6 if _trained(codec) else 0.97 if codec.steerable else 0.85
    if used < least * _BITS:
        asked = f"use at least {least:.0%} of {_BITS:,} bits for the photo"
        raise CheckFailed(asked, f"{used:,} bits", promises.BUDGET)
    return ""


def check_small_budget(candidate: Candidate) -> str:
    """Encode within too few bits, and then within the number that the codec says it needs."""
    codec = candidate.codec()
    least = _needed(codec, 7)  # a packet has at least one byte
    used = encode(codec, photo(), least, promise=promises.SMALL_BUDGET).num_bits
    if used != least:
        asked = f"encode the photo into the {least:,} bits that it needs"
        raise CheckFailed(asked, f"{used:,} bits", promises.SMALL_BUDGET)
    _needed(codec, least - 1)
    return ""


def _needed(codec: DigitalCodec, max_bits: int) -> int:
    """Return the bits that the codec says it needs instead of ``max_bits``."""
    asked = f"encode the photo within {max_bits:,} bits, which are too few"
    try:
        stream = codec.encode(photo(), flat_map(photo()), max_bits)
    except BudgetTooSmallError as error:
        if error.num_bits <= max_bits:
            got = f"{told(error)}, which would fit"
            raise CheckFailed(asked, got, promises.SMALL_BUDGET) from error
        return error.num_bits
    except Exception as error:
        raise CheckFailed(asked, told(error), promises.SMALL_BUDGET) from error
    raise CheckFailed(asked, f"a stream of {stream.num_bits:,} bits", promises.SMALL_BUDGET)


def check_picture(candidate: Candidate) -> str:
    """Send the photo within 24,000, 60,000 and 200,000 bits, better each time."""
    codec = candidate.codec()
    first, second, third = (
        psnr_db(photo(), send(codec, photo(), bits)[1]) for bits in (24_000, 60_000, 200_000)
    )
    if not (first > 22 and first + 2 < second < third):
        asked = (
            "send the photo within 24,000, 60,000 and 200,000 bits, at a PSNR above 22 dB, more "
            "than 2 dB above that, and higher yet"
        )
        got = f"{first:.2f}, {second:.2f} and {third:.2f} dB"
        raise CheckFailed(asked, got, promises.PICTURE)
    return ""


def check_sizes(candidate: Candidate) -> str:
    """Send pictures of odd and tiny sizes, flat, noisy, grey, and cut from the photo."""
    codec = candidate.codec()
    refused: list[str] = []
    pictures = list(_pictures(trained=_trained(codec)))
    for what, image, least_db in pictures:
        height, width = image.shape[:2]
        budget = 12_000 + 8 * image.size
        try:
            stream = encode(codec, image, budget, what=what, promise=promises.SIZES)
        except CheckFailed as failure:
            if ":" in candidate.spec and type(failure.__cause__) in (ValueError, InputError):
                refused.append(f"{width}x{height}")
                continue
            raise
        shown = decode(codec, data_of(stream), height, width, what=what, promise=promises.SIZES)
        if not psnr_db(image, shown) > least_db:
            asked = f"send {what}, {width}x{height}, within {budget:,} bits at {least_db} dB"
            raise CheckFailed(asked, f"{psnr_db(image, shown):.2f} dB", promises.SIZES)
    if len(refused) == len(pictures):
        raise CheckFailed("send pictures of odd and tiny sizes", "all refused", promises.SIZES)
    return f"its options refuse {', '.join(dict.fromkeys(refused))}" if refused else ""


def _pictures(*, trained: bool) -> Iterator[tuple[str, Image, float]]:
    """Yield small pictures, with the PSNR that a generous budget must reach."""
    least_db = {"flat": 40.0, "grey": 10.0 if trained else 25.0, "noise": 10.0}
    for content, size in itertools.product(least_db, _SIZES):
        yield f"a {content} picture", made(content, *size), least_db[content]
    for size in _TINY:
        yield "a part of the photo", crop(60, 100, *size), 20


def check_same_bytes(candidate: Candidate) -> str:
    """Encode the photo twice, the second time with another codec of the same options."""
    first, again = (encode(candidate.codec(), photo(), _BITS) for _ in range(2))
    if first != again:
        asked = f"encode the photo twice within {_BITS:,} bits"
        raise CheckFailed(asked, _difference(first, again), promises.SAME_BYTES)
    return ""


def _difference(first: Bitstream, again: Bitstream) -> str:
    if len(first.packets) != len(again.packets):
        return f"{len(first.packets)} packets and then {len(again.packets)}"
    for i, (one, two) in enumerate(zip(data_of(first), data_of(again), strict=True), 1):
        if one != two:
            pairs = zip(one, two, strict=False)
            same = next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(one), len(two)))
            return f"different bytes in packet {i} of {len(first.packets)}, from byte {same} on"
    return "the same bytes, but different gains or info"


def check_threads(candidate: Candidate) -> str:
    """Send three small pictures in three threads, and then one after the other."""
    codec = candidate.codec()

    def both(image: Image) -> dict[str, object]:
        stream, shown = send(codec, image, 12_000, what="a part of the photo")
        return {"bytes": data_of(stream), "pixels": shown.tobytes()}

    same_in_threads(both, promises.SAME_BYTES)
    return ""


def check_map(candidate: Candidate) -> str:
    """Send the photo with and without an important region."""
    codec, inside = candidate.codec(), region()
    w = np.where(inside, 0.65 / inside.mean(), 0.35 / (1 - inside.mean())).astype(np.float32)
    blind, steered = (send(codec, photo(), _BITS, w=m) for m in (flat_map(photo()), w))
    if not codec.steerable:
        if data_of(blind[0]) != data_of(steered[0]):
            steady = encode(codec, photo(), _BITS) == blind[0]
            raise CheckFailed(
                "encode the photo with and without a region: steerable is False",
                _difference(blind[0], steered[0]),
                promises.STEERABLE if steady else promises.SAME_BYTES,
            )
        return ""
    before, after = (qualities(shown, w) for _, shown in (blind, steered))
    inner, outer, weighted = after - before
    if not (inner > 0.5 and outer < -0.5 and weighted > 0.5):
        asked = (
            "give a tenth of the photo 65 % of the weight, which moves more than 0.5 dB from the "
            "rest into it, and raises the weighted PSNR by as much: steerable is True"
        )
        got = f"{inner:+.2f} dB inside, {outer:+.2f} dB outside, {weighted:+.2f} dB weighted"
        raise CheckFailed(asked, got, promises.STEERABLE)
    return ""


def check_gains(candidate: Candidate) -> str:
    """Add up the gains of all packets of the photo."""
    w = np.where(region(), 2.0, 1.0).astype(np.float32)
    w /= w.mean()
    stream, shown = send(candidate.codec(), photo(), _BITS, w=w)
    gains, removed = sum(p.gain for p in stream.packets), weighted_gain(photo(), shown, w)
    if not math.isclose(gains, removed, rel_tol=1e-6):
        asked = f"remove a weighted squared error of {removed:.8g} in all"
        raise CheckFailed(asked, f"gains of {gains:.8g}", promises.GAIN)
    return ""


def check_losses(candidate: Candidate) -> str:
    """Lose every subset of the photo's packets, or many if there are too many."""
    codec = candidate.codec()
    stream, whole = send(codec, photo(), 60_000)
    if ":" in candidate.spec:  # what is lost may have told the receiver what the options are
        codec = candidate.receiver()
    data = data_of(stream)
    best = psnr_db(photo(), whole)
    for arrived in subsets(len(data)):
        kept = [d if here else None for d, here in zip(data, arrived, strict=True)]
        shown = decode(codec, kept, *photo().shape[:2], promise=promises.PACKETS)
        lost = len(data) - sum(arrived)
        asked = f"decode the photo with {lost} of {len(data)} packets lost"
        if lost == len(data) and not (shown == 128).all():
            raise CheckFailed(asked, "a picture other than mid-grey", promises.PACKETS)
        if lost == 0 and not np.array_equal(shown, whole):
            raise CheckFailed(asked, "a different picture from before", promises.PACKETS)
        if (quality := psnr_db(photo(), shown)) > best:
            got = f"{quality:.2f} dB, but {best:.2f} dB with none lost"
            raise CheckFailed(asked, got, promises.PACKETS)
    every = 2 ** len(data) <= MAX_SUBSETS
    return "" if every else f"{MAX_SUBSETS} of the subsets of {len(data)} packets"


def check_garbage(candidate: Candidate) -> str:
    """Decode garbage and damaged packets of a small picture."""
    codec = candidate.codec()
    stream, _ = send(codec, crop(40, 90, 40, 56), 20_000, what="a part of the photo")
    packets = data_of(stream)
    for what, damaged in garbage.cases(packets):
        limit_s, promise = candidate.decode_limit_s, promises.GARBAGE
        check_harmless(codec, damaged, 40, 56, limit_s=limit_s, promise=promise, what=what)
    return ""


def check_frames(candidate: Candidate) -> str:
    """Decode other numbers of packets and other sizes than those of a small picture."""
    codec, size = candidate.codec(), (40, 56)
    stream, _ = send(codec, crop(40, 90, *size), 20_000, what="a part of the photo")
    return garbage.check_frames(codec, data_of(stream), size, candidate, promises.FRAMES)


def check_memory(candidate: Candidate) -> str:
    """Send a picture of 512x512, and decode a few bytes of garbage, in bounded memory."""
    codec = candidate.codec()

    def send_large() -> tuple[DigitalCodec, list[bytes]]:
        stream, _ = send(codec, large_photo(), _LARGE_BITS, what="a larger photo")
        return codec, data_of(stream)

    return bounded_memory(candidate, send_large, (512, 512), promises.GARBAGE)


CODEC_CHECKS = (
    Check("budget", promises.BUDGET, check_budget),
    Check("small-budget", promises.SMALL_BUDGET, check_small_budget),
    Check("picture", promises.PICTURE, check_picture),
    Check("sizes", promises.SIZES, check_sizes),
    Check("same-bytes", promises.SAME_BYTES, check_same_bytes),
    Check("other-process", promises.BYTES_ALONE, check_other_process),
    Check("threads", THREADS, check_threads),
    Check("map", promises.STEERABLE, check_map),
    Check("gains", promises.GAIN, check_gains),
    Check("losses", promises.PACKETS, check_losses),
    Check("garbage", promises.GARBAGE, check_garbage),
    Check("frames", promises.FRAMES, check_frames),
    Check("memory", MEMORY, check_memory),
)
