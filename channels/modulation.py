"""Gray-mapped BPSK, QPSK and 16/64/256-QAM with soft demapping.

The mappings are those of 3GPP TS 38.211 section 5.1, with unit mean power. Even bits select the
in-phase amplitude and odd bits the quadrature amplitude, each from a Gray-mapped PAM
``(1-2b0)·[8 - (1-2b2)·[4 - (1-2b4)·[2 - (1-2b6)]]]`` (256-QAM; fewer bits drop outer brackets).
BPSK lies on the diagonal, as in the standard: ``(1-2b)·(1+j)/√2``.

LLR = log p(b=1)/p(b=0): positive means 1. The demapper assumes equally likely bits and exact
knowledge of the gain and N0. The two axes decouple: with ``u = conj(h)·y`` and ``g = |h|²``,
amplitude ``a`` has the log-likelihood ``(2·Re(u)·a - g·a²)/N0``. Nothing is divided by g, so that a
completely faded symbol gives LLR 0 and not NaN.
"""

from __future__ import annotations

import functools
import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.errors import InputError
from channels.kernels.mapping import demap, map_bits
from channels.units import check_bits_per_symbol

# Below this N0 the LLRs are held constant; without a floor they would overflow.
_MIN_NOISE_VAR = 1e-20
# Below this power gain nothing is received; the floor avoids 0/0 in finding the nearest level.
_MIN_GAIN = 1e-30


def pam_scale(bits_per_symbol: int) -> float:
    """Return half the distance between neighbouring amplitudes at unit mean symbol power."""
    if bits_per_symbol == 1:
        return math.sqrt(0.5)
    return math.sqrt(1.5 / (2**bits_per_symbol - 1))


def _pam(bits: Tensor) -> Tensor:
    """Map bits (..., k, 2) float to odd amplitudes (..., 2): the bracketed formula above."""
    signs = 1 - 2 * bits
    amplitude = signs[..., -1, :]
    for depth in range(1, signs.shape[-2]):
        amplitude = signs[..., -1 - depth, :] * (2**depth - amplitude)
    return amplitude


def modulate(bits: Tensor, bits_per_symbol: int) -> Tensor:
    """Map bits to symbols of unit mean power.

    Parameters
    ----------
    bits
        uint8 (..., n) of 0 and 1; n is a multiple of ``bits_per_symbol``.
    bits_per_symbol
        One of 1, 2, 4, 6, 8.

    Returns
    -------
    Tensor
        complex64 (..., n / bits_per_symbol), on the device of ``bits``.

    Raises
    ------
    ValueError
        Another dtype, values other than 0 and 1, or a length that is no multiple of
        ``bits_per_symbol``.

    Examples
    --------
    >>> bits = torch.tensor([0, 0, 1, 1], dtype=torch.uint8)
    >>> x = modulate(bits, 2)  # QPSK: (1 + j)/√2 and its opposite
    >>> bool(x[0] == -x[1]), round(float(x.abs().square().mean()), 3)
    (True, 1.0)
    """
    check_bits_per_symbol(bits_per_symbol)
    if bits.dtype != torch.uint8:
        raise InputError(f"bits must be uint8, got {bits.dtype}")
    if bits.ndim == 0 or bits.shape[-1] % bits_per_symbol:
        raise InputError(
            f"bits of shape {tuple(bits.shape)} do not fill symbols of {bits_per_symbol} bits"
        )
    if bits.numel() and int(bits.max()) > 1:
        raise InputError(f"bits must be 0 or 1, got {int(bits.max())}")
    if bits.device.type == "cpu":
        table = _table(bits_per_symbol)
        flat = bits.contiguous().view(-1).numpy()
        symbols = torch.from_numpy(map_bits(flat, bits_per_symbol, table))
        return symbols.view(*bits.shape[:-1], bits.shape[-1] // bits_per_symbol)
    return _modulate(bits, bits_per_symbol)


def _modulate(bits: Tensor, bits_per_symbol: int) -> Tensor:
    """Map bits by the standard's formula, on any device."""
    values = bits.float()
    if bits_per_symbol == 1:
        axes = values.unsqueeze(-1).expand(*values.shape, 2).unsqueeze(-2)
    else:
        axes = values.reshape(*bits.shape[:-1], bits.shape[-1] // bits_per_symbol, -1, 2)
    return torch.view_as_complex((_pam(axes) * pam_scale(bits_per_symbol)).contiguous())


def constellation(bits_per_symbol: int) -> Tensor:
    """Return all symbols, complex64 (2**bits_per_symbol,); the index's top bit is b0.

    Examples
    --------
    >>> points = constellation(4)  # 16-QAM
    >>> points.shape, round(float(points.abs().square().mean()), 3)
    (torch.Size([16]), 1.0)
    """
    check_bits_per_symbol(bits_per_symbol)
    index = torch.arange(2**bits_per_symbol).unsqueeze(-1)
    shifts = torch.arange(bits_per_symbol - 1, -1, -1)
    return _modulate(((index >> shifts) & 1).to(torch.uint8).flatten(), bits_per_symbol)


@functools.cache
def _table(bits_per_symbol: int) -> NDArray[np.complex64]:
    return constellation(bits_per_symbol).numpy()


def demodulate(
    y: Tensor,
    h: Tensor,
    noise_var: float | Tensor,
    bits_per_symbol: int,
    method: Literal["maxlog", "exact"] = "maxlog",
) -> Tensor:
    """Compute the LLRs of bits from received symbols.

    Parameters
    ----------
    y
        Received symbols, complex (..., num_symbols).
    h
        Gains, complex, broadcastable to ``y``.
    noise_var
        Total variance N0 of the complex noise, at least 0, broadcastable to ``y``.
    bits_per_symbol
        One of 1, 2, 4, 6, 8.
    method
        ``"maxlog"`` considers the nearest symbol for either bit value, ``"exact"`` all symbols.

    Returns
    -------
    Tensor
        LLRs log p(b=1)/p(b=0), float32 (..., num_symbols · bits_per_symbol), finite for
        finite arguments below 1e15, also at ``noise_var=0``.

    Raises
    ------
    ValueError
        An unknown ``bits_per_symbol`` or ``method``, or real ``y``.

    Examples
    --------
    >>> bits = torch.tensor([0, 1, 1, 0], dtype=torch.uint8)
    >>> x = modulate(bits, 4)
    >>> llr = demodulate(x, torch.ones_like(x), 0.1, 4)
    >>> (llr > 0).tolist()  # a positive LLR means 1
    [False, True, True, False]
    """
    check_bits_per_symbol(bits_per_symbol)
    if method not in ("maxlog", "exact"):
        raise InputError(f"method must be one of maxlog, exact, got {method!r}")
    if not torch.is_complex(y):
        raise InputError(f"received symbols must be complex, got dtype {y.dtype}")
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype, device=y.device)
    if method == "maxlog" and bits_per_symbol > 1 and y.numel() and _is_plain(y, h, noise):
        return _demodulate_on_cpu(y, h, noise, bits_per_symbol)
    inverse = 1 / noise.clamp_min(_MIN_NOISE_VAR).unsqueeze(-1)
    scale = pam_scale(bits_per_symbol)
    matched = torch.view_as_real(h.conj() * y) * scale
    gain = (h.real.square() + h.imag.square()).unsqueeze(-1) * scale**2
    if bits_per_symbol == 1:
        # Both axes carry the same bit. The LLR is linear, so that both methods agree.
        return (-4 * matched.sum(dim=-1) * inverse.squeeze(-1)).float()
    axis = _maxlog if method == "maxlog" else _exact
    llrs = axis(matched, gain, inverse, bits_per_symbol // 2)
    return llrs.flatten(-3).float()


def _is_plain(*tensors: Tensor) -> bool:
    """Tell whether all tensors are single precision, on the CPU and without gradients."""
    traced = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    single = all(tensor.dtype in (torch.complex64, torch.float32) for tensor in tensors)
    return single and not traced and all(tensor.device.type == "cpu" for tensor in tensors)


def _demodulate_on_cpu(y: Tensor, h: Tensor, noise: Tensor, bits_per_symbol: int) -> Tensor:
    """Compute max-log LLRs with :mod:`channels.kernels.mapping`."""
    h, noise = (
        # A single number for all symbols stays a single number.
        tensor.reshape(-1)[:1]
        if tensor.numel() == 1 or not any(tensor.stride())
        else tensor.expand(y.shape).reshape(-1).contiguous()
        for tensor in (h.detach().resolve_conj(), noise.detach())
    )
    llr = demap(
        torch.view_as_real(y.detach().resolve_conj().reshape(-1).contiguous()).view(-1).numpy(),
        torch.view_as_real(h).view(-1).numpy(),
        noise.contiguous().numpy(),
        bits_per_symbol // 2,
        pam_scale(bits_per_symbol),
        _MIN_NOISE_VAR,
        _MIN_GAIN,
    )
    return torch.from_numpy(llr).view(*y.shape[:-1], y.shape[-1] * bits_per_symbol)


def _maxlog(matched: Tensor, gain: Tensor, inverse: Tensor, num_bits: int) -> Tensor:
    """Compute max-log LLRs (..., n, num_bits, 2) of Gray PAM with odd levels, without a search.

    ``t = |matched|/gain`` estimates the amplitude. The nearest level of the opposite sign is -1,
    the nearest of the same sign is ``t`` rounded to the odd number q, and
    ``(t+1)² - (t-q)² = (1+q)(2t+1-q)``. The other bits have the same sets of levels on both sides
    of 0, so that their nearest levels share the sign of ``matched``. Folding at 0 therefore loses
    nothing and leaves a PAM of half the size around ``±2^(num_bits-1)``.
    """
    safe = gain.clamp_min(_MIN_GAIN)
    llrs = []
    centred = matched
    for depth in range(num_bits):
        levels = 2 ** (num_bits - depth)
        magnitude = centred.abs()
        q = ((magnitude / (2 * safe)).floor() * 2 + 1).clamp(1, levels - 1)
        distance = (1 + q) * (2 * magnitude + gain * (1 - q)) * inverse
        llrs.append(torch.copysign(distance, -centred))
        centred = gain * (levels // 2) - magnitude
    return torch.stack(llrs, dim=-2)


def _exact(matched: Tensor, gain: Tensor, inverse: Tensor, num_bits: int) -> Tensor:
    """Compute exact LLRs (..., n, num_bits, 2) of Gray PAM with odd levels, by log-sum-exp."""
    index = torch.arange(2**num_bits, device=matched.device)
    shifts = torch.arange(num_bits - 1, -1, -1, device=matched.device)
    bits = (index.unsqueeze(-1) >> shifts) & 1
    # Levels are the first axis, so that every subset below copies whole rows.
    levels = _pam(bits.to(matched.dtype).unsqueeze(-1)).reshape(-1, *[1] * matched.ndim)
    metric = (2 * matched * levels - gain * levels.square()) * inverse
    llrs = [
        metric[bits[:, bit] == 1].logsumexp(0) - metric[bits[:, bit] == 0].logsumexp(0)
        for bit in range(num_bits)
    ]
    return torch.stack(llrs, dim=-2)
