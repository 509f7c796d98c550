"""Linear detection of several streams at once: zero forcing and LMMSE.

``r = G x + n`` with independent symbols x of power 1 and ``n ~ CN(0, N0 I)``. With
``B = (GᴴG + N0 I)⁻¹`` the LMMSE filter is ``BGᴴ``; zero forcing omits N0 in B. After the filter,
stream k is ``b_k x_k`` plus noise with ``b_k = (BGᴴG)_kk``, and its SINR is

    SINR_k = g_k / N0,   g_k = b_k / B_kk

(for LMMSE ``g_k = 1/B_kk - N0``). Without noise both are the inverse of G.

The noise after the filter is exactly Gaussian only for zero forcing; LMMSE leaves interference,
which counts as noise. The noise of the streams is correlated, which linear detection ignores.

Reference: D. Tse, P. Viswanath, Fundamentals of Wireless Communication, section 8.3.
"""

from __future__ import annotations

import torch
from torch import Tensor


def linear_filter(h: Tensor, noise_var: float | Tensor) -> tuple[Tensor, Tensor]:
    """Compute the filter that separates the streams and leaves noise of variance N0 on each.

    Parameters
    ----------
    h
        Matrices G, complex (..., num_rx, num_tx), of rank num_tx ≤ num_rx.
    noise_var
        N0 of the LMMSE filter, at least 0, broadcastable to (...); 0 gives zero forcing.

    Returns
    -------
    tuple
        ``F``, complex (..., num_tx, num_rx), and the gains g, real (..., num_tx), such that
        ``(F r)_k = √g_k·x_k`` plus noise and interference, of variance N0 in total. Computed in
        double precision, since B squares the condition number of G; dtype and device as ``h``.

    Raises
    ------
    torch.linalg.LinAlgError
        Zero forcing of a rank-deficient matrix.
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
