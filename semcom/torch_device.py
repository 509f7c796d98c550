"""The devices that torch computes on."""

from __future__ import annotations

from semcom.errors import InputError


def check_device(device: str) -> None:
    """Refuse a device that torch does not have; raise ``ValueError`` with torch's reason."""
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {device!r} is not available: {reason}") from error
