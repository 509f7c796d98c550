"""``semcom demo`` to its end: the files that it writes, and the gain that it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main


@pytest.mark.slow
def test_the_demo_shows_a_gain(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = CliRunner().invoke(main, ["demo", "--out", str(out)])
    assert result.exit_code == 0, result.output
    (gain,) = re.findall(r"PSNR over the region, dB .* ([+-]\d+\.\d\d) ", result.output)
    assert float(gain) > 3

    names = {
        "rocket_comparison.png",
        *(
            f"rocket{system}{end}"
            for system in ("", "_blind")
            for end in (".json", "_received.png")
        ),
    }
    assert {path.name for path in out.iterdir()} == names
    photo = skimage.data.rocket()
    records = {}
    for system in ("", "_blind"):
        records[system] = json.loads((out / f"rocket{system}.json").read_text(encoding="utf-8"))
        received = np.asarray(PilImage.open(out / f"rocket{system}_received.png"), dtype=float)
        error = ((received - photo) ** 2).mean()
        assert records[system]["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error))
        assert records[system]["cbr"] <= 1 / 48
    better, blind = (records[system]["region_psnr_db"] for system in ("", "_blind"))
    assert float(gain) == pytest.approx(better - blind, abs=0.005)
