"""SwinJSCC with rate adaptation: one network for all bandwidths, after its public description.

The tokens x of the last stage are multiplied by what the SNR asks for, then by what the rate asks
for, m = f(x, k), and the k of their C channels with the largest sum of m over all tokens are sent:
k/2 channel uses for each token, of at most C/2. The receiver puts them back to their places, with 0
elsewhere. Which channels were sent is side information: here it is C bits for each image, which are
sent and paid for, while the authors' code multiplies by the mask at the receiver free of charge.
The decoder is told the SNR, but not the rate. Names of parts are those of the public files.

The rate k is the largest that fits into the channel uses; the authors trained a few only (32 to 192
of 320 channels), and what lies between or beyond them is for the network to extrapolate.

References
----------
K. Yang et al., "SwinJSCC: Taming Swin Transformer for Deep Joint Source-Channel Coding",
arXiv:2308.09361; semcomm/SwinJSCC, ``net/encoder.py`` (7a9dea0), ``net/decoder.py`` (96176d9) and
``net/network.py`` (11bc9db).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from semcom.codecs.torch_jscc.swin_jscc import Decoder, Encoder, Shape
from semcom.codecs.torch_jscc.swin_modulator import Modulator


class _Encoder(Encoder):
    """``bm_list`` and ``sm_list`` are told the rate; the SNR has layers of its own."""

    def __init__(self, shape: Shape, *, by_snr: bool) -> None:
        super().__init__(shape)
        if by_snr:
            self.bm_list1, self.sm_list1 = Modulator.of(shape.widths[-1])


class SwinRates(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    shape
        Its size; ``latents`` is 0.
    by_snr
        Whether both ends are told the SNR: SwinJSCC_w/_SAandRA; otherwise SwinJSCC_w/_RA.

    Examples
    --------
    >>> network = SwinRates(Shape((8, 16), (2, 2), (2, 2), window=2, latents=0)).eval()
    >>> with torch.inference_mode():
    ...     latents, sent = network.encode(torch.zeros(1, 3, 32, 48), 10.0, num_symbols=300)
    ...     shown = network.decode(latents, 10.0, sent)
    >>> latents.shape, sent.shape, shown.shape  # 6 of 16 channels fit
    (torch.Size([1, 8, 12, 6]), torch.Size([1, 16]), torch.Size([1, 3, 32, 48]))
    """

    def __init__(self, shape: Shape, *, by_snr: bool = True) -> None:
        super().__init__()
        self.adaptive = by_snr
        self.multiple = shape.window * 2 ** len(shape.widths)
        """Sides of pictures are multiples of this."""
        self.encoder, self.decoder = _Encoder(shape, by_snr=by_snr), Decoder(shape)

    def encode(self, image: Tensor, snr_db: float, num_symbols: int) -> tuple[Tensor, Tensor]:
        """Return the channels (B, H/2ⁿ, W/2ⁿ, k) of an image that fit, and which they are.

        At least one is sent. ``side_bits`` says which, bool (B, C).
        """
        end = self.encoder
        x = end.tokens(image)
        if self.adaptive:
            x = x * Modulator(end.bm_list1, end.sm_list1).factors(x, snr_db)
        tokens, channels = x[0, ..., 0].numel(), x.shape[-1]
        rate = min(max(1, 2 * num_symbols // tokens), channels)
        factors = Modulator(end.bm_list, end.sm_list).factors(x, rate)
        order = factors.sum(dim=(1, 2)).argsort(dim=1, descending=True, stable=True)
        side_bits = torch.zeros_like(order, dtype=torch.bool).scatter(1, order[:, :rate], True)
        latents = (x * factors)[_places(side_bits, x)].reshape(*x.shape[:3], rate)
        return latents, side_bits

    def decode(self, latents: Tensor, snr_db: float, side_bits: Tensor) -> Tensor:
        """Return the picture (B, 3, H, W) of the channels that were received.

        Raises
        ------
        ValueError
            ``side_bits`` has other numbers of channels.
        """
        rates = side_bits.sum(dim=1)
        if (rates != latents.shape[-1]).any():
            raise ValueError(f"{latents.shape[-1]} channels sent, {rates.tolist()} marked as sent")
        x = latents.new_zeros(*latents.shape[:3], side_bits.shape[1])
        x[_places(side_bits, x)] = latents.reshape(-1)
        end = self.decoder
        return end.picture(end.gated(x, snr_db) if self.adaptive else x)


def _places(side_bits: Tensor, x: Tensor) -> Tensor:
    """Return which values of tokens (B, H, W, C) are sent."""
    return side_bits[:, None, None].expand(x.shape)
