"""Each benchmark runs, in a tiny form: what it measures is there; nothing is said of how fast."""

from __future__ import annotations

import csv
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from channels.packets.mcs import LEVELS, find_scheme
from experiments import benchmarks
from experiments.benchmarks import (
    analog_codecs,
    chain,
    codecs,
    error_floor,
    first_minute,
    ldpc,
    ldpc_golden,
    ldpc_sionna,
    lightweight_codecs,
    mcs_thresholds,
    segmenters,
    suite_overhead,
)
from experiments.benchmarks.peers import HAS_LDPC, HAS_SIONNA, ldpc_decoder, sionna_chain
from semcom.codecs.jscc.weights import new_refiner
from semcom.codecs.refiner.knowledge import MAPS
from semcom.codecs.tiny.repair import MAPS as TINY_MAPS

CASE = (1024, 1 / 2, "1/2")
needs_sionna = pytest.mark.skipif(not HAS_SIONNA, reason="needs the extra sionna")


NAMES = [
    one.name.removeprefix("experiments.benchmarks.")
    for one in pkgutil.walk_packages(benchmarks.__path__, "experiments.benchmarks.")
    if not one.ispkg
]


@pytest.mark.parametrize("name", NAMES)
def test_it_imports_and_says_its_goal(name: str) -> None:
    module = importlib.import_module(f"experiments.benchmarks.{name}")
    assert module.__doc__
    assert name == "peers" or callable(module.main)


def test_analog_codecs() -> None:
    image = analog_codecs.picture(64, 96)
    assert image.shape == (64, 96, 3)
    for name in analog_codecs.CODECS_MEASURED:
        row = analog_codecs.measure(name, image, runs=1)
        assert row["sum_ms"] == row["encode_ms"] + row["decode_ms"] > 0


def test_codecs_and_what_was_learned_of_them() -> None:
    (row,) = codecs.rows_of(["jscc"], analog_codecs.picture(64, 96), runs=1)
    network = sum(p.numel() for p in new_refiner().parameters())
    assert network < row["parameters"] < 1.2 * network  # and tables
    assert row["sum_ms"] > 0
    assert codecs.parameters_of("jpeg") == codecs.parameters_of("hevc") == 0


def test_lightweight_codecs() -> None:
    """The peer's convolutions, counted by hand: half the resolution at each of four."""
    about = lightweight_codecs.networks()
    if lightweight_codecs.PEER in about:
        n, m = 128, 192
        one_way = 25 * (3 * n / 4 + n * n / 16 + n * n / 64 + n * m / 256)
        norms = n * n * (1 / 4 + 1 / 16 + 1 / 64)
        macs = analog_codecs.macs_per_pixel(*about[lightweight_codecs.PEER])
        assert macs == pytest.approx(2 * (one_way + norms), rel=0.01)
    macs = analog_codecs.macs_per_pixel(*about["tiny"])
    assert macs == pytest.approx(macs_of_refiner(TINY_MAPS, 32, 48, 72))


def test_multiply_accumulates_of_jscc() -> None:
    macs = analog_codecs.macs_per_pixel(new_refiner(), analog_codecs.refiner_inputs(MAPS))
    assert macs == pytest.approx(macs_of_refiner(MAPS, 32, 64, 96))


def macs_of_refiner(maps: int, half: int, quarter: int, eighth: int) -> float:
    """Count by hand: kernel area, channels in and out, and the share of pixels at each scale."""
    blocks = 2 * 2 * 9 * (half**2 / 4 + quarter**2 / 16 + eighth**2 / 64)
    ends = 9 * half * (24 + 12) / 4
    known = maps * (half + quarter) / 16
    down = 4 * half * quarter / 16 + 4 * quarter * eighth / 64
    up = eighth * 4 * quarter / 64 + quarter * 4 * half / 16
    return blocks + ends + known + down + up


def test_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "NUM_BITS", 20 * 1024)
    monkeypatch.setattr(chain, "NUM_BITS_PEER", 2 * 1024)
    monkeypatch.setattr(chain, "CASES", [CASE])
    result = CliRunner().invoke(chain.main)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("k=1024 R=1/2 Eb/N0=1.5 dB: ")


def test_ldpc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldpc, "NUM_BITS", 20 * 1024)
    monkeypatch.setattr(ldpc, "NUM_BITS_PEER", 2 * 1024)
    found = ldpc.measure(1024, 1 / 2, 3.0)  # far above the waterfall
    assert {"int8", "cascade", "float32", "boxplus"} <= set(found)
    for row in found.values():
        assert row["errors"] == 0
        assert row["mbps"] > 0


def test_error_floor_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_floor, "CHUNK", 8)
    monkeypatch.setattr(error_floor, "NUM_BLOCKS", 16)
    out = tmp_path / "floor.csv"
    (key, *_) = error_floor.cases()
    error_floor.append(out, key, 0, error_floor.send(*key, 8, 0))
    result = CliRunner().invoke(error_floor.main, ["--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.output.count("0 of 16 blocks wrong") == len(error_floor.cases()) == 8
    with out.open(encoding="utf-8") as lines:
        assert len(list(csv.DictReader(lines))) == 16


def test_first_minute(tmp_path: Path) -> None:
    first_minute.photo(48, 64).save(tmp_path / "photo.png")
    cost = first_minute.measure(("send", "photo.png", "--codec", "hvec"), tmp_path)
    assert cost.status == 1
    assert first_minute.measure(("--version",), tmp_path).status == 0
    assert cost.seconds > 0
    assert cost.megabytes > 1


def test_ldpc_golden_has_the_cases_of_its_file() -> None:
    with ldpc_golden.OUT.open(encoding="utf-8") as file:
        assert file.readline().endswith("--seed 1\n")
        rows = [tuple(map(int, row[:4])) for row in list(csv.reader(file))[1:]]
    assert list(ldpc_golden.cases(1)) == rows


@needs_sionna
def test_ldpc_golden_hashes_what_sionna_sends() -> None:
    with ldpc_golden.OUT.open(encoding="utf-8") as file:
        graph, k, n, bits, *hashes = list(csv.reader(file))[2]
    words = ldpc_golden.sionna_words(int(graph), int(k), int(n), int(bits))
    assert [ldpc_golden.word_hash(word) for word in words] == hashes


def test_ldpc_sionna_counts_our_errors() -> None:
    point = min(ldpc_sionna.points(), key=lambda row: row["k"])
    code = ldpc_sionna.point_code(point["k"], point["rate"])
    for ebn0_db, least, most in ((-3.0, 40, 40), (point["ebn0_db"] + 3, 0, 0)):
        bits, llr = ldpc_sionna.receive(code, ebn0_db, 40, point["seed"])
        for decoder in ldpc_sionna.OURS:
            errors = ldpc_sionna.block_errors(code, bits, llr, decoder, ldpc_sionna.ITERATIONS)
            assert least <= errors <= most


@needs_sionna
def test_ldpc_sionna_measures_all_on_the_same_llrs() -> None:
    row = ldpc_sionna.measure({**ldpc_sionna.points()[0], "ebn0_db": 5.0, "blocks": 4})
    assert [row[name] for name in (ldpc_sionna.PEER, *ldpc_sionna.OURS)] == [0, 0, 0]


def test_mcs_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcs_thresholds, "max_blocks", lambda _: 4000)
    scheme = find_scheme("QPSK 0.514")
    row = mcs_thresholds.measure("awgn", scheme, 200, 1)
    assert len(row["snr_db"]) == len(LEVELS)
    assert row["snr_db"] == sorted(row["snr_db"])
    assert row["snr_db"][0] > mcs_thresholds.bound_db("awgn", scheme, 200)
    for (low, high), best in zip(row["interval_db"], row["snr_db"], strict=True):
        assert low <= best <= high


@pytest.mark.skipif(not HAS_LDPC, reason="needs the package ldpc")
def test_peer_ldpc_decodes() -> None:
    code = ldpc_sionna.point_code(1024, "1/2")
    bits, llr = ldpc_sionna.receive(code, 6.0, 2, 1)
    assert (ldpc_decoder(code, 20)(llr) == bits).all()


@needs_sionna
def test_peer_sionna_decodes() -> None:
    code = ldpc_sionna.point_code(1024, "1/2")
    bits, _ = ldpc_sionna.receive(code, 6.0, 2, 1)
    assert (sionna_chain(code, 20)(bits, 6.0) == bits).all()


def test_segmenters(tmp_path: Path) -> None:
    image = np.full((48, 64, 3), 40, dtype=np.uint8)
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[12:36, 20:44] = 255
    image[mask > 0] = (220, 60, 60)
    PilImage.fromarray(image).save(tmp_path / "a.png")
    PilImage.fromarray(mask).save(tmp_path / "a_mask.png")
    result = CliRunner().invoke(segmenters.main, [str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    mean = segmenters.run(("graph",), tmp_path)["graph"]["mean"]
    assert set(mean) == set(segmenters.COLUMNS)
    assert mean["point"] > 0.9  # a red square on grey
    outlines = tmp_path / "outlines.json"
    outlines.write_text('{"a.png": ["20,12 43,12 43,35 20,35"]}', "utf-8")
    (_, drawn), (_, truth) = (
        pairs["a"] for pairs in (segmenters.draw(tmp_path, outlines), segmenters.load(tmp_path))
    )
    np.testing.assert_array_equal(drawn, truth)
    drawn_too = segmenters.run(("graph",), tmp_path, outlines)["graph"]["mean"]
    assert {**drawn_too, "seconds": 0} == {**mean, "seconds": 0}


def test_suite_overhead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite_overhead.similarities()
    ratios = re.findall(r"SSIM: \d+ ms; .* ms, ([\d.]+) times as", capsys.readouterr().out)
    assert len(ratios) == 2
    suite_overhead.overhead(tmp_path, 100, jobs=1)
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "10 tasks",
        "100 tasks",
    ]
