"""The decoders by name: our own, and Sionna's for comparison."""

from __future__ import annotations

from channels.registry import Entry, Registry

DEFAULT_DECODER = "cascade"

DECODERS = Registry(
    "decoder",
    [
        Entry(
            "int8",
            "channels.fec.ldpc.decoder_int8:decode",
            "layered offset min-sum on 8-bit integers with SIMD instructions, the fastest",
        ),
        Entry(
            "float32",
            "channels.fec.ldpc.decoder_float32:decode",
            "layered min-sum without quantisation",
        ),
        Entry(
            "boxplus",
            "channels.fec.ldpc.decoder_boxplus:decode",
            "layered belief propagation with the exact check-node rule",
        ),
        Entry(
            "cascade",
            "channels.fec.ldpc.decoder_cascade:decode",
            "int8 first, then boxplus for the blocks that int8 cannot decode; the default",
        ),
        Entry(
            "listed",
            "channels.fec.ldpc.rescue.decoder:decode",
            "cascade, then a list of codewords for blocks that remain wrong, from which a packet's "
            "CRC chooses",
        ),
        Entry("reference", "channels.fec.ldpc.reference:decode", "int8 in readable NumPy; slow"),
        *(
            Entry(
                f"sionna_{name}",
                f"channels.fec.ldpc.sionna_decoders:{name}",
                f"Sionna's {text}, with a flooding schedule",
                requires=("sionna",),
                extra="sionna",
            )
            for name, text in (
                ("boxplus", "exact belief propagation"),
                ("boxplus_phi", "exact belief propagation, computed with the phi function"),
                ("minsum", "min-sum"),
                ("offset_minsum", "offset min-sum"),
            )
        ),
    ],
    group="semcom.decoders",
)
