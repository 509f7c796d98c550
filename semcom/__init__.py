"""semcom: a simulator of semantic image communication.

``semcom.send(image, …)`` takes an image from its file to its score. Everything is imported on
first use, so that ``import semcom`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semcom.agreement import Link as Link
    from semcom.attention import attend as attend
    from semcom.images import load_image as load_image
    from semcom.link import Delivery as Delivery
    from semcom.link import deliver as deliver
    from semcom.session import send as send
    from semcom.types import Mask as Mask
    from semcom.types import Prompts as Prompts

_HOME = {
    "attend": "attention",
    "load_image": "images",
    "Delivery": "link",
    "deliver": "link",
    "send": "session",
    "Link": "transmitter",
    "Mask": "types",
    "Prompts": "types",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'semcom' has no attribute {name!r}")
    return getattr(importlib.import_module(f"semcom.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
