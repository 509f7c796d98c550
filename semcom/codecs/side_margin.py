"""The protection of side information, unless the user says otherwise."""

import math

SIDE_MARGIN_DB = 6.0
"""Margin in dB below the planned SNR for which side information is protected."""
_EFFICIENCY = 0.75  # side information is estimated to be sent at this share of the capacity


def usual_side_rate(snr_db: float) -> float:
    """Estimate the bits of side information in a channel use, where it is protected for an SNR.

    Examples
    --------
    >>> usual_side_rate(0)
    0.75
    """
    return _EFFICIENCY * math.log2(1 + 10 ** (snr_db / 10))
