"""semcom: a simulator of semantic image communication.

``semcom.send(image, …)`` takes an image from its file to its score, ``semcom.compare`` does so
blind and by importance, ``semcom.sweep`` at many SNRs and bandwidths. The public names stand in
``__init__.pyi``; each is imported on first use, so that ``import semcom`` costs nothing.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


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
