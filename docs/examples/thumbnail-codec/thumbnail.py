"""The pixels of a shrunken picture as amplitudes, two to a symbol."""

import struct

import numpy as np
import torch
from PIL import Image as PilImage

from semcom import AnalogSignal, DecodeError, Image, Packet, grey, only_packet


def resized(image: Image, height: int, width: int) -> Image:
    return np.asarray(PilImage.fromarray(image).resize((width, height)))


class Thumbnail:
    analog = True
    steerable = False

    def encode(self, image, w, num_symbols, snr_db) -> AnalogSignal:  # noqa: ARG002 - no use for w
        share = min(1, (2 * num_symbols / image.size) ** 0.5)
        height, width = (max(1, int(share * side)) for side in image.shape[:2])
        pixels = resized(image, height, width).ravel()[: 2 * num_symbols]
        values = np.zeros(2 * num_symbols, dtype=np.float32)
        values[: len(pixels)] = pixels - 128.0
        scale = np.sqrt(2 * np.square(values).mean())
        x = (values / scale).view(np.complex64) if scale else np.zeros(0, dtype=np.complex64)
        side = Packet(struct.pack(">HHf", height, width, scale))
        return AnalogSignal(torch.from_numpy(x), (side,))

    def decode(self, y, h, noise_var, side, height, width) -> Image:
        packet = only_packet("thumbnail", side)
        if packet is None:
            return grey(height, width)
        rows, columns, scale = struct.unpack(">HHf", packet) if len(packet) == 8 else (0, 0, 0)
        if not (0 < rows <= height and 0 < columns <= width and 0 <= scale < 1e4):
            raise DecodeError(f"no {columns}x{rows} pixels of scale {scale}")
        x = h.conj() * y / (h.abs().square() + noise_var + 1e-12)  # symbols have mean power 1
        values = np.zeros(max(3 * rows * columns, 2 * len(y)))
        values[: 2 * len(y)] = scale * torch.view_as_real(x).numpy().ravel()
        small = np.clip(np.rint(128 + values[: 3 * rows * columns]), 0, 255).astype(np.uint8)
        return resized(small.reshape(rows, columns, 3), height, width)
