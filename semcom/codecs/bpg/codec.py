"""BPG, the source code of the separation baseline in papers on semantic communication.

A BPG file (https://bellard.org/bpg) is an intra picture of x265 with a short header. The file is
one packet, as papers send it: any loss loses the picture. There is no importance in it, so that
``w`` cannot steer it. The quality is an integer QP, and the search takes the lowest that fits.

By default, FFmpeg's x265 encodes, with the parameters of libbpg
(:mod:`semcom.codecs.bpg.encoder`); with ``program``, libbpg's own bpgenc does. Either way the
packet is a real BPG file, with BPG's header counted as BPG counts it, and the receiver reads it
with FFmpeg's HEVC decoder and libbpg's filters (:mod:`semcom.codecs.bpg.planes`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semcom.codecs.base import DecodeError, check_sides, grey, only_packet, weighted_gain
from semcom.codecs.bpg import encoder
from semcom.codecs.bpg import program as programs
from semcom.codecs.bpg.container import read_file, write_file
from semcom.codecs.bpg.planes import from_planes, to_planes
from semcom.codecs.parts.rate_control import best_level
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map, Packet

_CHROMA = ("420", "444")
_MAX_QP = 51
_LEVELS = range(_MAX_QP + 1)
_SLOPE = 0.12  # typical growth of ln(size) for one QP less
_GUESS_BITS = 8  # bits per pixel at QP 0, about; each QP more divides them by e^_SLOPE
_MAX_SIDE = 16_384


class Bpg:
    """BPG files in one packet, at 8 bit.

    Parameters
    ----------
    chroma
        ``"420"``, the default of bpgenc and of most papers, or ``"444"``.
    program
        Path of libbpg's bpgenc, to encode with it; empty: x265 in FFmpeg.
    decoder
        Path of libbpg's bpgdec, by default the one beside ``program``. The sender compares its
        picture with the receiver's, and the record says by how many grey levels they differ at
        most (``bpgdec_difference``). It is not used without ``program``.

    Raises
    ------
    ValueError
        Another ``chroma``, or a program that cannot be run.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:64, :64].copy()
    >>> stream = Bpg().encode(photo, np.ones((64, 64), dtype=np.float32), max_bits=8_000)
    >>> stream.packets[0].data[:3], stream.num_bits <= 8_000
    (b'BPG', True)
    >>> Bpg(chroma="422")
    Traceback (most recent call last):
    channels.errors.InputError: bpg: unknown chroma '422'; choices: 420, 444
    """

    steerable = False

    def __init__(self, *, chroma: str = "420", program: str = "", decoder: str = "") -> None:
        if chroma not in _CHROMA:
            raise InputError(f"bpg: unknown chroma {chroma!r}; choices: {', '.join(_CHROMA)}")
        if decoder and not program:
            raise InputError("bpg: decoder checks what program wrote; give program as well")
        self.chroma = chroma
        self._program = programs.find(program) if program else ""
        self._decoder = (
            programs.find(decoder) if decoder else programs.beside(self._program) if program else ""
        )

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest QP that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("bpg", height, width, _MAX_SIDE)
        planes = to_planes(image, self.chroma)
        files: dict[int, bytes] = {}

        def size_bits(level: int) -> int:
            qp = _MAX_QP - level
            if self._program:
                files[level] = programs.encode(self._program, image, qp, self.chroma)
            else:
                stream = encoder.encode(planes, qp, self.chroma)
                files[level] = write_file(stream, height, width, self.chroma)
            return 8 * len(files[level])

        guess = _guess(max_bits / (height * width))
        level = best_level(size_bits, _LEVELS, max_bits, guess=guess, slope=_SLOPE)
        shown = self.decode([files[level]], height, width)
        info: dict[str, float | str] = {"qp": _MAX_QP - level, "chroma": self.chroma}
        if self._decoder:
            theirs = programs.decode(self._decoder, files[level]).astype(np.int64)
            info["bpgdec_difference"] = int(np.abs(theirs - shown).max())
        gain = weighted_gain(image, shown, w)
        return Bitstream((Packet(files[level], gain),), info)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        file = only_packet("bpg", packets)
        if file is None:
            return grey(height, width)
        check_sides("bpg", height, width, _MAX_SIDE, DecodeError)
        return from_planes(read_file(file, height, width), height, width)


def _guess(bits_per_pixel: float) -> int:
    """Return the level at which a photo usually has so many bits per pixel."""
    steps = np.log(_GUESS_BITS / max(bits_per_pixel, 1e-9)) / _SLOPE
    return int(np.clip(_MAX_QP - steps, _LEVELS[0], _LEVELS[-1]))
