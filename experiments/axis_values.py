"""Parsing and writing of axis values: SNR ranges and bandwidth ratios."""

from __future__ import annotations

import math

from semcom.errors import InputError

_MAX_POINTS = 1000


def parse_snrs(text: str) -> tuple[float, ...]:
    """Parse SNRs in dB from ``"0,2,5.5"``, ``"0:20:2"`` (both ends included) or a mixture.

    The result rises and holds each value once.

    Raises
    ------
    ValueError
        If a part is not a finite number, a step is not positive, a range is empty, or there are
        more than 1000 points.

    Examples
    --------
    >>> parse_snrs("0:1:0.5,3")
    (0.0, 0.5, 1.0, 3.0)
    """
    values: set[float] = set()
    for part in text.split(","):
        numbers = [_number(number, text) for number in part.split(":")]
        if len(numbers) == 1:
            values.add(numbers[0])
        elif len(numbers) in (2, 3):
            values.update(_steps(*numbers))
        else:
            raise InputError(f"an SNR range is FIRST:LAST or FIRST:LAST:STEP, got {part!r}")
    if len(values) > _MAX_POINTS:
        raise InputError(f"at most {_MAX_POINTS} SNRs, got {len(values)} from {text!r}")
    return tuple(sorted(values))


def _number(text: str, whole: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"SNRs are numbers of dB such as 0,2,4 or 0:20:2, got {whole!r}") from None
    if not math.isfinite(value):
        raise InputError(f"SNR must be a finite number of dB, got {text.strip()}")
    return value


def _steps(first: float, last: float, step: float = 1.0) -> list[float]:
    if step <= 0 or last < first:
        raise InputError(
            f"an SNR range rises by a positive step, got {first:g} to {last:g} by {step:g} dB"
        )
    count = (last - first) / step
    if count >= _MAX_POINTS:
        raise InputError(f"at most {_MAX_POINTS} SNRs, got {first:g} to {last:g} by {step:g} dB")
    # The tolerance keeps the last point of a range that only rounding would drop.
    return [round(first + i * step, 9) for i in range(math.floor(count + 1e-9) + 1)]


def ratio(cbr: float) -> str:
    """Write a ratio of 1/N as a fraction, and any other ratio as a decimal number.

    Examples
    --------
    >>> ratio(0.0625), ratio(0.3)
    ('1/16', '0.3')
    """
    inverse = 1 / cbr
    whole = round(inverse)
    return f"1/{whole}" if whole and abs(inverse - whole) < 1e-3 else f"{cbr:.3g}"
