"""The plugins that the documentation shows work as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

import semcom
from channels.catalogue import CHANNELS
from channels.conformance import promises as promised_by_channels
from channels.conformance.checks import CHANNEL_CHECKS
from channels.packets.target import Target
from experiments.cli.main import main
from semcom.codecs.base import CODECS
from semcom.conformance import scores as promised_by_scores
from semcom.conformance.digital import promises as promised_by_codecs
from semcom.conformance.digital.checks import CODEC_CHECKS
from semcom.conformance.scores import SCORE_CHECKS
from semcom.scores.base import SCORES, opened
from semcom.segmenters.base import SEGMENTERS
from semcom.types import Prompts

ROOT = Path(__file__).parents[2]
KINDS = ("codec", "channel", "segmenter")
ALL = (*KINDS, "score")
SUITES = ("tests/semcom/conformance", "tests/channels/conformance")
NAMES = {
    "codec": "strips",
    "channel": "shadowing",
    "segmenter": "discs",
    "score": "visibly_wrong",
}
REGISTRIES = {"codec": CODECS, "channel": CHANNELS, "segmenter": SEGMENTERS, "score": SCORES}
MAX_LINES = {"codec": 40, "channel": 29, "segmenter": 29, "score": 25}


def blocks(kind: str, language: str) -> list[str]:
    """Return the fenced blocks of a page."""
    text = (ROOT / "docs" / "tutorials" / f"adding-a-{kind}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(install) -> Callable[[str], Path]:
    """Install the plugin of a page by its own words."""

    def install_page(kind: str) -> Path:
        (pyproject,) = blocks(kind, "toml")
        folder: Path = install(pyproject, blocks(kind, "python")[0])
        return folder

    return install_page


@pytest.mark.parametrize("kind", ALL)
def test_the_plugin_is_short_found_and_listed(page, kind):
    page(kind)
    code = blocks(kind, "python")[0]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= MAX_LINES[kind]
    assert max(map(len, code.splitlines())) <= 100
    entry = REGISTRIES[kind].entry(NAMES[kind])
    assert entry.source == f"{NAMES[kind]}-{kind}".replace("_", "-")
    shown = CliRunner().invoke(main, ["list", f"{kind}s"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    assert NAMES[kind] in shown.output
    assert entry.source in shown.output


def test_the_page_shows_the_example_package():
    package = ROOT / "docs" / "examples" / "strips-codec"
    assert blocks("codec", "python")[0] == (package / "strips.py").read_text(encoding="utf-8")
    assert blocks("codec", "toml") == [(package / "pyproject.toml").read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    ("kind", "promised", "checks"),
    [
        ("codec", promised_by_codecs, CODEC_CHECKS),
        ("channel", promised_by_channels, CHANNEL_CHECKS),
        ("score", promised_by_scores, SCORE_CHECKS),
    ],
)
def test_every_promise_is_checked_and_quoted_as_the_page_makes_it(kind, promised, checks):
    text = (ROOT / "docs" / "tutorials" / f"adding-a-{kind}.md").read_text(encoding="utf-8")
    section = text.partition(f"## What a {kind} promises\n\n- ")[2].partition("\n\n")[0]
    bullets = [" ".join(part.replace("**", "").split()) for part in section.split("\n- ")]
    promises = {check.promise for check in checks}
    assert {
        value
        for name, value in vars(promised).items()
        if name.isupper() and name[0] != "_" and isinstance(value, str)
    } <= promises
    assert len(bullets) == len(promises)
    for bullet in bullets:
        assert any(bullet.startswith(promise) for promise in promises), bullet


def test_the_conformance_suite_passes_on_them(page):
    page("codec")
    site = page("channel")
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "pytest", "-v", "-n0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *SUITES, "-k", "strips or shadowing"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for checked in (
        "test_check[strips-losses]",
        "test_garbage_gives_an_error_or_an_image[strips]",
        "test_check[quantile-shadowing]",
    ):
        assert f"{checked} PASSED" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_sends_a_picture(page, photo, kind, tmp_path, monkeypatch, capsys):
    page(kind)
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    example = blocks(kind, "python")[1]
    names: dict[str, object] = {}
    exec(compile(example, f"adding-a-{kind}.md", "exec"), names)
    delivery = names["delivery"]
    assert isinstance(delivery, semcom.Delivery)
    assert delivery.received.shape == photo.shape
    assert str(delivery.record[kind]).partition(":")[0] == NAMES[kind]
    assert capsys.readouterr().out


def test_the_score_of_the_page_is_measured(page, photo, tmp_path, monkeypatch, capsys):
    page("score")
    opened.cache_clear()
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks("score", "python")[1], "adding-a-score.md", "exec"), names)
    delivery = names["delivery"]
    assert isinstance(delivery, semcom.Delivery)
    value = delivery.record["visibly_wrong:levels=20"]
    error = np.abs(photo.astype(int) - delivery.received).max(axis=2)
    assert value == pytest.approx((error > 20)[delivery.importance.region].mean())
    assert capsys.readouterr().out.strip() == str(value)
    for check in SCORE_CHECKS:
        if check.name != "same":  # which starts a process
            assert check.function(promised_by_scores.Candidate("visibly_wrong")) == ""


def test_strips_lost_in_a_fade_are_concealed(page, photo):
    """A poor SNR, a scheme that dares too much: the first frame that loses some but not all."""
    page("codec")
    for seed in range(20):
        delivery = semcom.send(
            photo,
            segmenter="graph",
            codec="strips",
            channel="rayleigh:block_length=2000",
            snr_db=5,
            cbr="1/6",
            target=Target(outage=0.3),
            seed=seed,
        )
        arrived = [packet is not None for packet in delivery.reception.packets]
        if any(arrived) and not all(arrived):
            break
    assert 0 < sum(arrived) < len(arrived) == 5
    data = [packet.data for packet in delivery.transmission.stream.packets]
    whole = CODECS.create("strips").decode(data, *photo.shape[:2])
    rows = np.repeat(arrived, 32)
    assert (delivery.received[rows] == whole[rows]).all()
    shown, ideal = (part[~rows].astype(float) for part in (delivery.received, whole))
    assert 0 < np.square(shown - ideal).mean() < np.square(128 - ideal).mean()


def test_discs_obey_the_contract_of_segmenters(page, photo):
    page("segmenter")
    find = SEGMENTERS.create("discs:radius=0.2")
    (middle,) = find(photo)
    assert middle.pixels.shape == photo.shape[:2]
    assert middle.pixels.dtype == bool
    assert middle.pixels.sum() == pytest.approx(np.pi * (0.2 * 160) ** 2, rel=0.02)
    first, second, box = find(photo, Prompts(((30, 40), (200, 100)), ((10, 20, 50, 90),)))
    assert first.pixels[40, 30]
    assert second.pixels[100, 200]
    assert not (first.pixels & second.pixels).any()
    assert box.pixels[20:90, 10:50].all()
    assert box.pixels.sum() == 70 * 40
    with pytest.raises(ValueError, match=r"radius must be in \(0, 1\]"):
        SEGMENTERS.create("discs:radius=2")


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for key, value in (("title", "name"), ("version", "version"), ("license", "license")):
        assert f"\n{key}: {project[value]}\n" in citation


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", *(f"docs/tutorials/adding-a-{k}.md" for k in KINDS)]
)
def test_every_file_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [(ROOT / page).parent / name for name in re.findall(r"\]\(([^):#]+)\)", text)]
    named = [ROOT / name for name in re.findall(r"`([\w.-]+/[\w./-]+)`", text)]
    assert named
    for path in links + named:
        assert path.exists(), f"{page} names {path}, which is missing"
