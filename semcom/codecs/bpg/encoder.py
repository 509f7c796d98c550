"""x265 with the parameters that libbpg's ``x265_glue.c`` sets (version 0.9.5 and later).

Preset number 8 of x265 (``veryslow``, bpgenc's default ``-m 8``) with ``tune=ssim``, a constant
QP, one intra picture, no messages, asymmetric partitions, which BPG's header requires. With a
constant QP, x265 has no adaptive quantisation, and lowers the QP of intra pictures by 3; both hold
for bpgenc as well. libbpg 0.9.8 brings x265 of 2015, FFmpeg's is newer, so that sizes differ
slightly from those of bpgenc.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame

from semcom.cache import recall, version
from semcom.codecs.bpg.container import padded_size
from semcom.codecs.bpg.planes import Plane

_PIXELS = {"420": "yuv420p", "444": "yuv444p"}
_PARAMETERS = (
    "qp={qp}:keyint=1:info=0:repeat-headers=1:annexb=1:rect=1:amp=1:ctu={unit}:frame-threads=1:"
    "pools=none:wpp=0:log-level=none"
)


def encode(planes: Sequence[Plane], qp: int, chroma: str) -> bytes:
    """Encode Y, Cb and Cr at a constant QP, 0 (best) to 51.

    Returns
    -------
    bytes
        VPS, SPS, PPS and one slice, with start codes; :mod:`semcom.cache` stores them.
    """
    libraries = version("av"), sorted(av.library_versions.items())
    return recall(
        lambda: _encode(planes, qp, chroma), "bpg", libraries, *planes, qp, chroma, _PARAMETERS
    )


def _encode(planes: Sequence[Plane], qp: int, chroma: str) -> bytes:
    height, width = padded_size(*planes[0].shape)
    context = av.CodecContext.create("libx265", "w")
    context.width, context.height, context.pix_fmt = width, height, _PIXELS[chroma]
    context.time_base = Fraction(1, 25)
    # The picture must hold one whole coding tree unit.
    unit = next((side for side in (64, 32) if min(height, width) >= side), 16)
    context.options = {
        "preset": "veryslow",
        "tune": "ssim",
        "x265-params": _PARAMETERS.format(qp=qp, unit=unit),
    }
    frame = VideoFrame(width, height, _PIXELS[chroma])
    for target, values in zip(frame.planes, planes, strict=True):
        rows, columns = values.shape
        lines = np.zeros((target.height, target.line_size), dtype=np.uint8)
        margin = ((0, target.height - rows), (0, target.width - columns))
        lines[:, : target.width] = np.pad(values, margin, mode="edge")
        target.update(lines.tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
