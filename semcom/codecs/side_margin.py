"""The protection of side information, unless the user says otherwise."""

SIDE_MARGIN_DB = 6.0
"""Margin in dB below the planned SNR for which side information is protected."""
