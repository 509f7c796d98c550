"""Checks of a channel's input and output, independent of its statistics."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import Channel
from channels.conformance import promises
from channels.conformance.base import Candidate, CheckFailed, told
from channels.conformance.trial import (
    NUM_ROWS,
    NUM_SYMBOLS,
    SIGMAS,
    asked_for,
    correlation,
    rng,
    send,
    symbols,
)

_SHAPES = ((1,), (NUM_SYMBOLS,), (3, NUM_SYMBOLS), (2, 3, NUM_SYMBOLS))
_BAD_SYMBOLS = {
    "real symbols": torch.ones(4),
    "no symbols": torch.ones(2, 0, dtype=torch.complex64),
    "a number for symbols": torch.tensor(1.0 + 0j),
    "symbols with NaN": torch.full((4,), complex(math.nan, 0)),
    "infinite symbols": torch.full((4,), complex(0, math.inf)),
}
_BAD_NOISE = (-0.1, math.nan, math.inf, torch.ones(5, 1), torch.ones(2, 2, 1))


def check_shapes(candidate: Candidate) -> str:
    """Send symbols of several shapes, in single and double precision."""
    channel = candidate.channel()
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for shape in _SHAPES:
        for dtype in (torch.complex64, torch.complex128):
            for device in devices:
                _check_output(channel, symbols(*shape, dtype=dtype).to(device))
    return ""


def _check_output(channel: Channel, x: Tensor) -> None:
    y, h, noise_var = send(channel, x, 0.1)
    asked, got = asked_for(x, 0.1), ""
    if {y.device.type, h.device.type, noise_var.device.type} != {x.device.type}:
        got = f"y, h and noise_var on {y.device}, {h.device} and {noise_var.device}"
    elif not (bool(y.isfinite().all()) and bool(h.isfinite().all())):
        got = "y or h that is not finite"
    elif noise_var.is_complex() or not bool((noise_var >= 0).all()):
        got = f"noise_var of {noise_var.dtype}, or below 0"
    else:
        try:
            noise_var.expand(x.shape)
        except RuntimeError:
            got = f"noise_var of shape {tuple(noise_var.shape)}, which does not broadcast to it"
    if got:
        raise CheckFailed(asked, got, promises.SHAPES)


def check_gradient(candidate: Candidate) -> str:
    """Compare the gradient along one direction with a difference quotient."""
    channel = candidate.channel()
    x = symbols(2, NUM_SYMBOLS, dtype=torch.complex128).requires_grad_()
    asked = "pass a gradient back to the symbols"
    total = send(channel, x, 0.1, promise=promises.GRADIENT).y.real.sum()
    slopes = torch.autograd.grad(total, x, allow_unused=True)[0] if total.requires_grad else None
    if slopes is None or not bool(slopes.abs().sum() > 0):
        raise CheckFailed(asked, "none", promises.GRADIENT)
    step = 1e-5 * torch.randn(x.shape, dtype=x.dtype, generator=rng(5))
    up, down = (send(channel, x.detach() + move, 0.1).y.real.sum() for move in (step, -step))
    slope, quotient = float((slopes.conj() * step).real.sum()), float((up - down) / 2)
    if not math.isclose(slope, quotient, rel_tol=1e-4, abs_tol=1e-9):
        got = f"a slope of {slope:.6g}, while the difference quotient is {quotient:.6g}"
        raise CheckFailed(asked, got, promises.GRADIENT)
    return ""


def check_batch(candidate: Candidate) -> str:
    """Send 2,000 transmissions, which must have independent gains and noise."""
    channel = candidate.channel()
    x = torch.ones(NUM_ROWS, 2, dtype=torch.complex64)
    for noise_var, what in ((0.0, "gain"), (1.0, "noise")):
        y = send(channel, x, noise_var).y[:, 0]
        related = correlation(y[1:], y[:-1])
        if related > SIGMAS / math.sqrt(NUM_ROWS):
            asked = f"send {NUM_ROWS:,} transmissions with independent {what}"
            got = f"a correlation of {related:.2f} between neighbours"
            raise CheckFailed(asked, got, promises.BATCH)
    return ""


def check_randomness(candidate: Candidate) -> str:
    """Send the same symbols twice from one seed and once from another."""
    channel, x = candidate.channel(), symbols(2, NUM_SYMBOLS)
    before, state = x.clone(), torch.get_rng_state()
    first, again, other = (send(channel, x, 0.1, seed=seed) for seed in (7, 7, 8))
    got = ""
    if not torch.equal(x, before):
        got = "a change of its input"
    elif not torch.equal(torch.get_rng_state(), state):
        got = "draws from torch's own generator"
    elif not (torch.equal(first.y, again.y) and torch.equal(first.h, again.h)):
        got = "different numbers from the same seed"
    elif torch.equal(first.y, other.y):
        got = "the same numbers from different seeds"
    if got:
        raise CheckFailed(
            "send the same symbols from the same seed and from another", got, promises.RANDOMNESS
        )
    return ""


def check_bad_input(candidate: Candidate) -> str:
    """Send invalid symbols, and noise that is invalid or has a wrong shape."""
    channel = candidate.channel()
    for what, x in _BAD_SYMBOLS.items():
        _check_refused(channel, x, 0.1, f"refuse {what}", "symbols")
    for noise_var in _BAD_NOISE:
        x = symbols(2, NUM_SYMBOLS)
        _check_refused(channel, x, noise_var, f"refuse to {asked_for(x, noise_var)}", "noise_var")
    return ""


def _check_refused(
    channel: Channel, x: Tensor, noise_var: float | Tensor, asked: str, name: str
) -> None:
    """Check that a channel raises a ``ValueError`` of one line that names ``name``."""
    asked = f"{asked} with a ValueError that names {name}"
    try:
        channel(x, noise_var, rng())
    except ValueError as error:
        if name in str(error) and "\n" not in str(error):
            return
        raise CheckFailed(asked, told(error), promises.BAD_INPUT) from error
    except Exception as error:
        raise CheckFailed(asked, told(error), promises.BAD_INPUT) from error
    raise CheckFailed(asked, "an output", promises.BAD_INPUT)
