"""The table of codecs that semcom ships. Nothing in it is imported before it is asked for."""

from __future__ import annotations

from channels.registry import Entry, Registry

CODECS = Registry(
    "codec",
    [
        Entry("hevc", "semcom.codecs.hevc:Hevc", "x265 4:4:4 10-bit; w sets each block's quality"),
        Entry(
            "bpg",
            "semcom.codecs.bpg.codec:Bpg",
            "BPG files: x265 4:2:0 8-bit, as papers use it; does not use w",
        ),
        Entry("jpeg", "semcom.codecs.jpeg:Jpeg", "baseline JPEG; does not use w"),
        Entry(
            "jpeg2000",
            "semcom.codecs.jpeg2000:Jpeg2000",
            "JPEG 2000, an embedded stream of layers in the order of importance",
        ),
        Entry("webp", "semcom.codecs.webp:Webp", "lossy WebP; does not use w"),
        Entry(
            "avif",
            "semcom.codecs.avif:Avif",
            "AVIF 4:4:4 8-bit; does not use w",
            requires=("PIL._avif",),
            extra="avif",
        ),
        Entry(
            "av1",
            "semcom.codecs.av1:Av1",
            "libaom 4:4:4 10-bit; does not use w; slow",
            requires=("imageio_ffmpeg",),
            extra="codecs",
        ),
        Entry(
            "vvc",
            "semcom.codecs.vvc:Vvc",
            "VVenC 4:2:0 10-bit; does not use w; slow",
            requires=("imageio_ffmpeg",),
            extra="codecs",
        ),
        Entry(
            "layered",
            "semcom.codecs.layered:Layered",
            "a coarse picture plus refinements of important rectangles, over another codec",
        ),
        Entry(
            "scalable",
            "semcom.codecs.scalable:Scalable",
            "base layer plus residual layers, over base=hevc with layers=4",
        ),
        Entry(
            "learned",
            "semcom.codecs.learned.codec:Learned",
            "CompressAI's trained models; w steers those with a hyperprior alone",
            requires=("compressai",),
            extra="learned",
        ),
        Entry(
            "tiny",
            "semcom.codecs.tiny.codec:Tiny",
            "a wavelet with learned probabilities and a learned repair; w sets each block's step",
        ),
        Entry(
            "softcast",
            "semcom.codecs.softcast:Softcast",
            "analog: DCT coefficients as amplitudes, scaled by w",
        ),
        Entry(
            "hybrid",
            "semcom.codecs.hybrid:Hybrid",
            "analog: a digital base, hevc by default, refined by amplitudes",
        ),
        Entry(
            "jscc",
            "semcom.codecs.jscc.codec:Jscc",
            "analog: softcast's amplitudes, described in few bits and refined by a network",
        ),
        Entry(
            "sam_sc",
            "semcom.codecs.sam_sc.codec:SamSc",
            "analog: a small network's latents, with symbols by w: arXiv:2306.02094, repaired",
        ),
        Entry(
            "torch_jscc",
            "semcom.codecs.torch_jscc.codec:TorchJscc",
            "analog: your own network, module=package.module:Class with weights=FILE",
        ),
    ],
    group="semcom.codecs",
)
