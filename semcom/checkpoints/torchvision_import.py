"""Import of torchvision that works even if its compiled part does not fit the installed torch."""

from __future__ import annotations

import importlib
import sys

import torch

_declared: list[torch.library.Library] = []  # a Library takes its ops along when it is collected


def import_torchvision() -> None:
    """Import torchvision, so that packages that need only its Python part can be imported.

    PyPI's torchvision is built for CUDA. Its extension does not load with a CPU build of torch, and
    its import then fails, because it describes operators that have not been declared. MobileSAM and
    timm use none of them, so it is enough to declare their schemas; calling one still fails.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    else:
        return
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # modules left half-initialised by the failed import
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for op in ("nms", "qnms"):
        schema = f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
    importlib.import_module("torchvision")
