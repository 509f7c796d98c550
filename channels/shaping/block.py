"""One code block with shaped amplitudes: probabilistic amplitude shaping over 5G NR LDPC.

The amplitudes of both axes of every symbol come from a matcher (:mod:`channels.shaping.matcher`),
which prefers weak ones. Their Gray labels are information bits of a systematic code, so that coding
leaves their frequencies alone. The signs are equally likely, as parity bits are; they are the
parity bits, and uniform information bits for the rest. The first 2Z information bits of 5G NR are
never sent, and are uniform too. The order of the information bits:

    2Z uniform | labels of the amplitudes, one after the other | uniform, sent as signs

The demapper is exact and knows the frequencies of the amplitudes. The rate is set by the counts of
the amplitudes alone: one code serves all rates of a modulation.

The code sends :data:`PARITY_COLUMNS` whole columns of parity bits of base graph 1. A part of a
column would cost up to 0.2 dB, as measured.

References
----------
G. Böcherer, F. Steiner, P. Schulte, "Bandwidth efficient and rate-matched low-density parity-check
coded modulation", IEEE Trans. Commun. 63(12), 2015, DOI 10.1109/TCOMM.2015.2494016; 3GPP TS 38.212
§5.3.2 and §5.4.2 for the code.

Leaves out: redundancy versions, and base graph 2.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.errors import InputError
from channels.fec.ldpc import ldpc_code
from channels.fec.ldpc.base_graph import INFO_COLUMNS, LIFTING_SETS
from channels.fec.ldpc.decoders import DEFAULT_DECODER
from channels.kernels.shaped import demap_shaped
from channels.shaping.matcher import Matcher, cheapest_counts
from channels.shaping.schemes import MAX_SYMBOLS

Bits = NDArray[np.uint8]

PARITY_COLUMNS = {4: 10, 6: 6, 8: 6}
"""Columns of parity bits that are sent, by bits per symbol: the best of those tried."""
MAX_ITERATIONS = 100
"""Decoder iterations; twice those of 5G blocks, which gains some 0.01 dB."""
_BASE_GRAPH = 1
_PUNCTURED = 2  # columns that are never sent
_IMPOSSIBLE = -1e9  # log probability of an amplitude that does not occur


class ShapedBlock:
    """A prepared block; :func:`shaped_block` caches it.

    Parameters
    ----------
    bits_per_symbol
        4, 6 or 8: QAM with 4, 8 or 16 levels per axis.
    num_bits
        Message bits.
    num_symbols
        Symbols, at most :data:`channels.shaping.schemes.MAX_SYMBOLS`.

    Attributes
    ----------
    code
        The LDPC code.
    num_uniform
        Message bits that are not matched to amplitudes: the last of the message.
    amplitudes
        The amplitudes at a mean symbol power of 1, float32 (L,), ascending.
    counts
        How often each of them occurs.

    Raises
    ------
    ValueError
        Another modulation, or sizes that do not fit together.

    Examples
    --------
    >>> block = shaped_block(6, 1600, 500)
    >>> message = np.random.default_rng(0).integers(0, 2, (1, 1600), dtype=np.uint8)
    >>> x = block.encode(message)
    >>> x.shape, round(float(x.abs().square().mean()), 5)
    (torch.Size([1, 500]), 1.0)
    >>> received, ok = block.decode(*block.matched(x, torch.ones(1), torch.tensor(0.05)))
    >>> bool(ok[0]), bool((received == message).all())
    (True, True)
    """

    def __init__(self, bits_per_symbol: int, num_bits: int, num_symbols: int) -> None:
        _check(bits_per_symbol, num_symbols)
        self.num_bits, self.num_symbols = num_bits, num_symbols
        num_coded, num_labels = bits_per_symbol * num_symbols, bits_per_symbol // 2 - 1
        parity = PARITY_COLUMNS[bits_per_symbol]
        columns = INFO_COLUMNS[_BASE_GRAPH] - _PUNCTURED + parity
        sizes = (size for sizes in LIFTING_SETS for size in sizes)
        size = min(size for size in sizes if columns * size >= num_coded)
        num_info = num_coded - (parity - _PUNCTURED) * size
        self.code = ldpc_code(num_info, num_coded, base_graph=_BASE_GRAPH)
        self._num_labelled = 2 * num_symbols * num_labels
        self._punctured = _PUNCTURED * self.code.lifting_size
        self.num_uniform = num_info - self._num_labelled
        num_matched = num_bits - self.num_uniform
        if num_matched < 0 or num_info - self._punctured < self._num_labelled:
            raise InputError(
                f"a shaped block of {num_symbols} symbols with {bits_per_symbol} bits needs a "
                f"message of at least {self.num_uniform} bits, got {num_bits}"
            )
        self.counts = cheapest_counts(2 * num_symbols, 1 << num_labels, num_matched)
        self._num_matched = num_matched
        frequencies = np.array(self.counts) / (2 * num_symbols)
        odd = np.arange(1, 2 << num_labels, 2.0)
        self.amplitudes = (odd / math.sqrt(2 * frequencies @ odd**2)).astype(np.float32)
        self._log_priors = np.full(len(odd), _IMPOSSIBLE, dtype=np.float32)
        np.log(frequencies, out=self._log_priors, where=frequencies > 0, casting="same_kind")
        index = np.arange(1 << num_labels)
        shifts = np.arange(num_labels - 1, -1, -1)
        self._labels = ((index ^ index >> 1)[:, None] >> shifts & 1).astype(np.uint8)

    @functools.cached_property
    def matcher(self) -> Matcher:
        """The numbering of the sequences of amplitudes."""
        return Matcher(self.counts)

    def encode(self, messages: Bits) -> Tensor:
        """Encode messages, uint8 bits (B, num_bits), as complex64 symbols (B, num_symbols)."""
        if messages.ndim != 2 or messages.shape[1] != self.num_bits:
            raise InputError(f"messages must have shape (B, {self.num_bits}), got {messages.shape}")
        matched = messages[:, : self._num_matched]
        sequences = [self.matcher.sequence(_number(message)) for message in matched]
        return self.send(np.stack(sequences), messages[:, self._num_matched :])

    def send(self, amplitudes: Bits, uniform: Bits) -> Tensor:
        """Code and map given amplitudes and uniform bits.

        Parameters
        ----------
        amplitudes
            Indices of amplitudes with these :attr:`counts`, uint8 (B, 2·num_symbols).
        uniform
            Bits, uint8 (B, num_uniform).
        """
        coded = self.code.encode(self.info_bits(amplitudes, uniform))
        negative = coded[:, self._num_labelled :]
        axes = self.amplitudes[amplitudes] * (1 - 2 * negative.astype(np.float32))
        return torch.from_numpy(axes.view(np.complex64))

    def info_bits(self, amplitudes: Bits, uniform: Bits) -> Bits:
        """Return the information bits of the code for the arguments of :meth:`send`."""
        labels = self._labels[amplitudes].reshape(len(amplitudes), -1)
        hidden, shown = np.split(uniform, [self._punctured], axis=1)
        return np.concatenate([hidden, labels, shown], axis=1)

    def matched(
        self, y: Tensor, h: Tensor, noise_var: Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what :meth:`decode` needs of a reception; both add up over receptions.

        Parameters
        ----------
        y, h, noise_var
            As a channel returns them; y is complex (B, num_symbols).

        Returns
        -------
        tuple[NDArray[np.float32], NDArray[np.float32]]
            ``2·conj(h)·y/N0`` and ``|h|²/N0`` by axis, (B, 2·num_symbols).
        """
        h = h.to(torch.complex64)
        inverse = 1 / torch.as_tensor(noise_var, dtype=torch.float32).clamp_min(1e-20)
        matched = (2 * h.conj() * y * inverse).to(torch.complex64).resolve_conj().contiguous()
        gain = ((h.real.square() + h.imag.square()) * inverse).expand(y.shape).float()
        axes = torch.view_as_real(matched).flatten(-2)
        return axes.numpy(force=True), np.repeat(gain.numpy(force=True), 2, axis=-1)

    def decode_info(
        self,
        matched: NDArray[np.float32],
        gain: NDArray[np.float32],
        max_iterations: int = MAX_ITERATIONS,
        decoder: str = DEFAULT_DECODER,
    ) -> tuple[Bits, NDArray[np.bool_]]:
        """Demap and decode: the code's information bits, and whether all checks are fulfilled."""
        llr = demap_shaped(
            np.ascontiguousarray(matched).reshape(-1),
            np.ascontiguousarray(gain).reshape(-1),
            self.amplitudes,
            self._log_priors,
            self._labels,
        ).reshape(*matched.shape, -1)
        signs, labels = llr[..., 0], llr[..., 1:].reshape(len(llr), -1)
        return self.code.decode(
            np.concatenate([labels, signs], axis=1), max_iterations, decoder=decoder
        )

    def decode(
        self,
        matched: NDArray[np.float32],
        gain: NDArray[np.float32],
        max_iterations: int = MAX_ITERATIONS,
        decoder: str = DEFAULT_DECODER,
    ) -> tuple[Bits, NDArray[np.bool_]]:
        """Decode blocks from the output of :meth:`matched`.

        Returns
        -------
        messages : NDArray[np.uint8]
            (B, num_bits); zeros where the amplitudes are no sequence of the matcher.
        ok : NDArray[np.bool_]
            Whether all checks are fulfilled and the amplitudes have their counts, (B,).
        """
        info, ok = self.decode_info(matched, gain, max_iterations, decoder)
        hidden, labels, shown = np.split(
            info, [self._punctured, self._punctured + self._num_labelled], axis=1
        )
        amplitudes = self._amplitudes_of(labels)
        messages = np.zeros((len(info), self.num_bits), dtype=np.uint8)
        for i, sequence in enumerate(amplitudes):
            number = self.matcher.index(sequence) if ok[i] else None
            if number is None or number.bit_length() > self._num_matched:
                ok[i] = False
                continue
            messages[i, : self._num_matched] = _bits(number, self._num_matched)
        messages[:, self._num_matched :] = np.concatenate([hidden, shown], axis=1)
        return messages, ok

    def _amplitudes_of(self, labels: Bits) -> Bits:
        """Undo the Gray labels, (B, labelled bits) to (B, 2·num_symbols)."""
        grouped = labels.reshape(len(labels), 2 * self.num_symbols, -1)
        binary = np.bitwise_xor.accumulate(grouped, axis=-1)
        weights = 1 << np.arange(binary.shape[-1] - 1, -1, -1)
        return np.asarray((binary @ weights).astype(np.uint8))


@functools.lru_cache(maxsize=64)
def shaped_block(bits_per_symbol: int, num_bits: int, num_symbols: int) -> ShapedBlock:
    """Return the cached :class:`ShapedBlock` of these sizes.

    Examples
    --------
    >>> shaped_block(6, 1600, 500) is shaped_block(6, 1600, 500)
    True
    >>> shaped_block(2, 1600, 500)
    Traceback (most recent call last):
    channels.errors.InputError: shaped blocks have 4, 6, 8 bits per symbol, got 2
    """
    return ShapedBlock(bits_per_symbol, num_bits, num_symbols)


def _check(bits_per_symbol: int, num_symbols: int) -> None:
    if bits_per_symbol not in MAX_SYMBOLS:
        choices = ", ".join(map(str, MAX_SYMBOLS))
        raise InputError(f"shaped blocks have {choices} bits per symbol, got {bits_per_symbol}")
    if not 1 <= num_symbols <= MAX_SYMBOLS[bits_per_symbol]:
        raise InputError(
            f"a shaped block of {bits_per_symbol} bits per symbol has 1 to "
            f"{MAX_SYMBOLS[bits_per_symbol]} symbols, got {num_symbols}"
        )


def _number(bits: Bits) -> int:
    """Read bits, the highest first, as a whole number."""
    padded = np.pad(bits, (-len(bits) % 8, 0))
    return int.from_bytes(np.packbits(padded).tobytes(), "big")


def _bits(number: int, count: int) -> Bits:
    """Write a whole number as ``count`` bits, the highest first."""
    packed = np.frombuffer(number.to_bytes(-(-count // 8), "big"), dtype=np.uint8)
    return np.unpackbits(packed)[-count:] if count else np.empty(0, dtype=np.uint8)
