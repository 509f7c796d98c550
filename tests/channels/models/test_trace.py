"""Replay of traces: the numbers of the file come back, in order, and unfit files are refused."""

import math
import pickle
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

NUM_ROWS = 37
PERIOD_S = 1e-4


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gains(*shape: int) -> NDArray[np.complex128]:
    generator = np.random.default_rng(6)
    return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.complex128)


def write_csv(path: Path, header: str, *columns: NDArray[Any]) -> str:
    lines = [",".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def write_npz(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return write_npz(tmp_path / "h.npz", h=gains(NUM_ROWS))


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
    with pytest.raises(ValueError, match=r"prefix of 1\.85 µs must outlast the channel"):
        Ofdm(over=f"cir:file={cir}", prefix_us=1.0)
    with pytest.raises(ValueError, match="trace needs normalise=true"):
        Ofdm(over=f"trace:file={file},normalise=false")
    with pytest.raises(ValueError, match=r"3 taps, for ofdm:over=cir:file=PATH"):
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


BAD_CSV = {
    "empty": ("", "must have one of gain_db, snr_db, re and im, h; it has none"),
    "header_alone": ("gain_db\n", r"must have at least one row of gains, got shape \(0,\)"),
    "no_header": ("1.0\n2.0\n", "must have one of gain_db, snr_db, re and im, h; it has none"),
    "unknown_column": ("gain\n1\n", "must have one of gain_db"),
    "one_part": ("re\n1\n", "must have one of .*; it has re"),
    "two_kinds": ("gain_db,snr_db\n1,1\n", "must have one of .*; it has gain_db, snr_db"),
    "twice": ("gain_db,gain_db\n1,1\n", "cannot be read as CSV: .*twice: gain_db"),
    "text": ("gain_db\n1\nhigh\n", "cannot be read as CSV: ValueError: could not convert .*'high'"),
    "short_row": (
        "re,im\n1,2\n1\n",
        "cannot be read as CSV: .*line 3 has 1 fields, the header has 2",
    ),
    "german": ("gain_db\n-1,5\n", "cannot be read as CSV: .*line 2 has 2 fields, .*have a point"),
    "long_row": ("t,gain_db\n0,1\n1,-1,5\n", "cannot be read as CSV: .*line 3 has 3 fields"),
    "nan": ("gain_db\n1\nnan\n", "must have finite numbers as gain_db, got NaN or infinity"),
    "infinite": ("gain_db\n1\n-inf\n", "must have finite numbers as gain_db"),
    "large": ("gain_db\n1\n250\n", "must have gain_db within ±200 dB"),
    "large_parts": ("re,im\n1e300,1e300\n", "must have its largest gain within ±200 dB"),
    "largest_parts": ("re,im\n1.7e308,1.7e308\n", "must have its largest gain within ±200 dB"),
    "all_zero": ("re,im\n0,0\n0,0\n", "must have its largest gain within ±200 dB"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv_files_are_refused(tmp_path: Path, name: str) -> None:
    text, message = BAD_CSV[name]
    path = tmp_path / f"{name}.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^trace file '.*{name}.csv' {message}") as caught:
        Trace(file=str(path))
    assert len(str(caught.value).splitlines()) == 1


BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "must have one of .*; it has none"),
    "empty": ({"h": np.zeros(0)}, r"must have at least one row of gains, got shape \(0,\)"),
    "scalar": ({"h": np.array(1.0)}, r"must have at least one row of gains, got shape \(\)"),
    "no_taps": ({"h": np.zeros((3, 0))}, r"must have at least one row of gains, got .*\(3, 0\)"),
    "cube": ({"h": np.ones((2, 2, 2))}, r"must have at least one row .*\(2, 2, 2\)"),
    "flat": ({"gain_db": np.ones((2, 2))}, r"must have at least one row of gains, got .*\(2, 2\)"),
    "objects": ({"h": np.array([1, None])}, "cannot be read as NPZ: ValueError: Object arrays"),
    "text": ({"h": np.array(["1", "2"])}, "must have numbers as h, got <U1"),
    "complex_db": ({"gain_db": np.array([1j])}, "must have numbers as gain_db, got complex128"),
    "lengths": ({"re": np.ones(3), "im": np.ones(2)}, "must have as many values of im as of re"),
    "nan": ({"h": np.array([1, complex(0, math.nan)])}, "must have finite numbers as h"),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_bad_npz_files_are_refused(tmp_path: Path, name: str) -> None:
    arrays, message = BAD_NPZ[name]
    path = write_npz(tmp_path / f"{name}.npz", **arrays)
    with pytest.raises(ValueError, match=rf"^trace file '.*{name}.npz' {message}") as caught:
        Trace(file=path)
    assert len(str(caught.value).splitlines()) == 1


class Harmful:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    pickled = np.empty(1, dtype=object)
    pickled[0] = Harmful(touched)
    inside = write_npz(tmp_path / "inside.npz", h=pickled)
    alone = tmp_path / "alone.npz"
    alone.write_bytes(pickle.dumps(Harmful(touched)))
    for path in (inside, str(alone)):
        with pytest.raises(ValueError, match="cannot be read as NPZ"):
            Trace(file=path)
    assert not touched.exists()
    pickle.loads(alone.read_bytes())
    assert touched.exists()  # it would have harmed


def test_what_is_no_trace_is_refused(tmp_path: Path, file: str) -> None:
    for name, content in (
        ("binary.csv", b"\xff\xfe\x00"),
        ("text.npz", b"h\n1\n"),
        ("no.npz", b""),
    ):
        (tmp_path / name).write_bytes(content)
    cut = tmp_path / "cut.npz"
    cut.write_bytes(Path(file).read_bytes()[:-40])
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    (tmp_path / "folder.csv").mkdir()
    for name, message in (
        ("binary.csv", "cannot be read as CSV: UnicodeDecodeError"),
        ("text.npz", "cannot be read as NPZ"),
        ("no.npz", "cannot be read as NPZ"),
        ("cut.npz", "cannot be read as NPZ"),
        ("array.npz", "cannot be read as NPZ"),
        ("folder.csv", "does not exist"),
        ("missing.csv", "does not exist"),
        ("trace.mat", "must be a .csv or .npz file"),
    ):
        with pytest.raises(ValueError, match=rf"^trace file '.*{name}' {message}") as caught:
            Trace(file=str(tmp_path / name))
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match=r"trace file '' must be a .csv or .npz file: trace:file="):
        CHANNELS.create("trace")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hold": 0}, "hold must be a whole number of symbols per row, 1 to 1000000000, got 0"),
        ({"hold": 1.5}, "hold must be a whole number"),
        ({"start": "last"}, "start must be one of random, first, got 'last'"),
    ],
)
def test_bad_options_are_refused(file: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trace(file=file, **options)
    with pytest.raises(ValueError, match=message):
        TraceCir(file=file, period_s=PERIOD_S, **options)
