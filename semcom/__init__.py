"""semcom: a simulator of semantic image communication.

``semcom.send(image, …)`` sends one image and scores the result. ``semcom.compare`` sends it with
and without importance, and ``semcom.sweep`` does so at many SNRs and bandwidths. The public names
are listed in ``__init__.pyi``; each is imported on first use, so that ``import semcom`` is fast.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def check_not_hidden(package: str) -> None:
    """Raise an error if another module or folder hides one of our packages.

    For example, a user's folder ``channels`` with an ``__init__.py``, beside a script, takes
    precedence over ours.

    Raises
    ------
    ImportError
        The message names the file that hides our package, and the remedy.
    """
    ours = Path(__file__).parents[1] / package / "__init__.py"
    spec = importlib.util.find_spec(package)
    found = ours if spec is None or spec.origin is None else Path(spec.origin)
    if ours.exists() and found.resolve() != ours.resolve():
        raise ImportError(
            f"{found} hides semcom's own package {package!r}: rename it, or start Python from "
            "another folder"
        )


check_not_hidden("channels")
