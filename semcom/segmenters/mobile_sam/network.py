"""MobileSAM's network from the package ``mobile_sam``, prepared for inference."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.errors import InputError
from semcom.segmenters.mobile_sam.encoder import SIZES, build_encoder, size_of

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam


def build_model(
    state_dict: Mapping[str, Tensor] | None = None, *, seed: int = 0, device: str = "cpu"
) -> Sam:
    """Build MobileSAM in eval mode, with an encoder rearranged for speed.

    Parameters
    ----------
    state_dict
        The weights, under the names of the official checkpoint; if None, random ones. The size of
        the encoder follows from them.
    seed
        Seed of the random weights.
    device
        Device on which torch computes.

    Raises
    ------
    ValueError
        ``state_dict`` belongs to another network, or holds NaN or infinity.
    """
    import_mobile_sam()
    from mobile_sam.build_sam import build_sam_vit_t

    with torch.random.fork_rng(devices=[]):  # leaves the caller's generator unchanged
        torch.default_generator.manual_seed(seed)
        model = build_sam_vit_t()
        if state_dict is not None:
            size = size_of(state_dict)
            if size and size != SIZES["mobile_sam"]:
                model.image_encoder = build_encoder(size)
            _check_fit(model.state_dict(), state_dict)
            model.load_state_dict(state_dict)
        model.eval()
        prepare_encoder(model.image_encoder)
    return model.to(device)


def prepare_encoder(encoder: nn.Module) -> None:
    """Put an encoder, in place, in eval mode and in the form that is fast."""
    encoder.eval()  # after loading, since TinyViT lays out its attention biases here
    _fold_batch_norms(encoder)
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster


def import_mobile_sam() -> None:
    """Import the package ``mobile_sam`` without the warnings that its import raises."""
    import_torchvision()
    with warnings.catch_warnings():  # about names that timm has moved
        warnings.filterwarnings("ignore", ".*deprecated, please import via timm", FutureWarning)
        warnings.filterwarnings("ignore", "Overwriting tiny_vit", UserWarning)
        warnings.filterwarnings("ignore", ".*torch.jit.script", DeprecationWarning)
        importlib.import_module("mobile_sam.build_sam")


def _check_fit(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Refuse weights of another network in one line (torch's own message has hundreds)."""
    problems = {
        "missing": [k for k in expected if k not in given],
        "unknown": [k for k in given if k not in expected],
        "of another shape": [
            k for k in expected if k in given and expected[k].shape != given[k].shape
        ],
    }
    told = [f"{len(keys)} {what} ({keys[0]}, …)" for what, keys in problems.items() if keys]
    if told:
        raise InputError(f"the checkpoint is not MobileSAM's; tensors {', '.join(told)}")
    for name, tensor in given.items():
        if not bool(tensor.isfinite().all()):
            raise InputError(f"the checkpoint is damaged: {name} holds NaN or infinity")


def _fold_batch_norms(module: nn.Module) -> None:
    """Replace each convolution with batch norm by one convolution, in place, to save passes."""
    for name, child in module.named_children():
        if type(child).__name__ == "Conv2d_BN":
            fuse: Any = child.fuse
            setattr(module, name, fuse())
        else:
            _fold_batch_norms(child)
