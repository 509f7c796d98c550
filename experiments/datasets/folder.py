"""The user's folder of data sets."""

from __future__ import annotations

import os
from pathlib import Path

from channels.owner import expanded

ENVIRONMENT = "SEMCOM_DATA"


def data_folder(name: str) -> Path | None:
    """Return the user's own copy of a data set, ``$SEMCOM_DATA/NAME``; None if there is none."""
    root = os.environ.get(ENVIRONMENT)
    folder = expanded(root) / name if root else None
    return folder if folder is not None and folder.is_dir() else None
