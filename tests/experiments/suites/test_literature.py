"""What others published, as it stands in experiments/results/paper-*.json."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from channels.catalogue import CHANNELS
from channels.units import awgn_capacity
from experiments.suites import literature
from experiments.suites.literature import Published

RESULTS = Path(literature.__file__).parents[1] / "results"
ALL = literature.literature()

# Rate-distortion of both codecs on Kodak, from CompressAI's results/image/kodak (vtm.json and
# bpg_444_x265_ycbcr.json): bits per pixel, PSNR in dB.
REFERENCE = {
    "vtm-capacity": (
        [0.048245, 0.112495, 0.245817, 0.490545, 0.874810, 1.430850, 2.324607, 3.632609],
        [26.1448, 28.4930, 31.1999, 34.2615, 37.4198, 40.4244, 43.5058, 46.5918],
    ),
    "bpg-capacity": (
        [0.067768, 0.161023, 0.351554, 0.684697, 1.199665, 1.929712, 3.057876, 4.703143],
        [26.1951, 28.6815, 31.5947, 34.8575, 38.2599, 41.4789, 44.7031, 47.6325],
    ),
}


def test_every_file_is_read() -> None:
    assert {f"paper-{key}.json" for key in ALL} == {p.name for p in RESULTS.glob("paper-*.json")}
    assert len({one.name for one in ALL.values()}) == len(ALL) == 15


@pytest.mark.parametrize("one", ALL.values(), ids=list(ALL))
def test_a_scheme_says_where_it_is_from_and_is_of_this_world(one: Published) -> None:
    assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", one.source)
    how = ("read off published figures, ±0.1 dB", "posted in an issue: ", "derived: ")
    assert one.obtained.startswith(how)
    assert one.obtained.startswith("derived") == one.bound == ("(bound)" in one.name)
    assert one.dataset == "Kodak"
    CHANNELS.entry(one.channel)
    for cbr in {cbr for cbr, _ in one.psnr_db}:
        curve = [psnr for _, psnr in one.over_snr(cbr)]
        assert curve == sorted(set(curve))  # more power is better
    for snr_db in {snr_db for _, snr_db in one.psnr_db}:
        curve = [psnr for _, psnr in one.over_cbr(snr_db)]
        assert curve == sorted(set(curve))  # more bandwidth is better
    assert all(25 < psnr < 45 for psnr in one.psnr_db.values())
    content = json.loads((RESULTS / f"paper-{one.key}.json").read_text(encoding="utf-8"))
    assert {"name", "description", "results"} <= set(content)  # as CompressAI's
    assert {"cbr", "snr_db", "psnr-rgb"} == set(content["results"]) - {"ms-ssim-rgb"}
    assert len({len(values) for values in content["results"].values()}) == 1


@pytest.mark.parametrize("key", REFERENCE)
def test_a_bound_is_the_codecs_own_curve_at_capacity(key: str) -> None:
    bits, psnr = REFERENCE[key]
    for (cbr, snr_db), published in ALL[key].psnr_db.items():
        bits_per_pixel = 3 * cbr * awgn_capacity(snr_db)
        own = np.interp(np.log(bits_per_pixel), np.log(bits), psnr)
        assert published == pytest.approx(own, abs=0.1)  # how one interpolates; they are rounded


@pytest.mark.parametrize("codec", ["bpg", "vtm"])
def test_no_code_passes_its_bound(codec: str) -> None:
    for (cbr, snr_db), psnr in ALL[f"{codec}-ldpc"].psnr_db.items():
        bound = ALL[f"{codec}-capacity"].at(cbr, snr_db)
        assert bound is None or psnr < bound


def test_ms_ssim_is_read_where_it_is_published() -> None:
    swin = ALL["swinjscc"]
    assert swin.at(1 / 16, 10, "ms_ssim") == 0.9772
    assert swin.over_snr(1 / 8, "ms_ssim")[0] == (1, 0.9507)
    assert swin.over_snr(1 / 8) == [(10, 36.05)]  # no PSNR was published at the other SNRs
    assert [v for _, v in swin.over_cbr(10, "ms_ssim")] == [0.9434, 0.9673, 0.9772, 0.9816, 0.986]
    assert ALL["witt"].over_cbr(10, "ms_ssim") == []
    for one in ALL.values():
        assert all(0.9 < value < 1 for value in one.ms_ssim.values())
        curves = [one.over_snr(cbr, "ms_ssim") for cbr, _ in one.ms_ssim]
        assert all(curve == sorted(curve, key=lambda p: p[1]) for curve in curves)


def test_points_are_found_whatever_way_a_ratio_is_written() -> None:
    witt = ALL["witt"]
    assert witt.at(1 / 48, 10) == witt.at(0.0208333333, 10.0) == 29.3
    assert witt.at(1 / 48, 9) is None
    assert witt.over_cbr(9) == []
    assert witt.over_snr(0.0625) == [(1, 29.7), (4, 31.3), (7, 32.6), (10, 33.6), (13, 34.3)]


def test_schemes_are_chosen_by_name_and_channel() -> None:
    chosen, notes = literature.choose("ntscc++, witt,witt", "awgn")
    assert [one.key for one in chosen] == ["ntscc++", "witt"]
    assert notes == []
    assert literature.choose("", "awgn") == ([], [])
    assert len(literature.choose("all", "awgn")[0]) == 12
    over = [one.key for one in literature.choose("all", "rayleigh_real")[0]]
    assert over == ["bpg-ldpc-rayleigh", "deepjscc-rayleigh", "witt-rayleigh"]
    assert literature.choose("all", "rayleigh_fast")[0] == []
    chosen, notes = literature.choose("witt", "rayleigh_fast")
    assert chosen == []
    assert notes == ["WITT is published over awgn, not rayleigh_fast: not shown"]
    chosen, notes = literature.choose("all", "rician")
    assert chosen == []
    assert notes == ["nothing is published over rician: no published curve is shown"]
    with pytest.raises(ValueError, match=r"^unknown published curve 'bpg'; choices: all, bpg-cap"):
        literature.choose("witt,bpg", "awgn")


def test_kodak_is_known_by_its_pixels() -> None:
    with (RESULTS / "kodak-awgn.csv").open(newline="", encoding="utf-8") as file:
        digests = [row["pixels_sha256"] for row in csv.DictReader(file)]
    assert len(set(digests)) == 24
    assert literature.is_kodak(digests)
    assert not literature.is_kodak(sorted(set(digests))[:-1])
    assert not literature.is_kodak([*digests, "0" * 64])
