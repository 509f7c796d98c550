"""The suites that come with semcom: both forms are valid, and the quick one runs anywhere."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from experiments.cli.main import main
from experiments.datasets.items import DATASETS
from experiments.running.tasks import suite_items, tasks, without_missing
from experiments.store.study import SuiteResults, read_results
from experiments.suites.shipped import shipped
from experiments.suites.suite import Suite
from experiments.suites.suite_file import read_suite

SUITES = sorted(shipped())


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, encodings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home: no data, no weights, no network; what is found in photos is shared."""

    def connect(*_: object) -> None:
        raise AssertionError("a quick form went to the network")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMCOM_CACHE", str(encodings))
    monkeypatch.delenv("SEMCOM_DATA", raising=False)
    monkeypatch.delenv("SEMCOM_MOBILE_SAM", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(socket.socket, "connect", connect)


def suite(name: str, *, quick: bool) -> Suite:
    return read_suite(shipped()[name], quick=quick)


@pytest.mark.parametrize("name", SUITES)
def test_both_forms_are_valid_and_say_what_they_ask(name: str) -> None:
    full, quick = suite(name, quick=False), suite(name, quick=True)
    for one in (full, quick):
        assert one.title
        assert one.question.endswith("?")
        assert set(one.systems) <= set(full.systems)
    assert sum(1 for _ in quick.settings()) <= sum(1 for _ in full.settings())
    assert all(image.split("/")[0] in DATASETS for image in full.images)
    assert all(image.split("/")[0] in ("photos", "signs") for image in quick.images)


@pytest.mark.parametrize("name", SUITES)
def test_systems_differ_and_have_names_of_their_own(name: str) -> None:
    settings = list(suite(name, quick=False).settings())
    assert len({one.id for _, one in settings}) == len(settings)
    for named in ("key", "label"):
        places = {
            (system if named == "key" else system.label, s.channel, s.cbr, s.snr_db, s.seed)
            for system, s in settings
        }
        assert len(places) == len(settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_the_quick_form_runs(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["run", name, "--quick", "--out", str(out), "--jobs", "1"])
    assert result.exit_code == 0, result.output
    # Attacks on MobileSAM are left out where its weights are missing.
    study, quick = read_results(out), without_missing(suite(name, quick=True), lambda *_: None)
    items = suite_items(quick, Path(), print)
    rows = {row.task for point in study.points for row in point.rows}
    assert rows == {task for _, _, task in tasks(quick, items)}
    assert study.failed == 0
    CHECKS.get(name, lambda _: None)(study)


def test_fading_has_the_best_equal_protection_as_its_rival() -> None:
    """Over one unknown gain, with the same draws and bandwidth for all."""
    systems = {system.label: s for system, s in suite("fading", quick=False).settings()}
    about = {label: (s.codec, s.protection, s.scheme) for label, s in systems.items()}
    assert about == {
        f"{name}, {codec}": (codec, "equal", scheme)
        for name, scheme in (
            ("equal for error", "best for error"),
            ("equal for PSNR", "best for PSNR"),
        )
        for codec in ("scalable", "hevc")
    } | {
        "unequal": ("scalable", "unequal", ""),
        "graceful": ("scalable", "graceful", ""),
        "hybrid": ("hybrid", "equal", ""),
        "hybrid, no margin": ("hybrid", "equal", ""),
    }
    for one in systems.values():
        assert (one.channel, one.snr_db, one.cbr) == ("rayleigh", 10, "1/12")
        assert suite("fading", quick=False).draws_of(one).most == 50


def _kodak(study: SuiteResults) -> None:
    """No link sends more than its capacity, and more bandwidth or SNR is better."""
    hevc = values(study, "hevc", "psnr_db")
    bound = values(study, "bound", "psnr_db")
    assert all(bound[place] > hevc[place] for place in hevc)
    assert hevc["1/24", 10] > hevc["1/48", 10] > hevc["1/48", 1]


def _davis(study: SuiteResults) -> None:
    """θ moves quality from the rest into the region."""
    systems = ("blind", "masks, θ 0.5", "masks, θ 0.9")
    for score, rising in (("region_psnr_db", True), ("background_psnr_db", False)):
        blind, half, most = (values(study, system, score) for system in systems)
        for place in blind:
            assert (blind[place] < half[place] < most[place]) == rising
            assert (blind[place] > half[place] > most[place]) != rising


def _mismatch(study: SuiteResults) -> None:
    """A sender that is sure loses all below its 10 dB, and is best above."""
    sure, unsure, unequal = (
        values(study, system, "region_psnr_db") for system in ("sure", "unsure", "unequal")
    )
    low, middle, high = (("1/24", snr_db) for snr_db in (5, 8, 11))
    assert max(sure[low], sure[middle], unsure[low]) < 20  # mid-grey
    assert unequal[low] > 25
    assert sure[high] > unsure[high] == unsure[middle] > unequal[middle] > unequal[low]


def _segmenters(study: SuiteResults) -> None:
    """On the true region, true masks are best, and any mask that hits it beats none."""
    none, graph, true = (
        values(study, system, "region_psnr_db") for system in ("none", "graph", "true masks")
    )
    assert all(none[place] < graph[place] < true[place] for place in none)


def _fading(study: SuiteResults) -> None:
    """Unequal protection has less error on average, and good gains give better pictures."""
    points = {point.system: point.rows[0] for point in study.points}
    equal, unequal = points["equal for error"], points["unequal"]
    assert unequal.record["expected_psnr_db"] > equal.record["expected_psnr_db"]
    one, several = (
        {outcome["scores"]["theta_psnr_db"] for outcome in row.outcomes} for row in (equal, unequal)
    )
    assert len(several) > 1  # what arrives depends on the gain
    assert max(several) > max(one)


def _hybrid(study: SuiteResults) -> None:
    """A better channel than planned helps the hybrid and not the digital link."""
    digital, hybrid = (values(study, name, "psnr_db") for name in ("hevc", "hybrid"))
    planned, better = (("1/24", snr_db) for snr_db in (4, 12))
    assert digital[better] == digital[planned]
    assert hybrid[better] > hybrid[planned] + 0.5
    assert hybrid[better] > digital[better]


def _tiny(study: SuiteResults) -> None:
    """More bandwidth is better, and the learned codec is ahead of WebP."""
    tiny, webp = (values(study, name, "psnr_db") for name in ("tiny", "webp"))
    assert all(tiny[place] > webp[place] for place in webp)
    assert tiny["1/24", 10] > tiny["1/48", 10]


def _kodak_ssim(study: SuiteResults) -> None:
    """The tuned codec is ahead in MS-SSIM and behind in PSNR."""
    plain, tuned = (values(study, name, "ms_ssim") for name in ("hevc", "hevc, for SSIM"))
    assert all(tuned[place] > plain[place] for place in plain)
    plain, tuned = (values(study, name, "psnr_db") for name in ("hevc", "hevc, for SSIM"))
    assert all(tuned[place] < plain[place] for place in plain)


CHECKS: dict[str, Callable[[SuiteResults], None]] = {
    "kodak-awgn": _kodak,
    "kodak-ssim": _kodak_ssim,
    "davis-masks": _davis,
    "fading": _fading,
    "mismatch": _mismatch,
    "hybrid": _hybrid,
    "tiny": _tiny,
    "segmenters": _segmenters,
}


def values(study: SuiteResults, system: str, score: str) -> dict[tuple[str, float], float]:
    """Return the means of one system by CBR and SNR."""
    points = [point for point in study.points if point.system == system]
    found = {(p.setting.cbr, p.setting.snr_db): p.mean(score) for p in points}
    assert found
    assert None not in found.values()
    return {place: value for place, value in found.items() if value is not None}
