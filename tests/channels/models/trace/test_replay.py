"""Replay of traces: the numbers of the file come back, in order."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from channels import theory
from channels.catalogue import CHANNELS
from channels.models.trace import Trace
from channels.modulation import demodulate, modulate
from channels.ofdm.channel import Ofdm
from channels.ofdm.measured_cir import TraceCir
from channels.ofdm.multipath import Grid
from channels.units import noise_var_from_snr_db
from tests.channels.models.trace.traces import NUM_ROWS, PERIOD_S, gains, write_npz


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.complex128)


def write_csv(path: Path, header: str, *columns: NDArray[Any]) -> str:
    lines = [",".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


@pytest.fixture
def cir(tmp_path: Path) -> str:
    """Taps that are periodic and orthogonal at every lag: each has frequencies of its own."""
    time = np.arange(256)[:, None, None] / 256
    frequencies = np.array([[0, 3, -4], [1, -2, 5], [2, -1, -5]])
    waves = np.exp(2j * np.pi * time * frequencies) * gains(3, 3)
    delays = np.array([1.0, 1.5, 3.0]) * 1e-6
    return write_npz(tmp_path / "cir.npz", h=waves.sum(axis=-1), delay_s=delays)


def normalised(h: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return h / math.sqrt(np.mean(np.abs(h) ** 2))


@pytest.mark.parametrize("hold", [1, 3])
def test_the_trace_comes_in_order_and_round_again(file: str, hold: int) -> None:
    channel = Trace(file=file, hold=hold, start="first")
    h = channel(ones(2, 250), 0.1, rng()).h
    expected = np.resize(np.repeat(normalised(gains(NUM_ROWS)), hold), 250)
    torch.testing.assert_close(h, torch.from_numpy(expected).expand(2, 250))


@pytest.mark.parametrize("hold", [1, 3])
def test_starts_are_uniform(file: str, hold: int) -> None:
    """Every transmission is the trace turned round by some symbols, each as likely."""
    num = 20_000
    table = np.repeat(normalised(gains(NUM_ROWS)), hold)
    h = Trace(file=file, hold=hold)(ones(num, 2 * hold), 0.1, rng()).h.numpy()
    turned = np.stack([np.resize(np.roll(table, -s), 2 * hold) for s in range(len(table))])
    distance = np.abs(h[:, None] - turned).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-12
    counts = np.bincount(distance.argmin(axis=1), minlength=len(table))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_files_of_every_kind_agree(tmp_path: Path) -> None:
    h, time = gains(NUM_ROWS), np.arange(NUM_ROWS)
    power_db = 20 * np.log10(np.abs(h))
    complex_files = [
        write_npz(tmp_path / "h.npz", h=h, time=time),
        write_npz(tmp_path / "parts.npz", re=h.real, im=h.imag),
        write_csv(tmp_path / "parts.csv", "time, im ,re", time, h.imag, h.real),
    ]
    power_files = [
        write_npz(tmp_path / "gain.npz", gain_db=power_db),
        write_csv(tmp_path / "gain.csv", "gain_db", power_db),
        write_csv(tmp_path / "snr.csv", "time,snr_db", time, power_db),
    ]
    for files, values in ((complex_files, h), (power_files, np.abs(h))):
        for path in files:
            for normalise in (True, False):
                channel = Trace(file=path, start="first", normalise=normalise)
                got = channel(ones(NUM_ROWS), 0.0, rng()).h
                expected = normalised(values) if normalise else values
                np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


def test_the_registry_passes_every_option(file: str) -> None:
    channel = CHANNELS.create(f"trace:file={file},hold=4,start=first,normalise=false")
    got = channel(ones(8), 0.0, rng()).h.numpy()
    np.testing.assert_allclose(got, gains(NUM_ROWS)[:2].repeat(4))


def test_quantiles_are_those_of_the_trace(file: str) -> None:
    power = np.abs(normalised(gains(NUM_ROWS))) ** 2
    for p in (1e-9, 0.1, 10 / NUM_ROWS, 0.5, 0.999):
        expected = np.quantile(power, p, method="inverted_cdf")
        assert Trace(file=file).gain_quantile(p) == pytest.approx(expected, rel=1e-12)


def test_independent_draws_have_the_law_of_the_trace(file: str) -> None:
    drawn = Trace(file=file).draw(torch.Size((20_000,)), ones(1), rng()).numpy()
    distance = np.abs(drawn[:, None] - normalised(gains(NUM_ROWS)))
    assert distance.min(axis=1).max() < 1e-12
    assert stats.chisquare(np.bincount(distance.argmin(axis=1))).pvalue > 1e-3


def test_ber_is_the_mean_over_the_trace(file: str) -> None:
    snr_db, num = 8.0, 40_000
    bits = torch.randint(0, 2, (num, 8), generator=rng(1), dtype=torch.uint8)
    output = Trace(file=file)(modulate(bits, 2), noise_var_from_snr_db(snr_db), rng(2))
    wrong = ((demodulate(*output, 2) > 0) != (bits == 1)).double().mean(dim=-1)
    gains_db = 20 * np.log10(np.abs(normalised(gains(NUM_ROWS))))
    expected = theory.ber_awgn(2, snr_db + gains_db).mean()
    assert abs(float(wrong.mean()) - expected) < 4 * float(wrong.std()) / math.sqrt(num)


@pytest.mark.parametrize("hold", [1, 4])
def test_autocorrelation_by_counting_all_starts(file: str, hold: int) -> None:
    table = np.repeat(normalised(gains(NUM_ROWS)), hold)
    lags = torch.tensor([[-7, 0, 1], [2, 9, 1_000]])
    got = Trace(file=file, hold=hold).autocorrelation(lags)
    expected = [
        [np.mean(np.roll(table, -lag) * table.conj()) for lag in row] for row in lags.tolist()
    ]
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


def test_cir_gives_the_transform_of_its_taps(cir: str) -> None:
    channel = TraceCir(file=cir, period_s=PERIOD_S, hold=2, start="first")
    grid = Grid(300, PERIOD_S, 5, 1e5)
    got = channel.frequency_response(torch.Size((2,)), grid, ones(1), rng())
    with np.load(cir) as archive:
        taps, delays = archive["h"], archive["delay_s"] - 1e-6
    taps = taps / math.sqrt(np.mean(np.sum(np.abs(taps) ** 2, axis=1)))
    frequencies = np.array([-2, -1, 0, 1, 2]) * 1e5
    turns = np.exp(-2j * np.pi * np.outer(delays, frequencies))
    expected = np.repeat(taps, 2, axis=0)[:300] @ turns
    np.testing.assert_allclose(got.numpy(), np.stack([expected, expected]), atol=1e-12)
    assert channel.max_delay_s == pytest.approx(2e-6)


@pytest.mark.parametrize("hold", [1, 3])
def test_cir_correlation_by_counting_all_starts(cir: str, hold: int) -> None:
    channel = TraceCir(file=cir, period_s=PERIOD_S, hold=hold, start="first")
    grid = Grid(256 * hold, PERIOD_S, 7, 1e5)
    response = channel.frequency_response(torch.Size(()), grid, ones(1), rng())
    for lag, step in ((0, 0), (1, 0), (2, 3), (-5, 1)):
        moved = response.roll(-lag, dims=0)[:, step:]
        expected = (moved * response[:, : 7 - step].conj()).mean()
        at = torch.tensor([step * 1e5, lag * PERIOD_S], dtype=torch.float64)
        got = channel.correlation(*at)
        torch.testing.assert_close(got, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("kind", ["cir", "trace"])
@pytest.mark.parametrize("estimation", ["lmmse", "ls", "perfect"])
def test_ofdm_knows_how_far_to_trust_its_estimate(
    cir: str, file: str, kind: str, estimation: str
) -> None:
    """Over random starts the error of the estimate has the variance that is reported."""
    num = 2_000
    path = cir if kind == "cir" else file
    channel = CHANNELS.create(f"ofdm:over={kind}:file={path},estimation={estimation}")
    x = torch.polar(*torch.ones(2, num, 100).double().unbind())
    y, h, reported = channel(x, 0.05, rng(3))
    ratio = ((y - h * x).abs().square() / reported).mean(dim=-1)
    assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / math.sqrt(num)
    power = (channel(x, 0.0, rng(4)).y.abs().square()).mean(dim=-1)
    assert abs(float(power.mean()) - 1) < 4 * float(power.std()) / math.sqrt(num)


def test_ofdm_refuses_what_does_not_fit(file: str, cir: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"prefix of 1\.85 µs must be longer than the channel"):
        Ofdm(over=f"cir:file={cir}", prefix_us=1.0)
    with pytest.raises(ValueError, match="set normalise=true for trace"):
        Ofdm(over=f"trace:file={file},normalise=false")
    with pytest.raises(ValueError, match=r"3 taps; a flat channel needs h of"):
        Trace(file=cir)
    with pytest.raises(ValueError, match=r"'.*h.npz' must have h of shape \(time, taps\)"):
        Ofdm(over=f"cir:file={file}")
    with pytest.raises(ValueError, match="multipath 'cir' has no option 'taps=3'"):
        Ofdm(over=f"cir:file={cir},taps=3")
    for name, arrays, message in (
        ("none.npz", {}, "must have delay_s, the delay of every tap"),
        ("few.npz", {"delay_s": [0.0]}, r"must have 2 values of delay_s, got shape \(1,\)"),
        ("nan.npz", {"delay_s": [0.0, math.nan]}, "must have finite numbers as delay_s"),
        ("text.npz", {"delay_s": ["a", "b"]}, "must have numbers as delay_s, got <U1"),
    ):
        path = write_npz(tmp_path / name, h=gains(9, 2), **arrays)
        with pytest.raises(ValueError, match=rf"trace file '.*{name}' {message}"):
            TraceCir(file=path, period_s=PERIOD_S)
