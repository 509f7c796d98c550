"""Names of the axes and formats of values on the page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

AXIS = {
    "theta": "θ",
    "csi": "CSI",
    "snr_db": "SNR",
    "planned_snr_db": "planned SNR",
    "planned_std_db": "standard deviation of planned SNR",
    "side_margin_db": "margin of side information",
    "schemes": "set of schemes",
    "cbr": "CBR",
    "scored": "scored region",
    "losses": "packet losses",
    "bound": "capacity bound",
    "blind": "importance",
    "further_scores": "further scores",
}
"""Names of axes that differ from their key."""
_EMPTY = {"scheme": "by SNR", "losses": "none", "planned_snr_db": "the true value"}


def axis_name(axis: str) -> str:
    """Return the name of an axis of :class:`experiments.suites.setting.Setting` for display."""
    return AXIS.get(axis, axis)


def axis_value(axis: str, value: Any) -> str:
    """Write the value of an axis with its unit.

    Examples
    --------
    >>> axis_value("snr_db", 4.0), axis_value("blind", True), axis_value("scheme", "")
    ('4 dB', 'blind', 'by SNR')
    """
    if value in ("", None):
        return _EMPTY.get(axis, "none")
    if axis == "blind":
        return "blind" if value else "by importance"
    if axis.endswith("_db"):
        return f"{value:g} dB"
    return f"{value:g}" if isinstance(value, float) else cell(value)


def digits(values: Iterable[Any]) -> int | None:
    """Return the number of decimals of a column; None for three significant digits each.

    Examples
    --------
    >>> digits([7.2727, -10.07]), digits([0.1, 0.87654]), digits([4.0, None, 10]), digits([2e-7])
    (2, 4, 0, None)
    """
    sizes = [abs(v) for v in values if isinstance(v, float) and math.isfinite(v)]
    largest = max(sizes, default=0.0)
    if largest >= 1e4 or all(size == int(size) for size in sizes):
        return 0
    return 2 if largest >= 1 else 4 if largest >= 1e-3 else None


def cell(value: Any, decimals: int | None = 2) -> str:
    """Write a value of a table; None and NaN give an empty text.

    Examples
    --------
    >>> cell(-28.7979), cell(0.5, 4), cell(51240), cell(None), cell(True), cell(2e-7, None)
    ('−28.80', '0.5000', '51240', '', 'yes', '2e-07')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        size = abs(value)
        text = f"{size:.3g}" if decimals is None else f"{size:.{decimals}f}"
        return ("−" if value < 0 else "") + ("∞" if math.isinf(value) else text)
    return str(value)


def rank(value: Any) -> float | None:
    """Return the number by which a value is sorted; None for text and empty values.

    Examples
    --------
    >>> rank("1/16"), rank("0.4"), rank(3), rank("kodim01"), rank(float("nan"))
    (0.0625, 0.4, 3.0, None, None)
    """
    if isinstance(value, str):
        try:
            return float(Fraction(value))
        except (ValueError, ZeroDivisionError):
            return None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value)
