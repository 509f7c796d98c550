"""A report to click on: of three systems, with words that would act."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from matplotlib.figure import Figure
from PIL import Image as PilImage

from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.report.page import build
from experiments.running.runner import run
from experiments.store.study import read_results
from experiments.suites.suite import Suite

EVIL = "</script><script>document.title='evil'</script>"
ROWS = (("img10", 9.5), ("img2", 10.0), ("", 2.0), (EVIL, None), ("img1", -3.25))


def make_report(folder: Path) -> Path:
    """Make a report of three systems, the third of which was not tried on every channel."""
    images = folder / f"{EVIL.partition('/')[0]}"
    images.mkdir()
    face = skimage.data.astronaut()[60:108, 190:254]
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    for name in ("a", "b"):
        turned = face if name == "a" else np.ascontiguousarray(face[:, ::-1])
        PilImage.fromarray(turned).save(images / f"{name}.png")
        PilImage.fromarray(mask).save(images / f"{name}_mask.png")
    suite = Suite.model_validate(
        {
            "title": f"Faces {EVIL}",
            "images": str(images),
            "segmenter": "beside",
            "systems": {"masks": {}, "blind": {"blind": True}, EVIL: {"theta": 0.8}},
            "anchor": "blind",
            "channel": ["awgn", "rayleigh"],
            "cbr": ["1/2", "1"],
            "snr_db": [10, 20],
            "exclude": [{"system": EVIL, "channel": "rayleigh"}],
            "draws": 2,
        }
    )
    results = run(suite, folder, say=lambda *_: None).path
    figure = Figure(figsize=(7, 2))
    figure.subplots().plot([1, 2])
    caption = "A caption. " * 9
    numbers = Table("rate", "Rate", caption, ("CBR", "PSNR"), (("1/16", 31.123456789), ("1/4", 40)))
    wide = tuple(f"a long name of column {i}" for i in range(9))
    tables = [
        Table("names", "Names", caption, ("name", "gain"), ROWS),
        Table("wide", "Wide", caption, wide, (tuple("x" * 20 for _ in wide),)),
    ]
    path = folder / "report.html"
    page = build(read_results(results), results, [Drawing(lambda: figure, numbers)], tables)
    path.write_text(page, encoding="utf-8")
    return path
