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
        Entry(
            "nakagami",
            "channels.nakagami:NakagamiBlock",
            "Nakagami-m block fading, m=2.0; m=1 is Rayleigh, less is worse",
        ),
        Entry(
            "nakagami_fast",
            "channels.nakagami:NakagamiFast",
            "Nakagami-m fading, a fresh gain for every symbol",
        ),
        Entry(
            "jakes",
            "channels.jakes:Jakes",
            "Rayleigh fading in motion; doppler=0.01 is Doppler shift times symbol duration",
        ),
        Entry(
            "ofdm",
            "channels.ofdm:Ofdm",
            "OFDM with pilots, prefix and estimation=lmmse, over=tdl_a, cdl_a or a flat channel",
        ),
        Entry("tdl", "channels.ofdm:ofdm_tdl", "OFDM over a tapped delay line of 3GPP TR 38.901"),
        Entry(
            "cdl",
            "channels.ofdm:ofdm_cdl",
            "OFDM over a clustered delay line of 3GPP TR 38.901, by Sionna",
            requires=("sionna",),
            extra="sionna",
        ),
    ],
    group="semcom.channels",
)
