"""The decoders by name: ours, and Sionna's, so that anyone can compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from channels.registry import Entry, Registry

if TYPE_CHECKING:
    from channels.ldpc.code import LdpcCode

Decode: TypeAlias = Callable[
    ["LdpcCode", NDArray[np.float32], int, tuple[int, ...]],
    tuple[NDArray[np.uint8], NDArray[np.bool_]],
]
"""A decoder: (code, llr, max_iterations, rvs) to bits and syndrome_ok, as
:meth:`channels.ldpc.LdpcCode.decode` has checked and describes them."""

DEFAULT_DECODER = "cascade"

DECODERS = Registry(
    "decoder",
    [
        Entry(
            "int8",
            "channels.ldpc.decoder_int8:decode",
            "layered offset min-sum on bytes in explicit vectors: the fast one",
        ),
        Entry(
            "float32",
            "channels.ldpc.decoder_float32:decode",
            "layered min-sum without quantisation",
        ),
        Entry(
            "boxplus",
            "channels.ldpc.decoder_boxplus:decode",
            "layered belief propagation with the exact check rule",
        ),
        Entry(
            "cascade",
            "channels.ldpc.decoder_cascade:decode",
            "int8, and boxplus for the blocks that it leaves: the default",
        ),
        Entry("reference", "channels.ldpc.reference:decode", "int8 in readable NumPy, slow"),
        *(
            Entry(
                f"sionna_{name}",
                f"channels.ldpc.sionna_decoders:{name}",
                f"Sionna's {text}, flooding",
                requires=("sionna",),
                extra="sionna",
            )
            for name, text in (
                ("boxplus", "exact belief propagation"),
                ("boxplus_phi", "exact belief propagation by the phi function"),
                ("minsum", "min-sum"),
                ("offset_minsum", "offset min-sum"),
            )
        ),
    ],
    group="semcom.decoders",
)
