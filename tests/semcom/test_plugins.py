"""Third parties' packages beside ours: found, listed, refused, and never in each other's way."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

import semcom
from channels.channels import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from experiments.cli import main
from semcom.codecs.base import CODECS
from semcom.segmenters.base import SEGMENTERS

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
        (["--codec", "hvec"], "unknown codec 'hvec' (did you mean 'hevc'?); choices: hevc, jpeg"),
        (["--channel", "awng"], "unknown channel 'awng' (did you mean 'awgn'?); choices: awgn,"),
        (["--segmenter", "graf"], "unknown segmenter 'graf' (did you mean 'graph'?); choices: "),
        (["--codec", "hevc:tile=2x2"], "has no option 'tile=2x2'; options and defaults: tiles=1x1"),
        (["--channel", "rician:k_db=high"], "option k_db must be float, got 'high'"),
    ],
)
def test_the_command_line_refuses_in_one_line_before_any_work(tmp_path, arguments, message):
    out = tmp_path / "out"
    failed = run("send", str(tmp_path / "none.png"), *arguments, "--out", str(out))
    assert failed.exit_code == 1
    assert message in failed.output
    assert failed.output.count("\n") == 1
    assert not out.exists()


def test_listing_imports_no_plugin():
    code = (
        "import sys; from experiments.listing import print_listing; print_listing('all')\n"
        "assert not {'av', 'semcom.codecs.hevc', 'semcom.segmenters.graph'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
