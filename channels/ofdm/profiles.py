"""The names and limits of 3GPP TR 38.901's delay profiles."""

from __future__ import annotations

from channels.errors import InputError

_MAX_DELAY_SPREAD_NS = 1e9
_MAX_DOPPLER_HZ = 1e6
PROFILES = ("a", "b", "c", "d", "e")


def check_profile(profile: str, delay_spread_ns: float, doppler_hz: float) -> None:
    """Refuse, by name, invalid options of a TDL or CDL."""
    if profile not in PROFILES:
        raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    if not 0 <= delay_spread_ns <= _MAX_DELAY_SPREAD_NS:
        raise InputError(
            f"delay_spread_ns must be between 0 and {_MAX_DELAY_SPREAD_NS:g}, got {delay_spread_ns}"
        )
    if not 0 <= doppler_hz <= _MAX_DOPPLER_HZ:
        raise InputError(f"doppler_hz must be between 0 and {_MAX_DOPPLER_HZ:g}, got {doppler_hz}")
