"""The channels by name: of symbols, of bits and of packets."""

from __future__ import annotations

from channels.registry import Entry, Registry

CHANNELS = Registry(
    "channel",
    [
        Entry("awgn", "channels.models.awgn:Awgn", "white Gaussian noise, no fading"),
        Entry(
            "rayleigh",
            "channels.models.rayleigh:RayleighBlock",
            "Rayleigh block fading; block_length=0 means one gain per transmission",
        ),
        Entry(
            "rayleigh_fast",
            "channels.models.rayleigh:RayleighFast",
            "Rayleigh fading, a fresh gain for every symbol",
        ),
        Entry(
            "rician",
            "channels.models.rician:RicianBlock",
            "Rician block fading with line of sight k_db=6.0 above the scatter",
        ),
        Entry(
            "rician_fast",
            "channels.models.rician:RicianFast",
            "Rician fading, a fresh gain for every symbol",
        ),
        Entry(
            "nakagami",
            "channels.models.nakagami:NakagamiBlock",
            "Nakagami-m block fading, m=2.0; m=1 is Rayleigh, less is worse",
        ),
        Entry(
            "nakagami_fast",
            "channels.models.nakagami:NakagamiFast",
            "Nakagami-m fading, a fresh gain for every symbol",
        ),
        Entry(
            "jakes",
            "channels.models.jakes:Jakes",
            "Rayleigh fading in motion; doppler=0.01 is Doppler shift times symbol duration",
        ),
        Entry(
            "ofdm",
            "channels.ofdm.channel:Ofdm",
            "OFDM with pilots, prefix and estimation=lmmse, over=tdl_a, cdl_a or a flat channel",
        ),
        Entry(
            "tdl",
            "channels.ofdm.channel:ofdm_tdl",
            "OFDM over a tapped delay line of 3GPP TR 38.901",
        ),
        Entry(
            "cdl",
            "channels.ofdm.channel:ofdm_cdl",
            "OFDM over a clustered delay line of 3GPP TR 38.901, by Sionna",
            requires=("sionna",),
            extra="sionna",
        ),
        Entry(
            "carrier_error",
            "channels.models.carrier_error:CarrierError",
            "frequency offset cfo=1e-4 per symbol, phase error and phase noise, unknown to the "
            "receiver, over=awgn or a flat channel",
        ),
        Entry(
            "clipping",
            "channels.models.clipping:Clipping",
            "power amplifier that saturates backoff_db=3 above the mean power, over=awgn or a flat "
            "channel",
        ),
        Entry(
            "mimo",
            "channels.mimo.channel:Mimo",
            "spatial multiplexing over antennas=2x2 with Rayleigh fading, detector=lmmse",
        ),
        Entry(
            "middleton",
            "channels.models.middleton:Middleton",
            "impulsive noise, class A: index a=0.1, Gaussian to impulsive power gamma=0.1",
        ),
        Entry(
            "trace",
            "channels.models.trace:Trace",
            "replay of measured gains from file=PATH (CSV or NPZ), hold=1 symbols per row",
        ),
    ],
    group="semcom.channels",
)

BIT_CHANNELS = Registry(
    "bit channel",
    [
        Entry(
            "bsc",
            "channels.discrete.binary_symmetric:BinarySymmetric",
            "bits are flipped with probability p=0.05",
        ),
        Entry(
            "bec",
            "channels.discrete.binary_erasure:BinaryErasure",
            "bits are erased with probability p=0.1",
        ),
    ],
    group="semcom.bit_channels",
)

PACKET_CHANNELS = Registry(
    "packet channel",
    [
        Entry(
            "packet_erasure",
            "channels.discrete.packet_erasure:PacketErasure",
            "packets are lost with probability p=0.1, each on its own",
        ),
        Entry(
            "gilbert_elliott",
            "channels.discrete.gilbert_elliott:GilbertElliott",
            "packets are lost in bursts: two states, left with p_bad=0.02 and p_good=0.2",
        ),
    ],
    group="semcom.packet_channels",
)
