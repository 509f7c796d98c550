"""semcom: a simulator of semantic image communication.

``semcom.send(image, …)`` takes an image from its file to its score, ``semcom.compare`` does so
blind and by importance, ``semcom.sweep`` at many SNRs and bandwidths. Everything is imported on
first use, so that ``import semcom`` costs nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semcom.agreement import Link as Link
    from semcom.attention import attend as attend
    from semcom.comparison import Comparison as Comparison
    from semcom.comparison import compare as compare
    from semcom.comparison import sweep as sweep
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
    "Comparison": "comparison",
    "compare": "comparison",
    "send": "session",
    "sweep": "comparison",
    "Link": "agreement",
    "Mask": "types",
    "Prompts": "types",
}
__all__ = sorted(_HOME)


def check_not_hidden(package: str) -> None:
    """Refuse to go on where Python finds something else under the name of a package of ours.

    A folder ``channels`` of the user's beside a script, with an ``__init__.py``, comes before ours.

    Raises
    ------
    ImportError
        What hides our package, and what to do.
    """
    ours = Path(__file__).parents[1] / package / "__init__.py"
    spec = importlib.util.find_spec(package)
    found = ours if spec is None or spec.origin is None else Path(spec.origin)
    if ours.exists() and found.resolve() != ours.resolve():
        raise ImportError(
            f"{found} hides semcom's own package {package!r}: rename it, or start Python elsewhere"
        )


check_not_hidden("channels")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'semcom' has no attribute {name!r}")
    return getattr(importlib.import_module(f"semcom.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
