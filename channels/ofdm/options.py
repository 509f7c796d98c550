"""Limits of the options of :class:`channels.ofdm.channel.Ofdm`."""

from __future__ import annotations

from channels.errors import InputError

ESTIMATIONS = ("lmmse", "ls", "perfect")
_MAX_SUBCARRIERS = 1024
_MAX_SLOT = 1000
_MAX_ELEMENTS = 1 << 14  # per slot: limits the memory of an estimator and of 200 sampled slots
_MAX_PILOTS = 1024  # per slot: an estimator takes time of their third power, without interruption
_MAX_SPACING_KHZ = 1e6
_MAX_PREFIX_US = 1e4


def check_grid(subcarriers: int, spacing_khz: float, prefix_us: float, slot: int) -> None:
    """Refuse, by name, an OFDM grid that is impossible or would take all memory."""
    if not 2 <= subcarriers <= _MAX_SUBCARRIERS:
        raise InputError(f"subcarriers must be between 2 and {_MAX_SUBCARRIERS}, got {subcarriers}")
    if not 1e-3 <= spacing_khz <= _MAX_SPACING_KHZ:
        raise InputError(
            f"spacing_khz must be between 0.001 and {_MAX_SPACING_KHZ:g}, got {spacing_khz}"
        )
    if not 0 <= prefix_us <= _MAX_PREFIX_US:
        raise InputError(f"prefix_us must be between 0 and {_MAX_PREFIX_US:g}, got {prefix_us}")
    most = min(_MAX_SLOT, _MAX_ELEMENTS // subcarriers)
    if not 1 <= slot <= most:
        raise InputError(
            f"slot must be between 1 and {most} OFDM symbols of {subcarriers} subcarriers, "
            f"got {slot}"
        )


def check_pilots(
    estimation: str, subcarriers: int, slot: int, pilot_symbols: int, pilot_step: int
) -> None:
    """Refuse, by name, pilots that are impossible or would take an estimator too long."""
    if estimation not in ESTIMATIONS:
        raise InputError(f"estimation must be one of {', '.join(ESTIMATIONS)}, got {estimation!r}")
    fewest = 0 if estimation == "perfect" else 1
    if not fewest <= pilot_symbols <= slot:
        raise InputError(
            f"pilot_symbols must be between {fewest} and the {slot} symbols of a slot with "
            f"estimation {estimation}, got {pilot_symbols}"
        )
    if not 1 <= pilot_step <= subcarriers:
        raise InputError(f"pilot_step must be between 1 and {subcarriers}, got {pilot_step}")
    pilots = pilot_symbols * -(-subcarriers // pilot_step)
    if estimation != "perfect" and pilots > _MAX_PILOTS:
        raise InputError(
            f"a slot may have at most {_MAX_PILOTS} pilots with estimation {estimation}: lower "
            f"pilot_symbols or raise pilot_step, got {pilots}"
        )
    if pilot_symbols == slot and pilot_step == 1:
        raise InputError("pilots fill the whole slot: lower pilot_symbols or raise pilot_step")
