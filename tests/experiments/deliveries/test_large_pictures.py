"""Pictures as cameras make them, from the command line: shrunk on request, and with progress."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments.deliveries.pictures import _thin
from semcom.images import load_image
from semcom.large import LARGE
from semcom.segmenters.from_file.segmenter import read_masks
from semcom.sizes import SEGMENTED, resized_mask, scaled, shrink, shrink_large
from semcom.types import Mask, Prompts

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder with a.png (256x192), its mask, and that mask at half the size."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    PilImage.fromarray(skimage.data.astronaut()[:192, 100:356]).save("a.png")
    mask = np.zeros((192, 256), dtype=np.uint8)
    mask[32:96, 80:176] = 255
    PilImage.fromarray(mask).save("a_mask.png")
    PilImage.fromarray(mask[::2, ::2]).save("small_mask.png")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main(), list(arguments))
        assert isinstance(result.exception, SystemExit | None), arguments
        return result

    return run


def main() -> object:
    from experiments.cli.main import main

    return main


@pytest.mark.parametrize("mask", ["a_mask.png", "small_mask.png", "beside"])
def test_max_side_shrinks_the_image_and_its_mask(run: Run, mask: str) -> None:
    result = run("send", "a.png", "--max-side", "128", "--mask", mask, "--cbr", "1/4", "--json")
    record = json.loads(result.stdout)
    assert (record["width"], record["height"]) == (128, 96)
    assert record["shrunk_from"] == "256x192"
    assert record["region_area"] == pytest.approx(64 * 96 / (192 * 256), rel=0.05)
    assert "a.png: shrunk from 256x192 to 128x96\n" in result.stderr
    assert load_image("semcom-out/a_received.png")[0].shape == (96, 128, 3)


@pytest.mark.parametrize("arguments", [(), ("--max-side", "256"), ("--max-side", "100000")])
def test_what_is_not_longer_stays_as_it_is(run: Run, arguments: tuple[str, ...]) -> None:
    quick = ("--mask", "beside", "--codec", "jpeg", "--cbr", "1/4", "--json")
    result = run("send", "a.png", *quick, *arguments)
    record = json.loads(result.stdout)
    assert (record["width"], record["height"]) == (256, 192)
    assert "shrunk_from" not in record
    assert "shrunk" not in result.stderr


def test_a_mask_that_fits_neither_size_is_refused(run: Run) -> None:
    PilImage.new("L", (100, 100)).save("other.png")
    result = run("send", "a.png", "--max-side", "128", "--mask", "other.png")
    assert result.exit_code == 1
    assert "other.png" in result.stderr
    assert "256x192" in result.stderr  # what the image's file has


def test_prompts_are_in_pixels_of_the_file(run: Run) -> None:
    result = run("segment", "a.png", "--mask", "beside", "--point", "170,90", "--max-side", "128")
    assert result.exit_code == 0, result.stderr
    result = run(
        "segment", "a.png", "--segmenter", "graph", "--max-side", "64", "--point", "200,99"
    )
    assert result.exit_code == 0, result.stderr
    [found] = read_masks("semcom-out/a_mask.png", 48, 64)
    assert found.pixels[99 // 4, 200 // 4]
    result = run(
        "segment", "a.png", "--segmenter", "graph", "--max-side", "64", "--point", "256,99"
    )
    assert "point 256,99 lies outside the 256x192 image" in result.stderr


def test_compare_shrinks_both(run: Run) -> None:
    result = run(
        *("compare", "a.png", "--mask", "beside", "--cbr", "1/4", "--max-side", "128", "--json")
    )
    records = json.loads(result.stdout)["records"]
    assert [record["width"] for record in records] == [128, 128]


@pytest.mark.parametrize("value", ["0", "-3", "15", "many"])
def test_a_senseless_side_is_refused(run: Run, value: str) -> None:
    result = run("send", "a.png", "--max-side", value)
    assert result.exit_code == 2
    assert "'--max-side'" in result.stderr
    assert value in result.stderr


def test_an_image_that_gets_too_narrow_is_refused_by_itself(run: Run) -> None:
    PilImage.new("RGB", (2000, 40)).save("narrow.png")
    result = run("segment", "narrow.png", "--max-side", "500")
    assert result.exit_code == 1
    assert "narrow.png: 2000x40 shrunk to 500x10 is smaller than 16x16" in result.stderr


def test_sizes_follow_the_longer_side() -> None:
    image = np.zeros((300, 200, 3), dtype=np.uint8)
    assert shrink(image, 150).shape == (150, 100, 3)
    assert shrink(image, 300) is image
    assert shrink_large(image) is image
    assert (
        0.99 * SEGMENTED
        < shrink_large(np.zeros((5000, 3000, 3), np.uint8))[..., 0].size
        <= SEGMENTED
    )


def test_a_mask_of_whole_blocks_survives_both_ways() -> None:
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((5, 7)) < 0.5, np.ones((8, 8), dtype=bool))
    mask = Mask(blocks, 0.3, "cat")
    small = resized_mask(mask, (20, 28))
    np.testing.assert_array_equal(small.pixels, blocks[::2, ::2])
    large = resized_mask(small, (40, 56))
    assert (large.pixels != blocks).mean() < 0.1  # corners are rounded
    assert (large.score, large.label) == (0.3, "cat")


def test_prompts_move_with_the_image() -> None:
    prompts = Prompts(((10, 20),), ((0, 0, 100, 200),))
    there = scaled(prompts, (200, 100), (100, 25))
    assert there == Prompts(((2.5, 10),), ((0, 0, 25, 100),))
    there.check(100, 25)


def test_large_pictures_are_thinned_to_be_drawn() -> None:
    pixels = np.arange(4000 * 3000).reshape(4000, 3000)
    thin = _thin(pixels)
    assert 0.25e6 < thin.size <= 0.5e6  # a panel has some 400x300
    np.testing.assert_array_equal(thin, pixels[::5, ::5])
    small = pixels[:1000, :2000]
    assert small.size == LARGE
    np.testing.assert_array_equal(_thin(small), small)


def _errors_of(command: list[str], folder: Path, *, terminal: bool) -> str:
    """What a command writes to its error stream: a terminal or a pipe."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 1 << 16):
                said += part
        except OSError:
            pass  # so Linux says that nobody holds the terminal any more
    os.close(ours)
    assert process.returncode == 0, said
    return said.decode()


@pytest.mark.parametrize(("side", "terminal"), [(1500, True), (1500, False), (300, True)])
def test_stages_are_said_of_large_pictures_at_a_terminal(
    side: int, terminal: bool, tmp_path: Path
) -> None:
    PilImage.linear_gradient("L").resize((side, side)).convert("RGB").save(tmp_path / "big.png")
    program = "from experiments.cli.main import main; main()"
    few = ("--codec", "jpeg", "--cbr", "1/32", "--segmenter", "whole_image")
    command = [sys.executable, "-c", program, "send", "big.png", *few]
    said = _errors_of(command, tmp_path, terminal=terminal)
    stages = ["segmenting", "encoding", "transmitting and receiving", "scoring", "writing"]
    at = [said.find(f"big.png: {stage} …") for stage in stages]
    if terminal and side == 1500:
        assert -1 not in at
        assert at == sorted(at)
    else:
        assert set(at) == {-1}
    assert "big.png: written to" in said
