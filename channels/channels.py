"""The channels by name."""

from __future__ import annotations

from channels.registry import Entry, Registry

CHANNELS = Registry(
    "channel",
    [
        Entry("awgn", "channels.awgn:Awgn", "white Gaussian noise, no fading"),
        Entry(
            "rayleigh",
            "channels.rayleigh:RayleighBlock",
            "Rayleigh block fading; block_length=0 means one gain per transmission",
        ),
        Entry(
            "rayleigh_fast",
            "channels.rayleigh:RayleighFast",
            "Rayleigh fading, a fresh gain for every symbol",
        ),
        Entry(
            "rician",
            "channels.rician:RicianBlock",
            "Rician block fading with line of sight k_db=6.0 above the scatter",
        ),
        Entry(
            "rician_fast",
            "channels.rician:RicianFast",
            "Rician fading, a fresh gain for every symbol",
        ),
    ],
    group="semcom.channels",
)
