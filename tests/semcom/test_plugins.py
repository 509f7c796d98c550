"""Third parties' packages beside ours: found, listed, refused, and never in each other's way."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

import semcom
from channels.catalogue import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from experiments.cli.main import main
from semcom.codecs.base import CODECS
from semcom.segmenters.base import SEGMENTERS

ROOT = Path(__file__).parents[2]
STRIPS = ROOT / "docs" / "examples" / "strips-codec"
REGISTRIES = [CODECS, CHANNELS, BIT_CHANNELS, PACKET_CHANNELS, SEGMENTERS]


def pyproject(name: str, target: str, group: str = "semcom.codecs", package: str = "acme") -> str:
    return f"""
        [project]
        name = "{package}"
        version = "2.0"
        [project.entry-points."{group}"]
        {name} = "{target}"
    """


def run(*arguments: str):
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "120"})


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_plugin_of_ours_can_be_loaded_and_is_described(registry):
    for entry in registry.entries():
        if entry.source == "semcom":
            assert entry.summary
            assert entry.missing or callable(registry.load(entry.name))


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_a_name_taken_is_refused_and_both_packages_are_named(install, registry):
    ours = registry.entries()[0]
    install(pyproject(ours.name, "acme_plugin:Plugin", registry.group))
    message = rf"{ours.name!r} is registered twice: {ours.target} \(semcom\) and .* \(acme\)"
    with pytest.raises(ValueError, match=message):
        registry.names()
    shown = run("list")
    assert shown.exit_code == 1
    assert "is registered twice" in shown.output


def test_two_packages_with_one_name_are_both_named(install):
    install(pyproject("wavelet", "acme_plugin:Plugin"))
    install(pyproject("wavelet", "other_plugin:Plugin", package="other"))
    with pytest.raises(ValueError, match="registered twice") as caught:
        CODECS.names()
    assert "(acme)" in str(caught.value)
    assert "(other)" in str(caught.value)


def test_a_broken_plugin_leaves_the_others_alone(install, photo, tmp_path):
    install(pyproject("broken", "acme_no_such_module:Codec"))
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    shown = run("list", "codecs")
    assert shown.exit_code == 0
    assert {"broken", "hevc", "jpeg"} <= set(shown.output.replace("│", " ").split())
    delivery = semcom.send(photo, segmenter="graph", codec="jpeg", cbr="1/6")
    assert not delivery.all_lost
    with pytest.raises(
        ValueError, match=r"^codec 'broken' of acme cannot be loaded from"
    ) as caught:
        semcom.send(photo, segmenter="graph", codec="broken")
    failed = run("send", str(tmp_path / "photo.png"), "--codec", "broken", "--out", str(tmp_path))
    assert failed.exit_code == 1
    assert failed.output == f"Error: {caught.value}\n"
    assert "No module named 'acme_no_such_module'" in failed.output


def test_a_plugin_that_lacks_something_says_what(install, photo):
    install(pyproject("acme", "acme_plugin:Acme"), "import acme_no_such_dependency\n")
    with pytest.raises(ValueError, match="No module named 'acme_no_such_dependency'"):
        semcom.send(photo, segmenter="graph", codec="acme")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--codec", "hvec"],
            "unknown codec 'hvec' (did you mean 'hevc'?); choices: hevc, bpg, jpeg",
        ),
        (["--channel", "awng"], "unknown channel 'awng' (did you mean 'awgn'?); choices: awgn,"),
        (["--segmenter", "graf"], "unknown segmenter 'graf' (did you mean 'graph'?); choices: "),
        (["--codec", "hevc:tile=2x2"], "has no option 'tile=2x2'; options and defaults: tiles=1x1"),
        (["--channel", "rician:k_db=high"], "option k_db must be float, got 'high'"),
    ],
)
def test_the_command_line_refuses_in_one_line_before_any_work(photo, tmp_path, arguments, message):
    out = tmp_path / "out"
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    failed = run("send", str(tmp_path / "photo.png"), *arguments, "--out", str(out))
    assert failed.exit_code == 1
    assert message in failed.output
    assert failed.output.count("\n") == 1
    assert not out.exists()


def test_listing_imports_no_plugin():
    code = (
        "import sys; from experiments.cli.listing import print_listing; print_listing('all')\n"
        "assert not {'av', 'semcom.codecs.hevc', 'semcom.segmenters.graph.segmenter'} "
        "& set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where pip has installed the example package, as a user would."""
    missing = [name for name in ("pip", "setuptools") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} to build a package")
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(STRIPS, folder / "source")  # building leaves files beside the sources
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-compile", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site"]
    subprocess.run([*command, folder / "source"], check=True, capture_output=True)
    return folder / "site"


def run_elsewhere(site, folder, *arguments):
    """Run the command line in a fresh process that finds what is in ``site``."""
    return subprocess.run(
        [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT))), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_package_is_listed_and_sends_a_picture(site, photo, tmp_path):
    assert sorted(path.name for path in site.iterdir()) == [
        "strips.py",
        "strips_codec-0.1.0.dist-info",
    ]
    listed = run_elsewhere(site, tmp_path, "list", "codecs")
    assert "strips-codec" in listed.stdout
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    options = ("--segmenter", "graph", "--codec", "strips", "--cbr", "1/6", "--json")
    sent = run_elsewhere(site, tmp_path, "send", "photo.png", *options)
    assert sent.returncode == 0, sent.stderr
    record = json.loads(sent.stdout)
    assert record["codec"] == "strips"
    assert record["packets_received"] == record["packets_sent"] == 5
    assert record["psnr_db"] > 28


def test_the_example_package_passes_checks(site, tmp_path):
    """``test_docs.py`` asks all of them, in one process."""
    names = ("budget", "other-process", "garbage")
    only = (part for name in names for part in ("--only", name))
    checked = run_elsewhere(site, tmp_path, "check-codec", "strips", *only)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    *lines, last = checked.stdout.splitlines()
    assert last == "strips: all 3 checks passed"
    for i, (name, line) in enumerate(zip(names, lines, strict=True), 1):
        assert re.fullmatch(rf" {i}/3 {name}\.+ ok +[\d.]+ s", line)


BAD = """
import faulthandler, os
from strips import DecodeError, Strips

class Bad(Strips):
    def encode(self, image, w, max_bits):
        stream = super().encode(image, w, max_bits - 40)
        object.__setattr__(stream.packets[0], "data", stream.packets[0].data + os.urandom(4))
        return stream

    def decode(self, packets, height, width):
        try:
            return super().decode(packets, height, width)
        except DecodeError:
            faulthandler._sigsegv()
"""


def test_check_codec_says_what_is_broken_and_goes_on(install, monkeypatch):
    install(pyproject("bad", "bad:Bad"), BAD)
    monkeypatch.syspath_prepend(STRIPS)
    names = ("garbage", "same-bytes", "other-process", "gains")
    shown = run("check-codec", "bad", *(part for name in names for part in ("--only", name)))
    assert shown.exit_code == 1
    lines = [re.sub(r" +", " ", line.strip()) for line in shown.output.splitlines()]
    assert re.fullmatch(r"1/4 same-bytes\.+ FAILED [\d.]+ s", lines[0])
    assert lines[1] == "asked to encode the photo twice within 40,000 bits"
    assert re.fullmatch(r"got different bytes in packet 1 of 5, from byte \d+ on", lines[2])
    assert lines[3] == "promised The same input gives the same bytes, in any process."
    assert lines.pop(4) == "(docs/tutorials/adding-a-codec.md)"
    assert lines[4].endswith(
        "not made: The same input gives the same bytes, in any process, see above"
    )
    assert re.fullmatch(r"3/4 gains\.+ ok [\d.]+ s", lines[5])
    assert re.fullmatch(r"4/4 garbage\.+ FAILED [\d.]+ s", lines[6])
    assert lines[7] == "asked to decode garbage and damaged packets of a small picture"
    assert lines[8].startswith("got the process was ended by SIGSEGV in decode (bad.py, line 15)")
    assert lines[-1] == "Error: bad: 2 of 4 checks failed, 1 could not be made"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hvec"], "unknown codec 'hvec' (did you mean 'hevc'?); choices: hevc, bpg, jpeg"),
        (["hevc:tile=2x2"], "has no option 'tile=2x2'; options and defaults: tiles=1x1"),
        (["absent"], "codec 'absent' of acme cannot be loaded from 'no_such_module:Codec'"),
        (["hevc", "--only", "colour"], "unknown check 'colour'; choices: budget, small-budget"),
        (["hevc", "--limit-s", "0"], "the limit must be above 0 s and below 1e6 s, got 0"),
    ],
)
def test_check_codec_refuses_in_one_line(install, arguments, message):
    install(pyproject("absent", "no_such_module:Codec"))
    failed = run("check-codec", *arguments)
    assert failed.exit_code == 1
    assert message in failed.output
    assert failed.output.count("\n") == 1


BAD_CHANNEL = """
from channels.models.awgn import Awgn

class Loud(Awgn):
    'Noise that is told to be less.

    And more.'

    def __call__(self, x, noise_var, rng):
        y, h, noise = super().__call__(x, noise_var, rng)
        return y, h, noise / 2
""".replace("'", '"""')


def test_check_channel_says_what_is_broken_and_goes_on(install):
    install(pyproject("loud", "loud:Loud", "semcom.channels"), BAD_CHANNEL)
    listed = run("list", "channels")
    assert "Noise that is told to be less" in listed.output
    assert "And more" not in listed.output
    shown = run("check-channel", "loud", "--only", "shapes", "--only", "noise")
    assert shown.exit_code == 1
    lines = [re.sub(r" +", " ", line.strip()) for line in shown.output.splitlines()]
    assert re.fullmatch(r"1/2 shapes\.+ ok [\d.]+ s", lines[0])
    assert re.fullmatch(r"2/2 noise\.+ FAILED [\d.]+ s", lines[1])
    assert lines[2] == "asked to report a noise variance of 0.01"
    assert lines[3] == "got 0.005"
    assert lines[4].startswith("promised Power. `E|h|² = 1`, and the noise is circular")
    assert lines[-2].endswith("(docs/tutorials/adding-a-channel.md)")
    assert lines[-1] == "Error: loud: 1 of 2 checks failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["awng"], "unknown channel 'awng' (did you mean 'awgn'?); choices: awgn, rayleigh"),
        (["awgn:k_db=1"], "channel 'awgn' has no option 'k_db=1'"),
        (["awgn", "--only", "colour"], "unknown check 'colour'; choices: shapes, gradient"),
        (["awgn", "--limit-s", "0"], "the limit must be above 0 s and below 1e6 s, got 0"),
    ],
)
def test_check_channel_refuses_in_one_line(arguments, message):
    failed = run("check-channel", *arguments)
    assert failed.exit_code == 1
    assert message in failed.output
    assert failed.output.count("\n") == 1
