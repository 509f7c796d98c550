"""Calling an analog codec, and describing an unexpected answer in words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from channels.base import ChannelOutput, complex_normal
from channels.units import noise_var_from_snr_db
from semcom.codecs.base import AnalogCodec, is_analog, least_symbols
from semcom.conformance.analog.promises import PICTURE, SIGNAL
from semcom.conformance.base import Candidate, CheckFailed
from semcom.conformance.calls import MAX_PACKETS, ask, check_image, lengths
from semcom.conformance.samples import flat_map
from semcom.errors import InputError
from semcom.link.analog_frame import POWER_TOLERANCE
from semcom.types import AnalogSignal, Image, Map


def build(candidate: Candidate, spec: str | None = None) -> AnalogCodec:
    """Build the sender's codec, or the one given by ``spec``.

    Raises
    ------
    ValueError
        Name or options are wrong, or the codec is not analog.
    """
    codec = candidate.build(candidate.spec if spec is None else spec)
    if not is_analog(codec):
        raise InputError(f"codec {candidate.spec!r} is not analog")
    return codec


def encode(
    codec: AnalogCodec,
    image: Image,
    num_symbols: int,
    *,
    snr_db: float = 10.0,
    w: Map | None = None,
    what: str = "the photo",
    promise: str = PICTURE,
) -> AnalogSignal:
    """Encode ``image``; ``w`` is flat unless given, and at least the codec's least number is asked.

    Raises
    ------
    CheckFailed
        The codec raised an exception (which breaks ``promise``), or its signal is invalid.
    """
    height, width = image.shape[:2]
    least = ask(least_symbols, codec, height, width, asked="tell least_symbols", promise=promise)
    num_symbols = max(num_symbols, least)
    asked = f"encode {what}, {width}x{height}, into {num_symbols:,} symbols for {snr_db:g} dB"
    w = flat_map(image) if w is None else w
    signal = ask(codec.encode, image, w, num_symbols, snr_db, asked=asked, promise=promise)
    if (got := _wrong(signal, num_symbols)) is not None:
        raise CheckFailed(asked, got, SIGNAL)
    return signal


def _wrong(signal: object, num_symbols: int) -> str | None:
    """Describe what is wrong with a signal."""
    if not isinstance(signal, AnalogSignal):
        return f"a {type(signal).__name__} and not an AnalogSignal"
    x = signal.symbols
    if not isinstance(x, Tensor) or x.dtype != torch.complex64 or x.ndim != 1:
        return f"symbols of {x.dtype} and shape {tuple(x.shape)}"
    if len(x) > num_symbols:
        return f"{len(x):,} symbols"
    power = float(x.abs().square().mean()) if len(x) else 1.0
    if not abs(power - 1) <= POWER_TOLERANCE:
        return f"symbols of mean power {power:.4g}"
    if len(signal.side) > MAX_PACKETS:
        return f"{len(signal.side)} packets of side information"
    for i, packet in enumerate(signal.side, 1):
        if not isinstance(packet.data, bytes) or not packet.data:
            return f"{packet.data!r} as packet {i} of side information"
    return None


def air(
    x: Tensor, snr_db: float, *, gains: Tensor | complex = 1.0, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Send symbols; return the received ones, the gains, and N0 of every symbol."""
    rng = torch.Generator().manual_seed(seed)
    n0 = noise_var_from_snr_db(snr_db)
    h = torch.as_tensor(gains, dtype=x.dtype).expand(x.shape)
    noise = complex_normal(x.shape, x, rng, variance=n0) if len(x) else x
    return ChannelOutput(h * x + noise, h, torch.full(x.shape, n0))


def decode(
    codec: AnalogCodec,
    received: tuple[Tensor, Tensor, Tensor],
    side: Sequence[bytes | None],
    height: int,
    width: int,
    *,
    what: str = "the photo",
    promise: str = PICTURE,
) -> Image:
    """Decode received symbols.

    Raises
    ------
    CheckFailed
        The codec raised an exception (which breaks ``promise``), or returned no image of that size.
    """
    asked = (
        f"decode {what}, {width}x{height}, from {len(received[0]):,} symbols and packets of "
        f"{lengths(side) or 'no'} bytes"
    )
    shown = ask(codec.decode, *received, side, height, width, asked=asked, promise=promise)
    check_image(shown, height, width, asked=asked, promise=PICTURE)
    return shown


def send(
    codec: AnalogCodec,
    image: Image,
    num_symbols: int,
    *,
    snr_db: float = 10.0,
    real_snr_db: float | None = None,
    w: Map | None = None,
    what: str = "the photo",
    promise: str = PICTURE,
) -> tuple[AnalogSignal, Image]:
    """Encode ``image`` for an SNR, send it at that or another SNR, and decode the result."""
    signal = encode(codec, image, num_symbols, snr_db=snr_db, w=w, what=what, promise=promise)
    received = air(signal.symbols, snr_db if real_snr_db is None else real_snr_db)
    shown = decode(codec, received, data_of(signal), *image.shape[:2], what=what, promise=promise)
    return signal, shown


def data_of(signal: AnalogSignal) -> list[bytes]:
    """Return the bytes of the side information."""
    return [packet.data for packet in signal.side]


def same(first: AnalogSignal, again: AnalogSignal) -> bool:
    """Tell whether two signals are equal, bit for bit."""
    alike = torch.equal(first.symbols, again.symbols)
    return alike and data_of(first) == data_of(again)
