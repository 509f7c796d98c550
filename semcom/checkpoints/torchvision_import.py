"""Import torchvision also where its compiled part does not fit the installed torch."""

from __future__ import annotations

import importlib
import sys

import torch

_declared: list[torch.library.Library] = []  # a Library that is collected takes its ops with it


def import_torchvision() -> None:
    """Import torchvision; afterwards packages that need only its Python part import as well.

    PyPI's torchvision is built for CUDA. Beside a CPU build of torch its extension does not load,
    and its import then fails, because it describes operators that nobody declared. MobileSAM and
    timm use none of them, so that declaring their schemas is enough; calling one still fails.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    else:
        return
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # the failed import's half-made modules
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for op in ("nms", "qnms"):
        schema = f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
    importlib.import_module("torchvision")
