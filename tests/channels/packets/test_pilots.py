"""Pilots: the frame's layout, the estimate's error, and what the receiver is told about it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels.models.rayleigh import RayleighBlock
from channels.models.rician import RicianBlock
from channels.packets.pilots import insert_pilots, num_pilot_symbols, pilot_sequence, remove_pilots

LAYOUTS = [(40, 4, 0), (40, 4, 14), (41, 4, 14), (31, 1, 2), (5, 2, 50), (1, 3, 4)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def qpsk(*shape: int) -> torch.Tensor:
    return torch.polar(
        torch.ones(shape), math.pi / 4 + math.pi / 2 * torch.randint(4, shape, generator=rng(3))
    )


def test_pilots_are_qpsk_of_unit_power() -> None:
    pilots = pilot_sequence(16, torch.empty(0, dtype=torch.complex128))
    assert pilots.dtype == torch.complex128
    torch.testing.assert_close(pilots.real.abs(), torch.full((16,), 0.5**0.5).double())
    torch.testing.assert_close(pilots.imag.abs(), torch.full((16,), 0.5**0.5).double())
    # Any eight in a row: no spectral line carries more than half of the energy.
    assert float(torch.fft.fft(pilots[:8]).abs().square().max()) <= 0.5 * 64 + 1e-9


@pytest.mark.parametrize(("num_data", "num_pilots", "block_length"), LAYOUTS)
def test_layout_of_the_frame(num_data: int, num_pilots: int, block_length: int) -> None:
    x = 10 + torch.arange(num_data).to(torch.complex64)
    frame = insert_pilots(x, num_pilots, block_length)
    pilots = pilot_sequence(num_pilots, x)
    kept = []
    for block in frame.split(block_length or len(frame)):
        assert torch.equal(block[:num_pilots], pilots)
        assert len(block) > num_pilots
        kept.append(block[num_pilots:])
    assert torch.equal(torch.cat(kept), x)
    assert len(frame) == num_data + num_pilot_symbols(num_data, num_pilots, block_length)


@given(st.integers(1, 500), st.integers(1, 8), st.integers(0, 40))
def test_remove_undoes_insert(num_data: int, num_pilots: int, spare: int) -> None:
    block_length = num_pilots + spare if spare else 0
    x = qpsk(2, num_data)
    output = remove_pilots(
        insert_pilots(x, num_pilots, block_length), 0.0, num_pilots, block_length
    )
    assert torch.equal(output.y, x)
    torch.testing.assert_close(output.h, torch.ones_like(x))


@pytest.mark.parametrize(("num_data", "num_pilots", "block_length"), LAYOUTS)
def test_without_noise_the_estimate_is_the_gain(
    num_data: int, num_pilots: int, block_length: int
) -> None:
    x = qpsk(3, num_data)
    frame = insert_pilots(x, num_pilots, block_length)
    sent = RayleighBlock(block_length=block_length)(frame, 0.0, rng())
    output = remove_pilots(sent.y, sent.noise_var, num_pilots, block_length)
    torch.testing.assert_close(output.h * x, output.y, atol=1e-5, rtol=1e-5)
    assert not bool(output.noise_var.any())


@pytest.mark.parametrize("num_pilots", [1, 2, 8])
def test_error_of_the_estimate(num_pilots: int) -> None:
    noise_var, block_length, num_blocks = 0.3, 16, 20_000
    x = qpsk(num_blocks * (block_length - num_pilots))
    frame = insert_pilots(x, num_pilots, block_length)
    sent = RicianBlock(block_length=block_length)(frame, noise_var, rng())
    output = remove_pilots(sent.y, sent.noise_var, num_pilots, block_length)
    estimate = output.h[:: block_length - num_pilots]
    error = (estimate - sent.h[::block_length]).abs().square().mean()
    # |e|² is exponential: its standard deviation is its mean.
    assert float(error) == pytest.approx(noise_var / num_pilots, rel=4 / math.sqrt(num_blocks))


@pytest.mark.parametrize("num_pilots", [1, 2, 8])
def test_reported_noise_is_the_mismatch_of_the_data(num_pilots: int) -> None:
    noise_var, num_blocks = 0.3, 40_000
    x = qpsk(num_blocks)
    frame = insert_pilots(x, num_pilots, num_pilots + 1)
    sent = RayleighBlock(block_length=num_pilots + 1)(frame, noise_var, rng())
    output = remove_pilots(sent.y, noise_var, num_pilots, num_pilots + 1)
    assert float(output.noise_var) == pytest.approx(noise_var * (1 + 1 / num_pilots))
    mismatch = (output.y - output.h * x).abs().square().mean()
    assert float(mismatch) == pytest.approx(float(output.noise_var), rel=4 / math.sqrt(num_blocks))


def test_noise_of_every_shape_follows_the_data() -> None:
    x = qpsk(2, 10)
    frame = insert_pilots(x, 2, 7)
    per_symbol = torch.arange(1.0, frame.shape[-1] + 1)
    output = remove_pilots(frame, per_symbol, 2, 7)
    expected = torch.cat([block[2:] for block in per_symbol.split(7)]) * 1.5
    torch.testing.assert_close(output.noise_var, expected)
    assert remove_pilots(frame, torch.ones(2, 1), 2, 7).noise_var.shape == (2, 1)
    assert remove_pilots(frame, 0.5, 2, 7).noise_var.shape == ()


def test_gradient_flows_through_the_frame() -> None:
    x = qpsk(12).requires_grad_()
    remove_pilots(insert_pilots(x, 2, 8), 0.1, 2, 8).y.real.sum().backward()
    torch.testing.assert_close(x.grad, torch.ones(12, dtype=torch.complex64))


@pytest.mark.parametrize(
    ("num_data", "num_pilots", "block_length", "message"),
    [
        (10, 0, 8, "num_pilots must be at least 1, got 0"),
        (10, 4, 4, "block_length must be 0 .* got 4"),
        (10, 4, -1, "block_length must be 0 .* got -1"),
        (0, 4, 8, "num_data must be at least 1, got 0"),
    ],
)
def test_bad_layouts_are_refused(
    num_data: int, num_pilots: int, block_length: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        num_pilot_symbols(num_data, num_pilots, block_length)
    with pytest.raises(ValueError, match=message):
        insert_pilots(torch.ones(num_data, dtype=torch.complex64), num_pilots, block_length)


@pytest.mark.parametrize(
    ("total", "num_pilots", "block_length"), [(4, 4, 0), (10, 2, 8), (9, 2, 8)]
)
def test_frames_without_data_in_the_last_block_are_refused(
    total: int, num_pilots: int, block_length: int
) -> None:
    with pytest.raises(ValueError, match=f"a frame of {total} symbols"):
        remove_pilots(torch.ones(total, dtype=torch.complex64), 0.1, num_pilots, block_length)


def test_a_block_longer_than_the_frame_is_one_block() -> None:
    y = torch.randn(50, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    for whole, long in zip(
        remove_pilots(y, 0.1, 4, 0), remove_pilots(y, 0.1, 4, 10**12), strict=True
    ):
        assert torch.equal(whole, long)
