"""The command line: what it writes, and a clear line for whatever cannot work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments.cli.main import main
from semcom.checkpoints import mobile_sam as weights

ROOT = Path(__file__).parents[3]
SCORES = (
    "psnr_db",
    "ssim",
    "ms_ssim",
    "region_psnr_db",
    "background_psnr_db",
    "theta_psnr_db",
)
Semcom = Callable[..., Result]


@pytest.fixture
def semcom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Semcom:
    """Run a command in a folder with a.png (64x48), m.png (its mask) and whatever a test adds."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    PilImage.fromarray(skimage.data.astronaut()[60:108, 190:254]).save("a.png")
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    PilImage.fromarray(mask).save("m.png")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


def _send(semcom: Semcom, *arguments: str, images: tuple[str, ...] = ("a.png",)) -> Result:
    """Send quickly; arguments win over the defaults given here."""
    return semcom("send", *images, "--mask", "m.png", "--codec", "jpeg", "--cbr", "1/4", *arguments)


def _records(result: Result) -> list[dict[str, Any]]:
    """Parse the output as strict JSON lines and nothing else."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in result.stdout.splitlines()]


def _error(result: Result) -> str:
    """Return the error lines of a command that failed."""
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert lines, result.output
    return "\n".join(lines)


def test_send_writes_picture_figure_and_record(semcom: Semcom) -> None:
    result = semcom("send", "a.png", "--segmenter", "graph", "--cbr", "1/4", "--out", "out")
    assert result.exit_code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "a.json",
        "a_figure.png",
        "a_received.png",
    ]
    record = json.loads(Path("out/a.json").read_text(encoding="utf-8"))
    assert set(SCORES) | {"cbr", "accounting"} <= set(record)
    assert record["image"] == "a.png"
    assert (record["height"], record["width"]) == (48, 64)
    assert record["cbr"] == record["num_symbols"] / (3 * 48 * 64) <= 0.25
    assert sum(record["accounting"].values()) == pytest.approx(record["num_symbols"], abs=1e-9)
    assert record["ms_ssim"] is None  # too small for five scales
    assert record["packets_received"] == record["packets_sent"]
    received = np.asarray(PilImage.open("out/a_received.png"))
    original = np.asarray(PilImage.open("a.png"))
    mse = ((received.astype(float) - original) ** 2).mean()
    assert record["psnr_db"] == pytest.approx(10 * np.log10(255**2 / mse), abs=1e-9)
    assert "PSNR over the region" in result.stdout


def test_json_prints_the_records_and_nothing_else(semcom: Semcom) -> None:
    PilImage.open("a.png").convert("L").save("grey.png")
    Path("empty.png").touch()
    result = _send(semcom, "--json", images=("a.png", "grey.png", "empty.png"))
    records = _records(result)
    assert [record["image"] for record in records] == ["a.png", "grey.png"]
    for record in records:
        written = Path("semcom-out", record["image"]).with_suffix(".json")
        assert json.loads(written.read_text(encoding="utf-8")) == record
    assert "grey.png: greyscale converted to RGB" in result.stderr
    assert "empty.png: not an image" in _error(result)


def test_scores_without_a_finite_value_are_null(semcom: Semcom) -> None:
    PilImage.new("RGB", (64, 48), (128, 128, 128)).save("grey.png")
    record = _records(_send(semcom, "--json", images=("grey.png",)))[0]
    assert record["psnr_db"] is None
    result = _send(semcom, images=("grey.png",))
    assert result.exit_code == 0
    assert "inf" not in result.stdout


def test_blind_scores_the_same_region(semcom: Semcom) -> None:
    blind, steered = (
        _records(_send(semcom, "--codec", "hevc", "--json", *flag))[0] for flag in (["--blind"], [])
    )
    assert (blind["system"], steered["system"]) == ("blind", "importance")
    assert blind["region_area"] == steered["region_area"] == 16 * 24 / (48 * 64)
    assert steered["region_psnr_db"] > blind["region_psnr_db"]


def test_every_way_to_say_what_matters(semcom: Semcom) -> None:
    rle = {"size": [48, 64], "counts": [100, 200, 48 * 64 - 300]}
    polygon = {"segmentation": [[4, 4, 30, 4, 30, 30, 4, 30]]}
    Path("rle.json").write_text(json.dumps([{"segmentation": rle}]), encoding="utf-8")
    Path("polygon.json").write_text(json.dumps(polygon), encoding="utf-8")
    PilImage.open("m.png").save("a_mask.png")
    for file, area in (("rle.json", 200), ("m.png", 384), ("beside", 384), ("polygon.json", 676)):
        record = _records(_send(semcom, "--mask", file, "--json"))[0]
        assert record["region_area"] * 48 * 64 == pytest.approx(area, rel=0.05)
        assert len(record["mask_sha256"]) == 64
    prompts = ("--point", "30,20", "--point", "3.5,3.5", "--box", "10,10,30,40")
    record = _records(semcom("send", "a.png", "--segmenter", "graph", *prompts, "--json"))[0]
    assert record["points"] == [[30, 20], [3.5, 3.5]]
    assert record["boxes"] == [[10, 10, 30, 40]]


def test_seed_and_settings_decide_every_byte(semcom: Semcom) -> None:
    fading = ("--channel", "rayleigh", "--snr-db", "3", "--cbr", "2", "--json", "--seed")
    first, again, other = (
        _send(semcom, *fading, seed, "--out", out)
        for seed, out in (("5", "o1"), ("5", "o2"), ("-6", "o3"))
    )
    assert first.stdout == again.stdout
    for file in Path("o1").iterdir():
        assert file.read_bytes() == (Path("o2") / file.name).read_bytes()
    assert _records(other)[0]["seed"] == -6


def test_one_thread_or_two_give_the_same_bytes(semcom: Semcom) -> None:
    del semcom  # only its folder is needed
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()"]
    command += ["send", "a.png", "--segmenter", "graph", "--cbr", "1/4", "--json", "--out"]
    running = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": str(ROOT)}
        running.append(
            subprocess.Popen([*command, threads], env=environment, stdout=subprocess.PIPE)
        )
    outputs = [process.communicate()[0] for process in running]
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0])["packets_received"] == 1
    one, two = ([path.read_bytes() for path in sorted(Path(out).iterdir())] for out in "12")
    assert len(one) == 3
    assert one == two


def test_a_bad_image_does_not_stop_the_others(semcom: Semcom) -> None:
    PilImage.open("a.png").crop((0, 0, 40, 15)).save("small.png")
    Path("folder").mkdir()
    Path("folder/a.png").write_bytes(Path("a.png").read_bytes())
    Path("broken.png").write_bytes(Path("a.png").read_bytes()[:900])
    images = ("small.png", "broken.png", "a.png", "nope.png", "folder", "folder/a.png")
    result = _send(semcom, "--out", "out", images=images)
    assert result.exit_code == 1
    error = _error(result)
    assert "small.png: 40x15 is smaller than 16x16" in error
    assert "broken.png: corrupt or unreadable image" in error
    assert "nope.png: no such file" in error
    assert error.endswith("Error: 3 images could not be sent")
    # Equal stems are told apart.
    records = sorted(path.name for path in Path("out").glob("*.json"))
    assert records == ["a-2.json", "a-3.json", "a.json"]
    received = [path.read_bytes() for path in Path("out").glob("*_received.png")]
    assert len(received) == 3
    assert len(set(received)) == 1


def test_a_full_disk_names_each_file_and_leaves_nothing_half(
    semcom: Semcom, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("b.png").write_bytes(Path("a.png").read_bytes())
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> None:
        write(self, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = _send(semcom, images=("a.png", "b.png"))
    said = _error(result)
    for name in "ab":
        file = Path("semcom-out", f"{name}_received.png")
        assert f"{name}.png: {file} cannot be written: No space left on device" in said
    assert not list(Path("semcom-out").iterdir())


def test_a_frame_without_an_object_is_sent_blind_and_said(semcom: Semcom) -> None:
    PilImage.new("L", (64, 48), 0).save("none.png")
    result = _send(semcom, "--mask", "none.png", "--codec", "hevc", "--json")
    assert result.exit_code == 0
    assert "a.png: none.png: holds no object: every pixel is 0" in result.stderr
    (record,), (blind,) = (
        _records(r) for r in (result, _send(semcom, "--blind", "--codec", "hevc", "--json"))
    )
    assert record["psnr_db"] == blind["psnr_db"]
    assert record["background_psnr_db"] == record["psnr_db"]
    for name in ("region_psnr_db", "theta_psnr_db"):
        assert record[name] is None
    assert record["region_area"] == 0
    assert "nothing to prefer, w = 1" in _send(semcom, "--mask", "none.png").stderr


def test_what_a_mask_leaves_out_is_said(semcom: Semcom) -> None:
    labels = np.zeros((48, 64), dtype=np.uint8)
    labels[8:24, 20:44], labels[:4] = 15, 255
    PilImage.fromarray(labels).save("a_mask.png")
    result = _send(semcom, "--mask", "beside", "--json")
    assert "a.png: a_mask.png: 255 beside labels is void, and left out" in result.stderr
    assert _records(result)[0]["region_area"] == 16 * 24 / (48 * 64)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_only_looks_like_an_image_does_not_stop_the_others(semcom: Semcom) -> None:
    for name in ("photos", "empty", "photos/folder.png"):
        Path(name).mkdir()
    long = "n" * 251  # as long as names may be, so that nothing can be written behind it
    for name in ("photos/b.png", f"photos/{long}.png", "photos/._b.png"):
        Path(name).write_bytes(Path("a.png").read_bytes())
    os.mkfifo("photos/fifo.png")
    for name, target in (("zero", "/dev/zero"), ("loop", "loop.png"), ("gone", "nope.png")):
        Path("photos", f"{name}.png").symlink_to(target)
    result = _send(semcom, images=("photos", "empty", f"{'x' * 300}.png", "a.png"))
    assert result.exit_code == 1
    error = _error(result)
    assert "Error: photos/fifo.png: is a FIFO, not a file\n" in error
    assert "Error: photos/zero.png: is a device, not a file\n" in error
    assert "Error: photos/loop.png: is a link that leads back to itself\n" in error
    assert "Error: photos/gone.png: is a link to what is not there\n" in error
    assert "Error: empty: no images in this folder\n" in error
    assert "xxx.png: its name is too long\n" in error
    assert error.endswith("Error: 6 images could not be sent")
    written = sorted(Path("semcom-out").glob("*_received.png"))
    assert [path.name[:3] for path in written] == ["a_r", "b_r", "nnn"]


def test_what_cannot_be_written_does_not_stop_the_others(semcom: Semcom) -> None:
    PilImage.open("a.png").save("b.png")
    Path("out/a_figure.png").mkdir(parents=True)
    result = _send(semcom, "--out", "out", images=("a.png", "b.png"))
    assert "a_figure.png" in _error(result)
    assert Path("out/b_figure.png").is_file()


def test_inputs_are_never_written_over(semcom: Semcom) -> None:
    for image, name in (("a.png", "a_received.png"), ("a.png", "a_figure.png")):
        PilImage.open("a.png").save(name)
        before = Path(name).read_bytes()
        error = _error(_send(semcom, "--out", ".", images=(image, name)))
        assert f"{name} is an input and would be overwritten: change --out" in error
        assert Path(name).read_bytes() == before
    mask = Path("a.json")
    mask.write_text(json.dumps({"segmentation": [[4, 4, 30, 4, 30, 30]]}), encoding="utf-8")
    assert "a.json is read" in _error(_send(semcom, "--mask", "a.json", "--out", "."))
    assert "segmentation" in mask.read_text(encoding="utf-8")
    assert _send(semcom, "--out", ".").exit_code == 0  # nothing is in the way


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_output_that_cannot_be_written_is_said_in_a_sentence() -> None:
    command = [sys.executable, "-c", "from experiments.cli.main import main; main(['list'])"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    "name",
    ["[red]x.png", "y].png", ":car:.png", "with space.png", "ä.png", "mask$$1.png", "$x_{.png"],
)
def test_file_names_are_taken_literally(semcom: Semcom, name: str) -> None:
    folder = Path("q[")  # with y].png a closing tag of rich's markup
    folder.mkdir()
    PilImage.open("a.png").save(folder / name)
    result = _send(semcom, images=(f"q[/{name}",))
    assert result.exit_code == 0
    assert f"q[/{name}" in result.stdout
    assert (Path("semcom-out") / name).with_suffix(".json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_no_utf_8_is_escaped(semcom: Semcom) -> None:
    name = os.fsdecode(b"\xff.png")
    Path(name).write_bytes(Path("a.png").read_bytes())
    assert _records(_send(semcom, "--json", images=(name,)))[0]["image"] == name
    written = Path("semcom-out", os.fsdecode(b"\xff.json")).read_bytes()
    assert json.loads(written.decode("ascii"))["image"] == name
    assert "\\udcff.png" in _send(semcom, images=(name,)).stdout


def test_a_pipe_without_greek_letters_is_enough(semcom: Semcom, tmp_path: Path) -> None:
    del semcom
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-c", "from experiments.cli.main import main; main(['list'])"]
        environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment, check=True, stdout=log)
    assert b"\\u03b8" in (tmp_path / "log").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--snr-db", "nan"), "SNR must be between -300 and 300 dB, got nan"),
        (("--snr-db", "inf"), "SNR must be between -300 and 300 dB, got inf"),
        (("--snr-db", "-4000"), "SNR must be between -300 and 300 dB, got -4000"),
        (("--snr-db", "ten"), "'ten' is not a valid float"),
        (("--theta", "0"), "theta must be in (0, 1), got 0"),
        (("--theta", "1"), "theta must be in (0, 1), got 1"),
        (("--theta", "nan"), "theta must be in (0, 1), got nan"),
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
    result = _send(semcom, "--out", "out", *arguments)
    assert message in _error(result)
    assert len(_error(result).splitlines()) == 1
    assert not list(Path("out").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mask", "tall.png"), "tall.png: masks are 64x50, but the image is 64x48"),
        (("--mask", "a.json"), "a.json: not a readable JSON file"),
        (("--mask", "other.json"), "other.json: holds annotations of 'b.png', not of a.png"),
        (("--point", "64,3"), "a.png: point 64,3 lies outside the 64x48 image"),
        (("--point", "nan,3"), "a.png: point nan,3 lies outside"),
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
    result = _send(semcom, *arguments)
    assert result.exit_code == 1
    assert message in _error(result)


def test_whole_image_cannot_follow_prompts(semcom: Semcom) -> None:
    result = semcom("send", "a.png", "--segmenter", "whole_image", "--point", "3,3")
    assert "segmenter 'whole_image' cannot follow points or boxes" in _error(result)


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
    error = _error(_send(semcom, *arguments, "--cbr", "1e-5"))
    found = re.search(r"the smallest that fits is ([\d.]+) \((\d+) channel uses\)", error)
    assert found is not None
    record = _records(_send(semcom, *arguments, "--cbr", found[1], "--json"))[0]
    assert record["num_symbols"] <= int(found[2])
    one_less = f"{int(found[2]) - 1}/{3 * 48 * 64}"
    assert "too small" in _error(_send(semcom, *arguments, "--cbr", one_less))


def test_absurd_pilots_are_refused_without_running_out_of_memory(semcom: Semcom) -> None:
    error = _error(_send(semcom, "--csi", "pilots", "--pilots", "1000000000"))
    assert "too small" in error


def test_importing_the_command_line_imports_no_library() -> None:
    code = """
import sys
import experiments.cli.main
heavy = {'torch', 'numpy', 'matplotlib', 'PIL', 'scipy', 'skimage', 'numba', 'av', 'rich', 'pooch'}
print(*sorted(heavy & set(sys.modules)))
"""
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("codecs", ["hevc", "jpeg"]),
        ("channels", ["awgn", "rayleigh", "rician"]),
        ("bit-channels", ["bsc", "bec"]),
        ("packet-channels", ["packet_erasure", "gilbert_elliott"]),
        ("segmenters", ["mobile_sam", "graph", "from_file", "whole_image"]),
        ("scores", list(SCORES)),
    ],
)
def test_list_shows_what_is_registered(semcom: Semcom, kind: str, names: list[str]) -> None:
    alone, everything = semcom("list", kind), semcom("list")
    for name in names:
        assert name in alone.stdout
        assert name in everything.stdout


def test_list_says_what_is_missing_and_how_to_get_it(
    semcom: Semcom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels.registry import Entry
    from experiments.cli.main import listing

    class Codecs:
        def entries(self) -> list[Entry]:
            return [Entry("x", "x:X", requires=("no_such_module",), extra="[b]")]

    monkeypatch.setitem(listing._REGISTRIES, "codecs", Codecs())
    monkeypatch.setenv("COLUMNS", "200")
    assert "no_such_module (pip install 'semcom[[b]]')" in semcom("list", "codecs").stdout


@pytest.mark.parametrize("command", [("list", "codec"), ("snd",), ("weights", "fetsh"), ("send",)])
def test_unknown_commands_and_missing_arguments_are_refused(
    semcom: Semcom, command: tuple[str, ...]
) -> None:
    result = semcom(*command)
    assert result.exit_code == 2
    assert len(_error(result).splitlines()) == 1


def test_weights_commands_speak_of_the_file_that_is_named(
    semcom: Semcom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pt"
    monkeypatch.setenv(weights.ENVIRONMENT, str(own))
    assert semcom("weights", "path").stdout == f"{own}\n"
    assert f"{own} does not exist: run 'semcom weights fetch'" in _error(semcom("weights", "check"))
    own.write_bytes(b"not it")
    assert "has 6 bytes, the official checkpoint has" in _error(semcom("weights", "check"))
    assert "will not be overwritten" in _error(semcom("weights", "fetch"))
    assert own.read_bytes() == b"not it"


def test_demo_refuses_a_file_as_its_folder(semcom: Semcom) -> None:
    assert "a.png" in _error(semcom("demo", "--out", "a.png"))
