"""DeepJSCC's architecture, from its description.

Five convolutions of 5x5 lead from pixels to ``channels`` real latents at 1/4 of the resolution, and
five transposed convolutions lead back; each is followed by PReLU, the last one by a sigmoid. Two
latents are a symbol, so that a picture of H x W pixels takes ``channels · H · W / 32`` channel
uses, a CBR of ``channels / 96``. No trained weights come with it.

References
----------
E. Bourtsoulatze, D. Burth Kurka, D. Gündüz, "Deep Joint Source-Channel Coding for Wireless Image
Transmission", IEEE Transactions on Cognitive Communications and Networking 5 (2019),
arXiv:1809.01733, figure 2.
"""

from __future__ import annotations

from torch import Tensor, nn

_WIDTHS = (16, 32, 32, 32)


class DeepJscc(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    channels
        Real latents for each 4x4 pixels: 96 times the CBR.
    same
        Whether the strided convolutions pad the picture, as the paper's do. Without padding, those
        of the decoder are 6x6, as in a public implementation.

    Examples
    --------
    >>> import torch
    >>> network = DeepJscc(channels=8).eval()
    >>> with torch.inference_mode():
    ...     latents = network.encode(torch.zeros(1, 3, 32, 48))
    ...     shown = network.decode(latents)
    >>> latents.shape, shown.shape
    (torch.Size([1, 8, 8, 12]), torch.Size([1, 3, 32, 48]))
    """

    def __init__(self, channels: int = 16, *, same: bool = True) -> None:
        super().__init__()
        pad = 2 if same else 0
        encoder: list[nn.Module] = []
        before = 3
        for width, stride in zip((*_WIDTHS, channels), (2, 2, 1, 1, 1), strict=True):
            padding = 2 if stride == 1 else pad
            encoder += [nn.Conv2d(before, width, 5, stride, padding), nn.PReLU()]
            before = width
        decoder: list[nn.Module] = []
        before = channels
        for width in (32, 32, 32):
            decoder += [nn.ConvTranspose2d(before, width, 5, 1, 2), nn.PReLU()]
            before = width
        for width in (16, 3):
            up = (5, 2, 2, 1) if same else (6, 2, 0, 0)
            decoder += [nn.ConvTranspose2d(before, width, *up), nn.PReLU()]
            before = width
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder[:-1], nn.Sigmoid())

    def encode(self, image: Tensor) -> Tensor:
        """Return latents of mean power 1, (B, channels, H/4, W/4), of an image (B, 3, H, W)."""
        latents: Tensor = self.encoder(image)
        power = latents.square().mean(dim=(1, 2, 3), keepdim=True)
        return latents / (power + 1e-12).sqrt()

    def decode(self, latents: Tensor) -> Tensor:
        """Return the picture (B, 3, H, W), from 0 to 1, of received latents."""
        shown: Tensor = self.decoder(latents)
        return shown
