"""Files that are no trace are refused in one line, and nothing in them is run."""

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from channels.catalogue import CHANNELS
from channels.models.trace import Trace
from channels.ofdm.measured_cir import TraceCir
from tests.channels.models.trace.traces import PERIOD_S, write_npz

BAD_CSV = {
    "empty": ("", "must have one of gain_db, snr_db, re and im, h; it has none"),
    "header_alone": ("gain_db\n", r"must have at least one row of gains, got shape \(0,\)"),
    "no_header": ("1.0\n2.0\n", "must have one of gain_db, snr_db, re and im, h; it has none"),
    "unknown_column": ("gain\n1\n", "must have one of gain_db"),
    "one_part": ("re\n1\n", "must have one of .*; it has re"),
    "two_kinds": ("gain_db,snr_db\n1,1\n", "must have one of .*; it has gain_db, snr_db"),
    "twice": ("gain_db,gain_db\n1,1\n", "cannot be read as CSV: .*duplicate column names: gain_db"),
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
