"""Results for a report, and the report as a parser reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

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

EVIL = "</script><script>alert('1')</script> & <b>\"x\"</b>"
ROWS = (("a, b", 0.1, None), (EVIL, 30, float("nan")), ("1/16", -2.5, True))
TABLE = Table("means", f"Means {EVIL}", EVIL, ("name", EVIL, "c"), ROWS)


def make(folder: Path, **changes: Any) -> Path:
    """Run a suite over a</script>.png and b.png, 64x48; return the results file."""
    images = folder / "a<"
    images.mkdir()
    face = skimage.data.astronaut()[60:108, 190:254]
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    for name, image in (("script>", face), ("b", np.ascontiguousarray(face[:, ::-1]))):
        PilImage.fromarray(image).save(images / f"{name}.png")
        PilImage.fromarray(mask).save(images / f"{name}_mask.png")
    content = {
        "title": f"Title {EVIL}",
        "question": f"Question {EVIL}?",
        "images": str(images),
        "segmenter": "beside",
        "theta": 0.8,
        "systems": {"blind": {"blind": True}, f"masks {EVIL}": {}},
        "channel": ["awgn", "rayleigh"],
        "cbr": ["1/4", "1/2"],
        "snr_db": [4, 10],
        "draws": 2,
        **changes,
    }
    return run(Suite.model_validate(content), folder, name="evil", say=lambda *_: None).path


@dataclass
class Page(HTMLParser):
    """A page as a browser reads it."""

    text: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            about, text = self.scripts[-1]
            self.scripts[-1] = about, text + data
        elif self._inside != "style":
            self.words += data

    def script(self, kind: str | None) -> list[str]:
        return [text for about, text in self.scripts if about.get("type") == kind]


def page(path: Path, **options: Any) -> Page:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2], label=EVIL)
    drawing = Drawing(lambda: figure, Table("a-figure", "A figure", "", TABLE.columns, ROWS))
    return Page(build(read_results(path), path, [drawing], [TABLE], **options))
