"""Files are whole or not there, whatever happens; and nothing in a table acts."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.csv_table import to_csv
from experiments.saving import named, save


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    save(path, "θ\n")
    assert path.read_bytes() == "θ\n".encode()
    save(path, b"\0\r\n")
    assert path.read_bytes() == b"\0\r\n"
    assert list(tmp_path.iterdir()) == [path]
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_what_cannot_be_written_is_named_and_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.txt"
    save(path, "before")
    real = Path.write_bytes

    def half(self: Path, data: bytes) -> None:
        real(self, data[:3])
        _full()

    monkeypatch.setattr(Path, step, half if step == "write_bytes" else _full)
    with pytest.raises(OSError, match=r"a\.txt cannot be written: No space left on device$"):
        save(path, "after")
    with pytest.raises(OSError, match=r"new\.txt cannot be written: No space left on device$"):
        save(tmp_path / "new.txt", "after")
    monkeypatch.undo()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "a.txt", "after")
    assert not list(tmp_path.iterdir())


def test_links_are_followed_and_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("before")
    (tmp_path / "link.txt").symlink_to("real.txt")
    save(tmp_path / "link.txt", "after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "after"
    (tmp_path / "null").symlink_to("/dev/null")
    save(tmp_path / "null", "gone")
    assert Path("/dev/null").is_char_device()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder cannot be written: Is a directory"):
        save(tmp_path / "folder", "x")


def test_a_name_that_is_no_utf8_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    save(path, os.fsdecode(b"caf\xe9"))
    assert path.read_bytes() == rb"caf\udce9"


def test_an_error_that_has_no_number_keeps_its_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"{tmp_path} cannot be written: why not"), named(tmp_path):
        raise OSError("why not")


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-x", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1", "--1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_would_act_is_escaped(text: str) -> None:
    head, row = csv.reader(io.StringIO(to_csv((text,), ((text,),)), newline=""))
    assert head == row == [f"'{text}".replace("\r", "\n")]


@given(
    st.lists(
        st.lists(
            st.none()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text(st.characters(codec="utf-8", exclude_characters="\r\0")),
            min_size=3,
            max_size=3,
        )
    )
)
def test_all_else_comes_back(rows: list[list[object]]) -> None:
    found = list(csv.reader(io.StringIO(to_csv(("a", "b", "c"), rows), newline="")))
    assert found[0] == ["a", "b", "c"]
    for row, read in zip(rows, found[1:], strict=True):
        for value, text in zip(row, read, strict=True):
            if isinstance(value, int | float):
                assert type(value)(text) == value
                assert not text.startswith("'")
            elif value is None:
                assert text == ""
            else:
                assert text in (value, f"'{value}")
                assert not text.startswith(("=", "@", "\t"))


def test_numbers_as_text_stay_numbers() -> None:
    assert to_csv(("x",), (("-2.5",), ("+3",), (float("-inf"),), (float("nan"),))) == (
        'x\n-2.5\n+3\n-inf\n""\n'
    )
