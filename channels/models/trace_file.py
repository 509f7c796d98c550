"""Files of measured gains over time.

:mod:`channels.models.trace` and :mod:`channels.ofdm.measured_cir` read them.

A CSV file has a line of column names, then one line per instant; an NPZ file has arrays of the same
names. Both contain one of

- ``gain_db`` or ``snr_db``: power gain, or SNR, in dB;
- ``re`` and ``im``: complex gain;

and NPZ files may instead contain ``h``, complex, of shape (time,), or (time, taps) with ``delay_s``
(taps,). Other columns, such as times, are ignored. Commas separate the fields of a CSV file, and
every line has as many as the first; decimals have a point. Nothing is ever unpickled.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError

Arrays = dict[str, NDArray[Any]]

_KINDS = (("gain_db",), ("snr_db",), ("re", "im"), ("h",))
_COLUMNS = {"gain_db", "snr_db", "re", "im", "h", "delay_s"}
_MAX_DB = 200.0


def _complaint(file: str, problem: str) -> InputError:
    return InputError(f"trace file {file!r} {problem}")


def read_gains(file: str) -> NDArray[np.complex128]:
    """Read complex gains, (time,) or (time, taps); those in dB become real and positive.

    Raises
    ------
    ValueError
        Not a readable CSV or NPZ file with one kind of gains; no gains; gains that are not finite
        numbers; or a largest gain (in dB: any gain) outside ±200 dB. The message names the file.
    """
    arrays = _read(file)
    kinds = [kind for kind in _KINDS if set(kind) <= set(arrays)]
    if len(kinds) != 1:
        found = ", ".join(sorted(arrays)) or "none of them"
        raise _complaint(file, f"must have one of gain_db, snr_db, re and im, h; it has {found}")
    parts = [_numbers(file, name, arrays[name]) for name in kinds[0]]
    if len({part.shape for part in parts}) != 1:
        raise _complaint(file, "must have as many values of im as of re")
    if kinds[0][0].endswith("_db"):
        if parts[0].size and np.abs(parts[0]).max() > _MAX_DB:
            raise _complaint(file, f"must have {kinds[0][0]} within ±{_MAX_DB:g} dB")
        gains = 10 ** (parts[0] / 20)
    else:
        gains = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
    axes = (1, 2) if kinds[0] == ("h",) else (1,)
    if gains.ndim not in axes or not gains.size:
        raise _complaint(file, f"must have at least one row of gains, got shape {gains.shape}")
    with np.errstate(over="ignore"):
        largest = np.abs(gains).max()
    if not 10 ** (-_MAX_DB / 20) <= largest <= 10 ** (_MAX_DB / 20):
        raise _complaint(file, f"must have its largest gain within ±{_MAX_DB:g} dB")
    return np.asarray(gains, dtype=np.complex128)


def read_delays(file: str, num_taps: int) -> NDArray[np.float64]:
    """Read ``delay_s`` of the taps in seconds relative to the first, float64 (num_taps,).

    Raises
    ------
    ValueError
        Delays that are missing, not finite, or of another number than the taps.
    """
    arrays = _read(file)
    if "delay_s" not in arrays:
        raise _complaint(file, "must have delay_s, the delay of every tap in seconds")
    delays = _numbers(file, "delay_s", arrays["delay_s"]).real
    if delays.shape != (num_taps,):
        raise _complaint(file, f"must have {num_taps} values of delay_s, got shape {delays.shape}")
    return np.asarray(delays - delays.min(), dtype=np.float64)


def _numbers(file: str, name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Convert to double precision; refuse anything but finite numbers."""
    if values.dtype.kind not in ("iufc" if name == "h" else "iuf"):
        raise _complaint(file, f"must have numbers as {name}, got {values.dtype}")
    with np.errstate(over="ignore"):  # numbers may be longer than double precision
        numbers = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    if not np.isfinite(numbers).all():
        raise _complaint(file, f"must have finite numbers as {name}, got NaN or infinity")
    return numbers


def _read(file: str) -> Arrays:
    """Read the arrays of known names."""
    readers = {".csv": _read_csv, ".npz": _read_npz}
    suffix = Path(file).suffix.lower()
    if suffix not in readers:
        raise _complaint(file, "must be a .csv or .npz file: trace:file=PATH")
    if not Path(file).is_file():
        raise _complaint(file, "does not exist")
    try:
        return readers[suffix](file)
    except Exception as error:  # for a broken file, the readers may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _complaint(file, f"cannot be read as {suffix[1:].upper()}: {reason}") from error


def _read_csv(file: str) -> Arrays:
    text = Path(file).read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    header, *rows = csv.reader(lines) if lines else [[]]
    header = [name.strip() for name in header]
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InputError(
                f"line {number} has {len(row)} fields, the header has {len(header)}; a comma "
                "separates fields, and decimals have a point"
            )
    names = [name for name in header if name in _COLUMNS - {"h", "delay_s"}]
    if len(set(names)) < len(names):
        raise InputError(f"duplicate column names: {', '.join(names)}")
    places = {name: header.index(name) for name in names}
    return {name: np.array([row[i] for row in rows], np.float64) for name, i in places.items()}


def _read_npz(file: str) -> Arrays:
    with Path(file).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {name: np.asarray(archive[name]) for name in archive.files if name in _COLUMNS}
