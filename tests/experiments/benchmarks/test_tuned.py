"""The benchmark of encoders' modes, on one small picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.benchmarks.tuned import encoders
from experiments.benchmarks.tuned.encoders import ENCODERS, Mode
from tests.semcom.codecs.needs import needs


def test_a_mode_that_changes_nothing_gains_nothing() -> None:
    """Also between two steps: bits and error of this coder are exponential in the step."""

    def code(planes, step, parameters):
        shift = 0.5 if parameters else 0
        error = 2 ** ((step + shift) / 6) * noise
        decoded = np.clip(np.rint(planes + error), 0, 1023).astype(np.uint16)
        return round(1e6 * 2 ** (-(step + shift) / 6)), decoded

    image = np.ascontiguousarray(skimage.data.astronaut()[:192, :192])
    noise = np.random.default_rng(0).normal(size=(3, 192, 192)) * 4
    coder = encoders.Encoder(code, 60, (30, 24, 18), 0.11, (Mode(), Mode("half a step")))
    same, half = encoders.gains(coder, image)
    assert same[:, 1:] == pytest.approx(np.zeros((3, 2)), abs=1e-9)
    assert half[:, 1:] == pytest.approx(np.zeros((3, 2)), abs=0.03)


@needs("av1")
def test_it_prints_a_row_for_each_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "CPU_USED", 8)
    av1 = ENCODERS["av1"]._replace(compared=(50, 42, 34), modes=(Mode("tune=ssim", 0.125),))
    monkeypatch.setitem(ENCODERS, "av1", av1)
    PilImage.fromarray(skimage.data.astronaut()).save(tmp_path / "a.png")
    arguments = [str(tmp_path / "a.png"), "--codec", "av1", "--height", "176", "--width", "176"]
    result = CliRunner().invoke(encoders.main, arguments)
    assert result.exit_code == 0, result.output
    head, row = result.output.splitlines()
    assert head.startswith("av1: gain of MS-SSIM / PSNR in dB at ")
    assert row.startswith("  tune=ssim, filter 0.125 ")
    assert row.count(" / ") == 4


@needs("vvc")
def test_vvc_is_coded_at_a_qp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "PRESET", "faster")
    image = np.ascontiguousarray(skimage.data.astronaut()[:176, :176])
    plain, tuned = (
        encoders.point(ENCODERS["vvc"], image, 40, Mode(parameters))
        for parameters in ("", ":PerceptQPA=1")
    )
    assert 30 < plain.scores[1] < 40
    assert plain.bits != tuned.bits
