"""Checks of a channel's statistics: its gain, its noise, and what it reports about them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import Channel, Costed, KnownLaw
from channels.conformance import promises
from channels.conformance.base import Candidate, CheckFailed, told
from channels.conformance.trial import (
    NUM_ROWS,
    NUM_SYMBOLS,
    SIGMAS,
    are_related,
    off_by,
    power,
    send,
    symbols,
)

_MOST_SYMBOLS = 3_000
_NO_PROBABILITIES = (0.0, 1.0, -0.1, 1.5, math.nan)
_NOT_ASKED = "not applicable to a channel with its attributes"


def _is_linear(channel: Channel) -> bool:
    return bool(getattr(channel, "linear", True))


def check_power(candidate: Candidate) -> str:
    """Average the power of the gain over 2,000 transmissions."""
    channel = candidate.channel()
    if not _is_linear(channel) or hasattr(channel, "num_streams"):
        return _NOT_ASKED
    y = send(channel, torch.ones(NUM_ROWS, 2, dtype=torch.complex64), 0.0).y
    mean, error, off = off_by(power(y[:, 0]), 1.0)
    if off:
        asked = f"have a gain of mean power 1 over {NUM_ROWS:,} transmissions"
        raise CheckFailed(asked, f"{mean:.4g} ± {error:.2g}", promises.POWER)
    return ""


def check_noise(candidate: Candidate) -> str:
    """Compare the variance of ``y - h·x`` with the reported noise variance."""
    channel = candidate.channel()
    if not _is_linear(channel):
        return _NOT_ASKED
    mismatched = getattr(channel, "mismatched", False)
    for noise_var in (1e-3,) if mismatched else (0.01, 1.0):
        x = symbols(NUM_ROWS, NUM_SYMBOLS)
        y, h, reported = send(channel, x, noise_var)
        asked = f"report a noise variance of {noise_var:g}"
        if not mismatched:
            _check_reported(channel, reported.double(), noise_var, asked)
        # Average per transmission first: errors of an estimate are equal for adjacent symbols.
        ratio = (power(y - h * x) / reported).mean(dim=-1)
        mean, error, off = off_by(ratio, 1.0)
        got = f"{mean:.4g} ± {error:.2g} times the reported variance"
        if mismatched and mean < 1 + SIGMAS * error:
            asked = "have more noise than it reports, since mismatched is True"
            raise CheckFailed(asked, got, promises.POWER)
        if off and not mismatched:
            raise CheckFailed(asked, got, promises.POWER)
    return ""


def _check_reported(channel: Channel, reported: Tensor, noise_var: float, asked: str) -> None:
    """Check that the reported variance is at least that requested, or equal to it on average."""
    if not getattr(channel, "noise_varies", False):
        if bool((reported < noise_var * (1 - 1e-6)).any()):
            raise CheckFailed(asked, f"{float(reported.min()):.4g}", promises.POWER)
        return
    mean, error, off = off_by(reported.mean(dim=-1), noise_var)
    if off:
        got = f"{mean:.4g} ± {error:.2g} in the mean"
        raise CheckFailed(asked, got, promises.POWER)


def check_noise_per_transmission(candidate: Candidate) -> str:
    """Send transmissions of different noise together, and each on its own."""
    channel = candidate.channel()
    x = symbols(3, NUM_SYMBOLS)
    noise_var = torch.tensor([[0.0], [0.1], [10.0]])
    together = send(channel, x, noise_var, promise=promises.POWER)
    for row in range(3):
        alone = send(channel, x, float(noise_var[row]))
        same = torch.allclose(together.y[row], alone.y[row], rtol=1e-4, atol=1e-5) and (
            torch.allclose(together.h[row], alone.h[row], rtol=1e-4, atol=1e-5)
        )
        if not same:
            asked = f"treat a transmission of noise {float(noise_var[row]):g} among others as alone"
            raise CheckFailed(asked, "different numbers from the same seed", promises.POWER)
    return ""


def check_gain(candidate: Candidate) -> str:
    """Compare ``y`` with ``h·x`` where there is no noise."""
    channel = candidate.channel()
    unknown = any(getattr(channel, name, False) for name in ("estimated", "mismatched"))
    if not _is_linear(channel) or unknown:
        return _NOT_ASKED
    x = symbols(20, NUM_SYMBOLS, dtype=torch.complex128)
    y, h, noise_var = send(channel, x, 0.0)
    # After a detector there are rounding errors, magnified by ill-conditioned matrices.
    tolerance = 1e-9 if hasattr(channel, "num_streams") else 1e-12
    if not torch.allclose(y, h * x, rtol=tolerance, atol=tolerance):
        largest = float((y - h * x).abs().max())
        raise CheckFailed("give y = h·x without noise", f"up to {largest:.2g} more", promises.ALONE)
    if bool(noise_var.any()):
        got = f"{float(noise_var.max()):.2g}"
        raise CheckFailed("report no noise where there is none", got, promises.ALONE)
    return ""


def check_coherence(candidate: Candidate) -> str:
    """Observe how the gain varies in 2,000 transmissions."""
    channel = candidate.channel()
    asked = f"vary its gain as coherence {channel.coherence!r} says"
    h = send(channel, symbols(NUM_ROWS, NUM_SYMBOLS), 0.0).h
    got = ""
    if channel.coherence == "none" and bool((h != h[0, 0]).any()):
        got = "several gains"
    # A receiver that is told the mean gain alone sees no change.
    mean_alone = bool(getattr(channel, "estimated", False)) and bool((h == h[0, 0]).all())
    if channel.coherence == "fast" and mean_alone:
        return ""
    if channel.coherence == "fast" and are_related(h[:, 1:], h[:, :-1]):
        got = "correlated gains of neighbouring symbols"
    if channel.coherence == "block":
        got = _wrong_blocks(channel, h)
    if channel.coherence in ("block", "fast") and bool((h[:, 0] == h[0, 0]).all()):
        got = f"the same gain in all of {NUM_ROWS:,} transmissions"
    if got:
        raise CheckFailed(asked, got, promises.COHERENCE)
    return ""


def _wrong_blocks(channel: Channel, h: Tensor) -> str:
    """Describe what is wrong with the blocks of a gain."""
    length = getattr(channel, "block_length", None)
    if not isinstance(length, int) or length < 0:
        return f"{length!r} as block_length"
    length = length or h.shape[-1]
    blocks = torch.split(h, length, dim=-1)
    if any(bool((block != block[:, :1]).any()) for block in blocks):
        return f"several gains within {length} symbols"
    heads = torch.stack([block[:, 0] for block in blocks], dim=-1)
    if heads.shape[-1] > 1 and are_related(heads[:, 1:], heads[:, :-1]):
        return "correlated gains of neighbouring blocks"
    return ""


def check_quantile(candidate: Candidate) -> str:
    """Compare quantiles of the power gain with 20,000 transmissions."""
    channel = candidate.channel()
    if not isinstance(channel, KnownLaw):
        return "no closed form"
    law: KnownLaw = channel
    gain = power(send(channel, symbols(20_000, 2), 0.1, seed=1).h[:, 0])
    previous = 0.0
    for p in (0.01, 0.1, 0.5, 0.9, 0.99):
        quantile = law.gain_quantile(p)
        below, up_to = (
            float((gain < quantile * (1 - 1e-5)).double().mean()),
            float((gain <= quantile * (1 + 1e-5)).double().mean()),
        )
        error = SIGMAS * math.sqrt(p * (1 - p) / gain.numel())
        if not (previous <= quantile and below - error < p < up_to + error):
            asked = f"return the quantile of |h|² at {p}"
            raise CheckFailed(asked, f"{quantile:.4g}, the one at {up_to:.4g}", promises.QUANTILE)
        previous = quantile
    for p in _NO_PROBABILITIES:
        try:
            got = f"{law.gain_quantile(p)}"
        except ValueError:
            continue
        except Exception as error:
            got = told(error)
        asked = f"refuse the probability {p} with a ValueError"
        raise CheckFailed(asked, got, promises.QUANTILE)
    return ""


def check_cost(candidate: Candidate) -> str:
    """Ask for the channel uses of 1 to 3,000 symbols."""
    channel = candidate.channel()
    if not isinstance(channel, Costed):
        return "one channel use per symbol"
    per_use = int(getattr(channel, "num_streams", 1))
    previous = 0
    for count in range(1, _MOST_SYMBOLS + 1):
        uses: object = channel.num_uses(count)
        if not isinstance(uses, int) or uses * per_use < count or uses < previous:
            asked = f"count the uses of {count} symbols, after {previous} uses of {count - 1}"
            raise CheckFailed(asked, f"{uses!r} channel uses", promises.COST)
        previous = uses
    return ""
