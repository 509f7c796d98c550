"""What the page calls the axes, and how it writes values."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

AXIS = {
    "theta": "θ",
    "csi": "CSI",
    "snr_db": "SNR",
    "planned_snr_db": "planned SNR",
    "planned_std_db": "planned SNR's deviation",
    "cbr": "CBR",
    "scored": "scored region",
    "losses": "packet losses",
    "bound": "capacity bound",
    "blind": "importance",
}
"""Names of axes that are not their key."""
_EMPTY = {"scheme": "by SNR", "losses": "none", "planned_snr_db": "the true one"}


def axis_name(axis: str) -> str:
    """Return what people call an axis of :class:`experiments.setting.Setting`."""
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
    return cell(value)


def cell(value: Any) -> str:
    """Write a value of a table: empty for None and for what is no number.

    Examples
    --------
    >>> cell(0.123456), cell(28.7979), cell(123456.7), cell(51240), cell(None), cell(True)
    ('0.1235', '28.80', '123457', '51240', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = abs(value)
    digits = 0 if size >= 1e4 else 2 if size >= 10 else 4 if size >= 1e-3 else None
    return f"{value:.3g}" if digits is None else f"{value:.{digits}f}"


def rank(value: Any) -> float | None:
    """Return what a value sorts by among numbers; None for text and for what is empty.

    Examples
    --------
    >>> rank("1/16"), rank(3), rank("kodim01"), rank(float("nan"))
    (0.0625, 3.0, None, None)
    """
    if isinstance(value, str):
        try:
            return float(Fraction(value)) if "/" in value else None
        except (ValueError, ZeroDivisionError):
            return None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value)
