"""A DCT of every strip of 32 rows, rounded to a step and squeezed by bz2."""

import bz2
from collections.abc import Sequence

import numpy as np
from scipy.fft import dctn, idctn

from semcom import DecodeError, best_level, conceal, grey, weighted_gain
from semcom.types import Bitstream, Image, Map, Packet

STEPS = 2048 * 2.0 ** -(np.arange(256) / 24)  # one byte names a quantiser step


class Strips:
    steerable = True

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        cuts = [slice(top, top + 32) for top in range(0, len(image), 32)]
        spectra = [dctn(image[cut] - 128.0, norm="ortho") for cut in cuts]
        finer = [round(12 * np.log2(max(w[cut].mean(), 1e-3))) for cut in cuts]  # step ~ w^-1/2

        def packets(level: int) -> list[bytes]:
            levels = [min(max(level + offset, 0), 255) for offset in finer]
            rounded = [np.rint(s / STEPS[k]) for s, k in zip(spectra, levels, strict=True)]
            squeezed = [bz2.compress(r.astype("<i4").tobytes()) for r in rounded]
            return [bytes([k]) + data for k, data in zip(levels, squeezed, strict=True)]

        def size_bits(level: int) -> int:
            return 8 * sum(map(len, packets(level)))

        level = best_level(size_bits, range(256), max_bits, guess=100, slope=0.03)
        shown = self.decode(packets(level), *w.shape)
        gains = [weighted_gain(image[cut], shown[cut], w[cut]) for cut in cuts]
        return Bitstream(tuple(map(Packet, packets(level), gains)), {"level": level})

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        image, received = grey(height, width), np.zeros((height, width), dtype=bool)
        try:
            for top, packet in zip(range(0, height, 32), packets, strict=True):
                if packet is not None:
                    part = image[top : top + 32]
                    raw = bz2.BZ2Decompressor().decompress(packet[1:], 4 * part.size)
                    spectrum = np.frombuffer(raw, "<i4").reshape(part.shape) * STEPS[packet[0]]
                    part[:] = np.clip(np.rint(idctn(spectrum, norm="ortho") + 128), 0, 255)
                    received[top : top + 32] = True
        except (OSError, ValueError) as error:
            raise DecodeError(f"not the packets of this image: {error}") from None
        return conceal(image, received)
