"""A folder of small images, what commands do with it, and a font."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image as PilImage

from experiments.cli.main import main

Run = Callable[..., Result]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a.png, b.png (64x48), m.png, a mask, and ranks.png, two masks."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    face = skimage.data.astronaut()[60:108, 190:254]
    PilImage.fromarray(face).save("a.png")
    PilImage.fromarray(np.ascontiguousarray(face[:, ::-1])).save("b.png")
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    PilImage.fromarray(mask).save("m.png")
    mask[:] = 0
    mask[4:28, 4:28], mask[4:28, 36:60] = 1, 2
    PilImage.fromarray(mask).save("ranks.png")


@pytest.fixture
def run(images: None) -> Run:
    """Run a command there; whatever ends in a traceback fails the test."""
    del images

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return command


@pytest.fixture
def squares(tmp_path: Path) -> Iterator[str]:
    """Install a font that draws 基 and 线 as large black squares; return its name."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord("基"): "square", ord("线"): "square"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": "SimHei", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=1000, usWinAscent=1000)
    builder.setupPost()
    builder.save(tmp_path / "squares.ttf")
    known = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "squares.ttf")
    yield "SimHei"
    font_manager.fontManager.ttflist[:] = known
