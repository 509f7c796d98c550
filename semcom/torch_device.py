"""The devices that torch computes on."""

from __future__ import annotations

from semcom.errors import InputError


def check_device(device: str) -> None:
    """Refuse a device that torch does not have; raise ``ValueError`` with torch's reason."""
    import torch

    try:
        if torch.empty(0, device=device).is_meta:
            raise RuntimeError("it holds no numbers")
    except (RuntimeError, AssertionError, ImportError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {device!r} is not available: {reason}") from error
