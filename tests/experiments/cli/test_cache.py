import pytest
from click.testing import CliRunner

from experiments.cli.cache import cache
from semcom.cache import ENVIRONMENT, recall


def run(*words):
    result = CliRunner().invoke(cache, words)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_path_size_and_clear(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "kept"))
    assert run("path") == str(tmp_path / "kept")
    assert run("size") == "0 bytes"
    recall(lambda: bytes(5000), "about")
    assert int(run("size").removesuffix(" bytes").replace(",", "")) > 5000
    assert run("clear") == ""
    assert not [file for file in (tmp_path / "kept").iterdir() if len(file.name) == 64]


@pytest.mark.parametrize("value", ["", "off"])
def test_off(monkeypatch, value):
    monkeypatch.setenv(ENVIRONMENT, value)
    assert run("path") == "nowhere: SEMCOM_CACHE switches it off"
    assert run("size") == "0 bytes"
    assert run("clear") == ""


def test_alone_it_says_where_and_how_much(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "kept"))
    recall(lambda: bytes(2_000_000), "about")
    assert run() == f"{tmp_path / 'kept'}: 2.0 MB; semcom cache clear deletes them"
    monkeypatch.setenv(ENVIRONMENT, "off")
    assert run() == "nowhere: SEMCOM_CACHE switches it off"
