"""``--text`` and ``--detector``, and models that are not here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from semcom.api import OPTIONS
from tests.experiments.cli.sending import Semcom, error_of, records_of
from tests.semcom.detectors.tiny import save_owlv2
from tests.semcom.segmenters.hf.tiny import save

pytest.importorskip("transformers", reason="the extra hf is not installed")
PROMPTED = ("a.png", "--segmenter", "graph", "--text", "the dog;a rider")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    save_owlv2(root / "owlv2")
    save("sam2", root / "sam2")
    return root


def detector(models: Path, threshold: float = 0.5) -> tuple[str, str]:
    return "--detector", f"owlv2:model={models / 'owlv2'},threshold={threshold}"


def test_segment_lists_the_labels(semcom: Semcom, models: Path) -> None:
    (record,) = records_of(semcom("segment", *PROMPTED, *detector(models), "--json"))
    labels = [mask["label"] for mask in record["masks"]]
    assert set(labels) == {"the dog", "a rider"}
    assert labels == sorted(labels, key=["the dog", "a rider"].index)
    assert record["text"] == ["the dog", "a rider"]
    assert [one["text"] for one in record["found"]] == labels
    table = semcom("segment", *PROMPTED, *detector(models)).stdout
    assert "the dog" in table
    assert "a rider" in table
    assert Path("semcom-out/a_masks.png").is_file()


def test_a_record_with_texts_repeats(semcom: Semcom, models: Path) -> None:
    sent = semcom("send", *PROMPTED, *detector(models), "--codec", "jpeg", "--cbr", "1/4")
    assert sent.exit_code == 0, sent.output
    record = json.loads(Path("semcom-out/a.json").read_text(encoding="utf-8"))
    assert record["detector"].startswith(f"owlv2:model={models / 'owlv2'},threshold=0.5 (sha256 ")
    again = semcom("repeat", "semcom-out/a.json")
    assert "the same, bit for bit" in again.output, again.output


def test_a_network_of_the_hub_segments_and_repeats(semcom: Semcom, models: Path) -> None:
    spec = f"hf:model={models / 'sam2'},points_per_side=4"
    for prompts in ((), ("--point", "30,20"), ("--text", "the dog", *detector(models))):
        sent = semcom("send", "a.png", "--segmenter", spec, *prompts, "--codec", "jpeg")
        assert sent.exit_code == 0, sent.output
        again = semcom("repeat", "semcom-out/a.json")
        assert "the same, bit for bit" in again.output, again.output


def test_other_weights_in_the_folder_are_told(semcom: Semcom, models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "sam2", tmp_path / "net")
    semcom("send", "a.png", "--segmenter", "hf:model=net", "--point", "30,20", "--codec", "jpeg")
    save("sam2", tmp_path / "net", seed=1)
    # Written in another way, so that it is built again within this process.
    record = json.loads(Path("semcom-out/a.json").read_text(encoding="utf-8"))
    record["segmenter"] = record["segmenter"].replace("model=net", "model=./net")
    Path("semcom-out/a.json").write_text(json.dumps(record), encoding="utf-8")
    again = semcom("repeat", "semcom-out/a.json")
    assert again.exit_code == 1
    assert "segmenter is 'hf:model=./net (sha256 " in again.output
    assert ", recorded as 'hf:model=./net (sha256 " in again.output


def test_nothing_found_is_said(semcom: Semcom, models: Path) -> None:
    result = semcom("segment", *PROMPTED, *detector(models, 0.9999))
    assert result.exit_code == 0
    for text in ("the dog", "a rider"):
        assert f"text '{text}': nothing found by owlv2:model=" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--detector", "owlv2"), "detector 'owlv2' needs a text"),
        (("--text", "dog", "--detector", "yolo"), "unknown detector 'yolo'"),
        (
            ("--text", "dog", "--segmenter", "whole_image"),
            "'whole_image' cannot follow",
        ),
        (("--segmenter", "sam3"), "segmenter 'sam3' needs a text"),
        (("--segmenter", "sam3", "--point", "3,3"), "'sam3' takes texts, not points or boxes"),
        (("--segmenter", "hf:model=no/../id"), "'no/../id' is neither a folder nor an id"),
        (("--segmenter", "hf:model=./gone"), "hf: ./gone: no such folder"),
    ],
)
def test_what_does_not_fit_is_refused(
    semcom: Semcom, arguments: tuple[str, ...], message: str
) -> None:
    assert message in error_of(semcom("segment", "a.png", *arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--segmenter", "hf"),
        ("--segmenter", "sam3", "--text", "dog"),
        ("--segmenter", "graph", "--text", "dog"),
        ("--segmenter", "graph", "--text", "dog", "--detector", "owlv2"),
    ],
)
def test_what_is_not_here_is_told_in_a_line(
    semcom: Semcom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    error = error_of(semcom("segment", "a.png", *arguments))
    assert "from huggingface.co (HF_HUB_OFFLINE is set, and it is not in the cache)" in error
    assert "--local-dir FOLDER' and give model=FOLDER" in error
    assert len([line for line in error.splitlines() if "huggingface" in line]) == 1


def test_defaults_of_the_command_line_are_those_of_the_library(semcom: Semcom) -> None:
    usage = " ".join(semcom("send", "--help").stdout.split())
    assert f"[default: {OPTIONS['detector']}]" in usage
