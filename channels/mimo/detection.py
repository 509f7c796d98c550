"""Linear detection of several streams at once: zero forcing and LMMSE.

``r = G x + n`` with independent symbols x of power 1 and ``n ~ CN(0, N0 I)``. With
``B = (GᴴG + N0 I)⁻¹`` the LMMSE filter is ``BGᴴ``; zero forcing is the same with N0 left out of B.
Stream k then holds ``b_k x_k`` and noise, ``b_k = (BGᴴG)_kk``, and its SINR behind the filter is

    SINR_k = g_k / N0,   g_k = b_k / B_kk

(for LMMSE ``g_k = 1/B_kk - N0``). Without noise both are the inverse of G.

The noise behind the filter is exactly Gaussian for zero forcing only; LMMSE leaves interference,
which counts as noise. The noise of the streams is correlated, which linear detection gives away.

Reference: D. Tse, P. Viswanath, Fundamentals of Wireless Communication, section 8.3.
"""

from __future__ import annotations

import torch
from torch import Tensor


def linear_filter(h: Tensor, noise_var: float | Tensor) -> tuple[Tensor, Tensor]:
    """Filter that takes the streams apart, scaled to leave noise of variance N0 on each.

    Parameters
    ----------
    h
        Matrices G, complex (..., num_rx, num_tx), of rank num_tx ≤ num_rx.
    noise_var
        N0 of the LMMSE filter, at least 0, broadcastable to (...); 0: zero forcing.

    Returns
    -------
    tuple
        ``F``, complex (..., num_tx, num_rx), and the gains g, real (..., num_tx), such that
        ``(F r)_k = √g_k·x_k`` and noise with interference, N0 in total. Worked out in double
        precision, since B squares the condition of G; type and device as ``h``.

    Raises
    ------
    torch.linalg.LinAlgError
        Zero forcing of a matrix of lower rank.
    """
    wide = h.to(torch.complex128)
    conjugate = wide.mH
    gram = conjugate @ wide
    noise = torch.as_tensor(noise_var, dtype=torch.float64, device=h.device)
    eye = torch.eye(h.shape[-1], dtype=torch.float64, device=h.device)
    inverse = torch.linalg.inv(gram + noise[..., None, None] * eye)
    diagonal = inverse.diagonal(dim1=-2, dim2=-1).real
    bias = (inverse * gram.mT).sum(dim=-1).real
    scale = (bias * diagonal).rsqrt()
    return (scale[..., None] * (inverse @ conjugate)).to(h.dtype), (bias / diagonal).to(
        h.real.dtype
    )


def _detect(y: Tensor, h: Tensor, noise: Tensor, regular: Tensor) -> tuple[Tensor, Tensor]:
    filters, gains = linear_filter(h, regular)
    detected = (filters @ y[..., None]).squeeze(-1) / gains.sqrt()
    return detected, noise[..., None] / gains


def lmmse_detect(y: Tensor, h: Tensor, noise_var: float | Tensor) -> tuple[Tensor, Tensor]:
    """Detect the streams by the linear filter of highest SINR, without bias.

    Parameters
    ----------
    y
        Received samples, complex (..., num_rx).
    h
        Channel matrices, complex (..., num_rx, num_tx), num_tx ≤ num_rx.
    noise_var
        Total variance N0 of the complex noise per receive antenna, real, broadcastable to (...).

    Returns
    -------
    tuple
        ``x̂ = x + e``, complex (..., num_tx), for symbols of power 1, and the variance of e, noise
        and interference, real (..., num_tx): what :func:`channels.modulation.demodulate`
        takes with ``h = 1``.

    Examples
    --------
    >>> y = torch.tensor([3 + 0j, 0])
    >>> lmmse_detect(y, 2 * torch.eye(2, dtype=torch.complex64), 1.0)
    (tensor([1.5000+0.j, 0.0000+0.j]), tensor([0.2500, 0.2500]))
    """
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype, device=y.device)
    return _detect(y, h, noise, noise)


def zf_detect(y: Tensor, h: Tensor, noise_var: float | Tensor) -> tuple[Tensor, Tensor]:
    """Detect the streams by the inverse of the channel, which leaves no interference.

    Parameters and returns as for :func:`lmmse_detect`; ``h`` must have rank num_tx.
    """
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype, device=y.device)
    return _detect(y, h, noise, torch.zeros_like(noise))
