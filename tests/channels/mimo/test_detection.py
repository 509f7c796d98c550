"""Linear MIMO detection against textbook expressions, simulation and Sionna."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from channels.mimo.detection import linear_filter

Detect = Callable[..., tuple[torch.Tensor, torch.Tensor]]
SIZES = [(1, 1), (1, 3), (2, 2), (2, 4), (4, 4), (3, 8)]
NUM = 40_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.complex128) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=rng(seed))


def lmmse_detect(
    y: torch.Tensor, h: torch.Tensor, noise_var: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return symbols without bias, and the variance of their error."""
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype)
    return detect_with(y, h, noise, noise)


def zf_detect(
    y: torch.Tensor, h: torch.Tensor, noise_var: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.as_tensor(noise_var, dtype=y.real.dtype)
    return detect_with(y, h, noise, torch.zeros_like(noise))


def detect_with(
    y: torch.Tensor, h: torch.Tensor, noise: torch.Tensor, regular: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    filters, gains = linear_filter(h, regular)
    return (filters @ y[..., None]).squeeze(-1) / gains.sqrt(), noise[..., None] / gains


@pytest.mark.parametrize(("num_tx", "num_rx"), SIZES)
@pytest.mark.parametrize("noise_var", [0.01, 1.0, 30.0])
def test_variance_is_that_of_the_best_combiner(num_tx: int, num_rx: int, noise_var: float) -> None:
    """SINR_k = g_kᴴ (Σ_{j≠k} g_j g_jᴴ + N0 I)⁻¹ g_k, worked out stream by stream."""
    h = normal(num_rx, num_tx, seed=num_rx)
    _, reported = lmmse_detect(normal(num_rx), h, noise_var)
    matrix = h.numpy()
    for k in range(num_tx):
        others = np.delete(matrix, k, axis=1)
        covariance = others @ others.conj().T + noise_var * np.eye(num_rx)
        wanted = matrix[:, k]
        sinr = (wanted.conj() @ np.linalg.solve(covariance, wanted)).real
        assert 1 / float(reported[k]) == pytest.approx(sinr, rel=1e-9)


@pytest.mark.parametrize("detect", [lmmse_detect, zf_detect])
@pytest.mark.parametrize(("num_tx", "num_rx"), [(1, 2), (2, 2), (4, 4), (3, 5)])
def test_error_has_no_bias_and_the_variance_that_is_reported(
    detect: Detect, num_tx: int, num_rx: int
) -> None:
    """For one matrix and many symbols and noises."""
    noise_var, h = 0.3, normal(num_rx, num_tx, seed=7)
    x = normal(NUM, num_tx, seed=1)
    y = x @ h.mT + noise_var**0.5 * normal(NUM, num_rx, seed=2)
    detected, reported = detect(y, h.expand(NUM, *h.shape), noise_var)
    assert detected.shape == reported.shape == x.shape
    error = detected - x
    ratio = error.abs().square() / reported
    bound = 4 * ratio.std(dim=0) / NUM**0.5
    assert bool(((ratio.mean(dim=0) - 1).abs() < bound).all())
    # Unbiased: an error correlated with the symbol itself would shrink it.
    product = (error * x.conj()).real
    assert bool((product.mean(dim=0).abs() < 4 * product.std(dim=0) / NUM**0.5).all())


@pytest.mark.parametrize(("num_tx", "num_rx"), SIZES)
def test_lmmse_is_never_worse_than_zero_forcing(num_tx: int, num_rx: int) -> None:
    h, y = normal(500, num_rx, num_tx), normal(500, num_rx, seed=1)
    for noise_var in (1e-3, 0.3, 10.0):
        lmmse, zf = (detect(y, h, noise_var)[1] for detect in (lmmse_detect, zf_detect))
        assert bool((lmmse <= zf * (1 + 1e-9)).all())
        if num_tx > 1:
            assert bool((lmmse < zf).all())
    assert torch.allclose(lmmse_detect(y, h, 1e-12)[0], zf_detect(y, h, 1e-12)[0])


@pytest.mark.parametrize("detect", [lmmse_detect, zf_detect])
def test_orthogonal_streams_are_received_as_if_alone(detect: Detect) -> None:
    unitary = torch.linalg.qr(normal(4, 4))[0]
    powers = torch.tensor([0.5, 1.0, 2.0, 5.0], dtype=torch.float64)
    x = normal(4, seed=3)
    h = unitary * powers.sqrt()
    detected, reported = detect(h @ x, h, 0.2)
    torch.testing.assert_close(detected, x)
    torch.testing.assert_close(reported, 0.2 / powers)


@pytest.mark.parametrize("noise_var", [0.0, 0.5])
def test_filter_leaves_the_noise_that_it_was_given(noise_var: float) -> None:
    """Rows of F have ``|f|²·N0 + interference = N0`` and pass their own stream with ``√g``."""
    h = normal(100, 5, 3)
    filters, gains = linear_filter(h, noise_var)
    passed = filters @ h
    torch.testing.assert_close(
        passed.diagonal(dim1=-2, dim2=-1), gains.sqrt().to(torch.complex128), atol=1e-12, rtol=0
    )
    interference = passed.abs().square().sum(dim=-1) - gains
    noise = noise_var * filters.abs().square().sum(dim=-1)
    expected = torch.full_like(noise, noise_var)
    torch.testing.assert_close(noise + interference, expected, atol=1e-9, rtol=0)


def test_noise_may_differ_from_matrix_to_matrix() -> None:
    h, y = normal(3, 4, 2), normal(3, 4, seed=1)
    noise_var = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    together = lmmse_detect(y, h, noise_var)
    for row in range(3):
        alone = lmmse_detect(y[row], h[row], float(noise_var[row]))
        for ours, theirs in zip(together, alone, strict=True):
            torch.testing.assert_close(ours[row], theirs)


def test_single_precision_survives_an_ill_conditioned_matrix() -> None:
    """Condition 1e4: its square is beyond single precision, but not beyond double."""
    h = torch.tensor([[1, 1], [1, 1 + 2e-4]], dtype=torch.complex64)
    x = torch.tensor([1, -1], dtype=torch.complex64)
    detected, _ = zf_detect(h @ x, h, 0.0)
    assert float((detected - x).abs().max()) < 0.01


def test_gradient() -> None:
    h, y = normal(2, 3, 2).requires_grad_(), normal(2, 3, seed=1).requires_grad_()
    noise_var = torch.tensor([0.3, 0.8], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *args: lmmse_detect(*args), (y, h, noise_var))


def test_zero_forcing_refuses_what_has_no_inverse() -> None:
    h = torch.ones(2, 2, dtype=torch.complex64)
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        zf_detect(h[0], h, 0.1)
    assert bool(lmmse_detect(h[0], h, 0.1)[0].isfinite().all())


@pytest.mark.parametrize(("num_tx", "num_rx"), [(2, 2), (4, 4), (2, 5)])
@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 25.0])
def test_equals_sionna(num_tx: int, num_rx: int, snr_db: float) -> None:
    equalization = pytest.importorskip("sionna.phy.mimo.equalization", exc_type=ImportError)
    noise_var = 10 ** (-snr_db / 10)
    h, y = normal(200, num_rx, num_tx), normal(200, num_rx, seed=1)
    covariance = noise_var * torch.eye(num_rx, dtype=torch.complex128).expand(200, -1, -1)
    for detect, name in ((lmmse_detect, "lmmse_equalizer"), (zf_detect, "zf_equalizer")):
        theirs = getattr(equalization, name)(y, h, covariance, precision="double")
        for ours, expected in zip(detect(y, h, noise_var), theirs, strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-9)
