"""Mapping against the standard's formulas; LLRs against brute force and against themselves."""

import itertools
import math

import pytest
import torch

from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighFast
from channels.models.rician import RicianFast
from channels.modulation import constellation, demodulate, modulate
from channels.units import BITS_PER_SYMBOL, db_to_linear, noise_var_from_snr_db

METHODS = ("maxlog", "exact")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_bits(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 2, shape, generator=rng(seed), dtype=torch.uint8)


def standard_symbol(b: list[int]) -> complex:
    """TS 38.211 V16.2.0, sections 5.1.2 to 5.1.6, written out."""
    s = [1 - 2 * bit for bit in b]
    if len(s) == 1:
        return (s[0] + 1j * s[0]) / math.sqrt(2)
    if len(s) == 2:
        return (s[0] + 1j * s[1]) / math.sqrt(2)
    if len(s) == 4:
        return (s[0] * (2 - s[2]) + 1j * s[1] * (2 - s[3])) / math.sqrt(10)
    if len(s) == 6:
        return (s[0] * (4 - s[2] * (2 - s[4])) + 1j * s[1] * (4 - s[3] * (2 - s[5]))) / math.sqrt(
            42
        )
    return (
        s[0] * (8 - s[2] * (4 - s[4] * (2 - s[6])))
        + 1j * s[1] * (8 - s[3] * (4 - s[5] * (2 - s[7])))
    ) / math.sqrt(170)


def labels(bits_per_symbol: int) -> torch.Tensor:
    """Bits of every constellation point, (2**b, b), b0 first."""
    index = torch.arange(2**bits_per_symbol)
    return torch.stack([(index >> k) & 1 for k in reversed(range(bits_per_symbol))], dim=-1)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_mapping_is_the_standards(bits_per_symbol: int) -> None:
    expected = [standard_symbol(b.tolist()) for b in labels(bits_per_symbol)]
    points = constellation(bits_per_symbol)
    assert points.dtype == torch.complex64
    torch.testing.assert_close(points, torch.tensor(expected, dtype=torch.complex64))
    assert float(points.abs().square().double().mean()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_neighbours_differ_in_one_bit(bits_per_symbol: int) -> None:
    points, bits = constellation(bits_per_symbol), labels(bits_per_symbol)
    distance = (points[:, None] - points).abs() + 10 * torch.eye(len(points))
    for i, j in (distance < distance.min() * 1.01).nonzero().tolist():
        assert int((bits[i] != bits[j]).sum()) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_hard_decisions_undo_the_mapping(bits_per_symbol: int, method: str) -> None:
    bits = random_bits(2, 3, 40 * bits_per_symbol)
    x = modulate(bits, bits_per_symbol)
    assert x.shape == (2, 3, 40)
    h = torch.polar(torch.full(x.shape, 0.3), torch.full(x.shape, 2.0))
    llr = demodulate(h * x, h, 1e-4, bits_per_symbol, method)
    assert llr.dtype == torch.float32
    assert torch.equal((llr > 0).to(torch.uint8), bits)


def brute_force(
    y: torch.Tensor, h: torch.Tensor, noise_var: float, bits_per_symbol: int, method: str
) -> torch.Tensor:
    """All symbols, in two dimensions and double precision."""
    points = constellation(bits_per_symbol).to(torch.complex128)
    metric = -(y[:, None] - h[:, None] * points).abs().square() / noise_var
    ones = labels(bits_per_symbol).bool()
    combine = torch.logsumexp if method == "exact" else torch.amax
    columns = [
        combine(metric[:, ones[:, k]], 1) - combine(metric[:, ~ones[:, k]], 1)
        for k in range(bits_per_symbol)
    ]
    return torch.stack(columns, dim=-1).flatten()


@pytest.mark.parametrize("snr_db", [-10.0, 5.0, 15.0, 30.0])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_llrs_against_brute_force(bits_per_symbol: int, method: str, snr_db: float) -> None:
    noise_var = noise_var_from_snr_db(snr_db)
    x = modulate(random_bits(500 * bits_per_symbol), bits_per_symbol).to(torch.complex128)
    y, h, _ = RayleighFast()(x, noise_var, rng(1))
    llr = demodulate(y, h, noise_var, bits_per_symbol, method)
    expected = brute_force(y, h, noise_var, bits_per_symbol, method)
    # constellation() is single precision: its rounding, 1e-7 of a symbol, is divided by N0.
    torch.testing.assert_close(
        llr.double(), expected, rtol=1e-5, atol=1e-5 + 4e-6 / min(noise_var, 1)
    )
    single = demodulate(
        y.to(torch.complex64), h.to(torch.complex64), noise_var, bits_per_symbol, method
    )
    torch.testing.assert_close(single, llr, rtol=1e-4, atol=1e-5 + 1e-5 / min(noise_var, 1))


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_maxlog_comes_near_exact_at_high_snr(bits_per_symbol: int) -> None:
    """Each of the two sums over at most 2^(b/2-1) terms exceeds its maximum by a factor of that."""
    x = modulate(random_bits(4000 * bits_per_symbol), bits_per_symbol)
    limit = max(bits_per_symbol // 2 - 1, 0) * math.log(2) + 1e-3
    relative = []
    for snr_db in (0.0, 40.0):
        output = Awgn()(x, noise_var_from_snr_db(snr_db), rng(1))
        exact = demodulate(*output, bits_per_symbol, "exact")
        difference = (demodulate(*output, bits_per_symbol) - exact).abs()
        assert float((difference - 1e-5 * exact.abs()).max()) <= limit
        relative.append(float(difference.sum() / exact.abs().sum()))
    assert relative[1] <= 2e-3
    assert relative[1] <= relative[0]


def miscalibration(llr: torch.Tensor, sent: torch.Tensor) -> float:
    """Largest excess of ones over Σ p in ten bins of equal size, in standard errors.

    One event is taken off: rare ones in the outer bins are Poisson.
    """
    p = torch.sigmoid(llr.double())
    edges = torch.quantile(p, torch.linspace(0, 1, 11).double())
    edges[0] = -1
    worst = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (p > low) & (p <= high)
        spread = float((p * (1 - p))[inside].sum()) ** 0.5
        excess = abs(float((sent - p)[inside].sum())) - 1
        worst = max(worst, excess / spread if spread else excess)
    return worst


@pytest.mark.parametrize("kind", [Awgn, RayleighFast, RicianFast])
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_exact_llrs_are_calibrated(bits_per_symbol: int, kind: type) -> None:
    """Among bits of equal LLR, a fraction sigmoid(LLR) is 1, and it is seen where it is not."""
    num_symbols, noise_var = 30_000, noise_var_from_snr_db(2.0 * bits_per_symbol)
    bits = random_bits(num_symbols * bits_per_symbol)
    output = kind()(modulate(bits, bits_per_symbol), noise_var, rng(1))
    llr = demodulate(*output, bits_per_symbol, "exact").double()
    if bits_per_symbol <= 2:  # one symbol of either kind per dimension: nothing is left out
        maxlog = demodulate(*output, bits_per_symbol, "maxlog").double()
        torch.testing.assert_close(maxlog, llr, rtol=1e-5, atol=1e-5)

    def worst(llr: torch.Tensor) -> float:
        return max(
            miscalibration(llr[k::bits_per_symbol], bits[k::bits_per_symbol].double())
            for k in range(bits_per_symbol)
        )

    assert worst(llr) <= 4
    # Sharp enough to fail: noise misjudged by 1.5 dB, or a bias.
    assert worst(llr * 10**0.15) > 4
    assert worst(llr + 0.3) > 4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_llrs_are_finite_at_the_extremes(bits_per_symbol: int, method: str) -> None:
    y = torch.tensor([0.0, 1.0, -1e3 + 1e3j, 1e-20j])
    for gain in (0.0, 1e-25, 1e-10, 1.0, 1e3):
        h = torch.full((4,), complex(gain, -gain))
        for noise_var in (0.0, 1e-45, 1e-10, 1.0, 1e30):
            assert bool(demodulate(y, h, noise_var, bits_per_symbol, method).isfinite().all())
    nothing = demodulate(y, torch.zeros(4, dtype=torch.complex64), 0.1, bits_per_symbol, method)
    assert bool((nothing.abs() < 1e-6).all())


@pytest.mark.parametrize("method", METHODS)
def test_noise_and_gain_per_symbol_or_per_batch(method: str) -> None:
    y = torch.randn(2, 6, dtype=torch.complex64, generator=rng())
    h = torch.randn(2, 6, dtype=torch.complex64, generator=rng(1))
    for shape in ((), (1,), (6,), (2, 1), (2, 6)):
        noise = torch.rand(shape, generator=rng(2)) + 0.1
        llr = demodulate(y, h, noise, 4, method)
        assert llr.shape == (2, 24)
        full = noise.expand(2, 6)
        alone = [
            demodulate(y[i, j : j + 1], h[i, j : j + 1], float(full[i, j]), 4, method)
            for i in range(2)
            for j in range(6)
        ]
        torch.testing.assert_close(llr.flatten(), torch.cat(alone))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_llrs_are_differentiable(bits_per_symbol: int, method: str) -> None:
    y = torch.randn(5, dtype=torch.complex128, generator=rng()).requires_grad_()
    h = torch.randn(5, dtype=torch.complex128, generator=rng(1))

    def first_llrs(v: torch.Tensor) -> torch.Tensor:
        return demodulate(v, h, 0.2, bits_per_symbol, method).double()

    # LLRs are float32, hence the wide step and tolerance.
    assert torch.autograd.gradcheck(first_llrs, (y,), eps=1e-3, atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("bits_per_symbol", [1, 2, 4, 6])
def test_symbols_apart_in_memory_are_those_side_by_side(bits_per_symbol: int) -> None:
    rng = torch.Generator().manual_seed(0)
    y, h = torch.randn((2, 40), dtype=torch.complex64, generator=rng)
    apart = demodulate(y[::2], h[::2], 0.1, bits_per_symbol)
    together = demodulate(y[::2].clone(), h[::2].clone(), 0.1, bits_per_symbol)
    assert torch.allclose(apart, together, rtol=1e-5)


def test_larger_noise_means_smaller_llrs() -> None:
    y, h = torch.tensor([0.3 + 0.2j]), torch.ones(1, dtype=torch.complex64)
    quiet, loud = (demodulate(y, h, 1 / db_to_linear(snr_db), 2) for snr_db in (10.0, 0.0))
    torch.testing.assert_close(quiet, 10 * loud)


def test_positive_means_one() -> None:
    llr = demodulate(torch.tensor([-1 + 1j]), torch.ones(1, dtype=torch.complex64), 1.0, 2)
    assert float(llr[0]) == pytest.approx(4 / math.sqrt(2))
    assert float(llr[1]) == pytest.approx(-4 / math.sqrt(2))


@pytest.mark.parametrize(
    ("bits", "bits_per_symbol", "message"),
    [
        (torch.zeros(4), 2, "uint8"),
        (torch.zeros(4, dtype=torch.int64), 2, "uint8"),
        (torch.zeros(5, dtype=torch.uint8), 2, "do not fill symbols of 2 bits"),
        (torch.tensor(1, dtype=torch.uint8), 1, "do not fill"),
        (torch.tensor([0, 2], dtype=torch.uint8), 2, "0 or 1, got 2"),
        (torch.zeros(6, dtype=torch.uint8), 3, "one of 1, 2, 4, 6, 8, got 3"),
    ],
)
def test_bad_bits_are_refused(bits: torch.Tensor, bits_per_symbol: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        modulate(bits, bits_per_symbol)


def test_bad_requests_for_llrs_are_refused() -> None:
    y = torch.ones(3, dtype=torch.complex64)
    with pytest.raises(ValueError, match="one of maxlog, exact, got 'soft'"):
        demodulate(y, y, 1.0, 2, "soft")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got 5"):
        demodulate(y, y, 1.0, 5)
    with pytest.raises(ValueError, match=r"complex, got dtype torch\.float32"):
        demodulate(y.real, y, 1.0, 2)
