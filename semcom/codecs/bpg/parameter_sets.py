"""The parameter sets of HEVC, and the few fields of them that a BPG file keeps.

BPG leaves out the video parameter set (VPS) and reduces the sequence parameter set (SPS) to the
fields that an encoder may choose. A reader writes both anew. Sources: ITU-T H.265, 7.3.2; BPG
specification 0.9.5, sections 3.1 and 3.2 (``doc/bpg_spec.txt`` of libbpg).
"""

from __future__ import annotations

from dataclasses import dataclass

from semcom.codecs.base import DecodeError
from semcom.codecs.bpg.bits import BitReader, BitWriter, escaped, unescaped

START = b"\x00\x00\x00\x01"
_RANGE_FLAGS = 9
_FORBIDDEN = 0b000110101  # of the range extension: BPG specification, section 3.3


@dataclass(frozen=True)
class Tools:
    """The fields of an SPS that a BPG file keeps, in the words of the standard."""

    min_block: int
    """log2_min_luma_coding_block_size_minus3; the others follow in the order of the file."""
    block_range: int
    min_transform: int
    transform_range: int
    depth_intra: int
    adaptive_offset: int
    strong_smoothing: int
    range_flags: int | None
    """The nine flags of the range extension; None without it."""

    def pack(self) -> bytes:
        """Return the fields as BPG's ``hevc_header`` has them, without its length."""
        out = BitWriter()
        self._write_blocks(out)
        out.golomb(self.depth_intra)
        out.fixed(1, self.adaptive_offset)
        out.fixed(1, 0)  # no PCM
        out.fixed(1, self.strong_smoothing)
        self._write_extension(out)
        return out.padded()

    @classmethod
    def unpack(cls, data: bytes) -> Tools:
        """Read the output of :meth:`pack`; ``DecodeError`` for what no BPG file may have."""
        bits = BitReader(data)
        a, b, c, d = (bits.golomb() for _ in range(4))
        depth = bits.golomb()
        adaptive, pcm, smoothing = (bits.fixed(1) for _ in range(3))
        if pcm:
            raise DecodeError("PCM blocks in a BPG file are not supported")
        return cls(a, b, c, d, depth, adaptive, smoothing, _read_extension(bits))

    def _write_blocks(self, out: BitWriter) -> None:
        for value in (self.min_block, self.block_range, self.min_transform, self.transform_range):
            out.golomb(value)

    def _write_extension(self, out: BitWriter) -> None:
        out.fixed(1, self.range_flags is not None)
        if self.range_flags is not None:
            out.fixed(1, 1)
            out.fixed(7, 0)
            out.fixed(_RANGE_FLAGS, self.range_flags)

    def sequence(self, height: int, width: int, chroma_format: int) -> bytes:
        """Return VPS and SPS with start codes for a picture of 8 bits per sample.

        ``height`` and ``width`` are multiples of the smallest coding block, in pixels.
        ``chroma_format`` is 1 for 4:2:0 and 3 for 4:4:4.
        """
        out = BitWriter()
        out.fixed(8, 0b00000001)  # VPS 0, one layer, temporal nesting
        _write_profile(out)
        out.golomb(0)
        out.golomb(chroma_format)
        if chroma_format == 3:
            out.fixed(1, 0)
        out.golomb(width)
        out.golomb(height)
        out.fixed(1, 0)
        for value in (0, 0, 4):  # 8 bits of luma and chroma, 8 bits of the picture's number
            out.golomb(value)
        _write_ordering(out)
        self._write_blocks(out)
        out.golomb(self.depth_intra)  # the depth of inter prediction, which BPG takes to be equal
        out.golomb(self.depth_intra)
        out.fixed(2, 0b01)  # no scaling list; asymmetric partitions
        out.fixed(2, self.adaptive_offset << 1)
        out.golomb(0)
        out.fixed(2, 0b01)  # no long-term pictures; temporal motion vectors
        out.fixed(2, self.strong_smoothing << 1)
        self._write_extension(out)
        out.fixed(1, 1)
        return START + _video() + START + b"\x42\x01" + escaped(out.padded())


def tools_of(unit: bytes) -> Tools:
    """Read the fields from an SPS unit without its start code, as x265 writes it."""
    bits = BitReader(unescaped(unit)[2:])
    bits.fixed(4)
    if bits.fixed(3):
        raise DecodeError("the SPS has several layers")
    bits.fixed(1 + 88 + 8)
    bits.golomb()
    if bits.golomb() == 3:
        bits.fixed(1)
    bits.golomb()
    bits.golomb()
    if bits.fixed(1):
        for _ in range(4):
            bits.golomb()
    bits.golomb()
    bits.golomb()
    if bits.golomb() != 4:
        raise DecodeError("BPG needs picture numbers of 8 bits")
    bits.fixed(1)
    for _ in range(3):
        bits.golomb()
    a, b, c, d = (bits.golomb() for _ in range(4))
    bits.golomb()
    depth = bits.golomb()
    if bits.fixed(1):
        raise DecodeError("BPG allows no scaling lists")
    bits.fixed(1)
    adaptive = bits.fixed(1)
    if bits.fixed(1):
        raise DecodeError("PCM blocks are not supported")
    if bits.golomb() or bits.fixed(1):
        raise DecodeError("BPG allows no reference pictures")
    bits.fixed(1)
    smoothing = bits.fixed(1)
    # What follows is for display alone, apart from the range extension, which x265 does not use.
    return Tools(a, b, c, d, depth, adaptive, smoothing, None)


def _read_extension(bits: BitReader) -> int | None:
    if not bits.fixed(1):
        return None
    range_present, others = bits.fixed(1), bits.fixed(7)
    flags = bits.fixed(_RANGE_FLAGS) if range_present else 0
    if others or flags & _FORBIDDEN:
        raise DecodeError("the BPG file uses extensions of HEVC that BPG does not have")
    return flags


def _video() -> bytes:
    """Return the VPS, which is the same for all pictures."""
    out = BitWriter()
    out.fixed(6, 0b000011)  # VPS 0, a base layer
    out.fixed(6, 0)
    out.fixed(4, 1)
    out.fixed(16, 0xFFFF)
    _write_profile(out)
    _write_ordering(out)
    out.fixed(6, 0)
    out.golomb(0)
    out.fixed(2, 0)
    out.fixed(1, 1)
    return b"\x40\x01" + escaped(out.padded())


def _write_profile(out: BitWriter) -> None:
    """Write the profile of range extensions, which has all that BPG allows, at level 8.5."""
    out.fixed(8, 4)
    out.fixed(32, 1 << 27)
    out.fixed(48, 0b1001 << 44)  # progressive, frames only
    out.fixed(8, 255)


def _write_ordering(out: BitWriter) -> None:
    out.fixed(1, 1)
    for _ in range(3):
        out.golomb(0)
