"""``semcom send`` refuses what makes no sense, in a clear line, before any work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image as PilImage

from tests.experiments.cli.sending import Semcom, error_of, records_of, send_quickly


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--snr-db", "nan"), "SNR must be between -300 and 300 dB, got nan"),
        (("--snr-db", "inf"), "SNR must be between -300 and 300 dB, got inf"),
        (("--snr-db", "-4000"), "SNR must be between -300 and 300 dB, got -4000"),
        (("--snr-db", "ten"), "'ten' is not a valid float"),
        (("--theta", "0"), "theta must be in (0, 1), or auto, got 0"),
        (("--theta", "1"), "theta must be in (0, 1), or auto, got 1"),
        (("--theta", "nan"), "theta must be in (0, 1), or auto, got nan"),
        (("--cbr", "0"), "CBR must be a positive number such as 1/16 or 0.0625, got '0'"),
        (("--cbr", "-1"), "got '-1'"),
        (("--cbr", "abc"), "got 'abc'"),
        (("--cbr", "1/0"), "got '1/0'"),
        (("--cbr", "nan"), "got 'nan'"),
        (("--cbr", "inf"), "got 'inf'"),
        (("--cbr", "1/16,1/8"), "CBR must be a positive number such as 1/16"),
        (("--codec", "hevcc"), "unknown codec 'hevcc' (did you mean 'hevc'?); choices: hevc"),
        (("--codec", "hevc:foo=1"), "codec 'hevc' has no option 'foo=1'; options and defaults"),
        (("--codec", "hevc:tiles=9x"), "tiles must be ROWSxCOLUMNS"),
        (("--channel", "raylei"), "unknown channel 'raylei' (did you mean 'rayleigh'?); choices"),
        (("--channel", "rician:k=3"), "channel 'rician' has no option 'k=3'; options"),
        (("--channel", "rician:k_db=nan"), "k_db must be between -100 and 100 dB, got nan"),
        (("--channel", "rayleigh:block_length=x"), "option block_length must be int, got 'x'"),
        (("--segmenter", "grph"), "unknown segmenter 'grph' (did you mean 'graph'?); choices"),
        (("--importance", "grded"), "unknown importance 'grded'; choices: region, graded"),
        (("--csi", "guess"), "unknown csi 'guess'; choices: perfect, pilots"),
        (("--csi", "pilots", "--pilots", "0"), "pilots per block must be at least 1, got 0"),
        (("--csi", "pilots", "--channel", "rayleigh_fast"), "pilots cannot follow it"),
        (("--mask", "nope.png"), "nope.png: no such mask file"),
        (("--mask", "."), ".: no such mask file"),
        (("--mask", "n" * 300), f"{'n' * 300}: no such mask file (its name is too long)"),
        (("--segmenter", "graph"), "mask m.png and segmenter 'graph' exclude each other"),
        (("--point", "3"), "expected X,Y, got '3'"),
        (("--point", "3,x"), "expected X,Y, got '3,x'"),
        (("--box", "1,2,3"), "expected X0,Y0,X1,Y1, got '1,2,3'"),
        (("--seed", "1.5"), "'1.5' is not a valid integer"),
        (("--segmentor", "graph"), "No such option '--segmentor'"),
        (("--out", "a.png"), "a.png"),
        (("--out", "a.png/below"), "a.png/below"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_any_work(
    semcom: Semcom, arguments: tuple[str, ...], message: str
) -> None:
    result = send_quickly(semcom, "--out", "out", *arguments)
    assert message in error_of(result)
    assert len(error_of(result).splitlines()) == 1
    assert not list(Path("out").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mask", "tall.png"), "tall.png: masks are 64x50, but the image is 64x48"),
        (("--mask", "a.json"), "a.json: not a readable JSON file"),
        (("--mask", "other.json"), "other.json: holds annotations of 'b.png', not of a.png"),
        (("--point", "64,3"), "a.png: point 64,3 lies outside the 64x48 image"),
        (("--point", "nan,3"), "a point needs 2 numbers, got (nan, 3.0)"),
        (("--box", "30,10,5,20"), "a.png: box 30,10,5,20 must satisfy"),
        (("--point", "0,0"), "a.png: point 0,0 lies in none of the masks of m.png"),
        (("--csi", "pilots", "--channel", "rayleigh:block_length=8"), "exceed the 8 pilots"),
    ],
)
def test_what_does_not_fit_an_image_is_refused_with_its_name(
    semcom: Semcom, arguments: tuple[str, ...], message: str
) -> None:
    PilImage.new("L", (64, 50), 255).save("tall.png")
    images = [{"id": 1, "file_name": "b.png"}]
    other = {"images": images, "annotations": [{"image_id": 1, "bbox": [1, 1, 9, 9]}]}
    Path("other.json").write_text(json.dumps(other), encoding="utf-8")
    Path("a.json").write_text("{", encoding="utf-8")
    result = send_quickly(semcom, *arguments)
    assert result.exit_code == 1
    assert message in error_of(result)


def test_whole_image_cannot_follow_prompts(semcom: Semcom) -> None:
    result = semcom("send", "a.png", "--segmenter", "whole_image", "--point", "3,3")
    assert "segmenter 'whole_image' cannot follow points, boxes or text" in error_of(result)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--codec", "hevc"),
        ("--snr-db", "-50"),
        ("--snr-db", "0", "--channel", "rayleigh:block_length=9", "--csi", "pilots"),
        ("--csi", "pilots", "--pilots", "30000"),
        ("--snr-db", "3", "--channel", "rician"),
    ],
)
def test_a_budget_too_small_names_the_smallest_that_works(
    semcom: Semcom, arguments: tuple[str, ...]
) -> None:
    error = error_of(send_quickly(semcom, *arguments, "--cbr", "1e-5"))
    found = re.search(r"the smallest that fits is ([\d.]+) \((\d+) channel uses\)", error)
    assert found is not None
    record = records_of(send_quickly(semcom, *arguments, "--cbr", found[1], "--json"))[0]
    assert record["num_symbols"] <= int(found[2])
    one_less = f"{int(found[2]) - 1}/{3 * 48 * 64}"
    assert "too small" in error_of(send_quickly(semcom, *arguments, "--cbr", one_less))


def test_absurd_pilots_are_refused_without_running_out_of_memory(semcom: Semcom) -> None:
    error = error_of(send_quickly(semcom, "--csi", "pilots", "--pilots", "1000000000"))
    assert "too small" in error
