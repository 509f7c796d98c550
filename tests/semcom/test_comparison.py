"""One image sent several times: what is compared is the same but for what is varied."""

from __future__ import annotations

import json

import pytest

import semcom

OPTIONS = {"segmenter": "graph", "codec": "jpeg2000"}


@pytest.fixture(scope="module")
def comparison(photo):
    return semcom.compare(photo, cbr="1/6", snr_db=7, **OPTIONS)


def test_a_comparison_differs_in_what_the_sender_knows_alone(photo, comparison):
    blind, steered = comparison.blind.record, comparison.steered.record
    assert (blind["system"], steered["system"]) == ("blind", "importance")
    same = ("cbr_budget", "seed", "sha256", "region_area", "channel", "snr_db", "theta", "codec")
    assert all(blind[name] == steered[name] for name in same)
    alone = semcom.send(photo, cbr="1/6", snr_db=7, blind=True, **OPTIONS)
    assert alone.record == blind
    assert comparison.gains["region_psnr_db"] > 0 > comparison.gains["background_psnr_db"]
    for name, gain in comparison.gains.items():
        known = None not in (steered[name], blind[name])
        assert gain == (steered[name] - blind[name] if known else None)


def test_a_gain_without_a_score_is_none(photo):
    comparison = semcom.compare(photo, segmenter="whole_image", codec="webp", cbr="1/4")
    assert comparison.gains["region_psnr_db"] is not None  # the whole image is the region
    assert comparison.gains["background_psnr_db"] is None
    assert comparison.gains["psnr_db"] == 0


def test_rows_of_a_sweep_are_those_of_single_deliveries(photo):
    systems = {"blind": {"blind": True}, "a, b": {"theta": 0.9}}
    rows = semcom.sweep(
        photo, snr_db=[4, 10], cbr=["1/8", 0.25], systems=systems, draws=2, seed=5, **OPTIONS
    )
    assert len(rows) == 16
    keys = {(r["system"], r["cbr_budget"], r["snr_db"], r["draw"]) for r in rows}
    assert len(keys) == 16
    assert {r["seed"] for r in rows} == {5, 6}
    row = next(r for r in rows if r["system"] == "a, b" and r["draw"] == 1 and r["snr_db"] == 4)
    record = semcom.send(photo, snr_db=4, cbr="1/8", theta=0.9, seed=6, **OPTIONS).record
    for name, value in record["accounting"].items():
        assert row[f"uses_{name}"] == value
    assert row["region_psnr_db"] == record["region_psnr_db"]
    assert json.loads(json.dumps(rows)) == rows  # flat, and plain
    assert not any(isinstance(value, dict | list) for row in rows for value in row.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thetta": 0.3}, "unknown option 'thetta'; did you mean 'theta'"),
        ({"xyz": 1}, "unknown option 'xyz'; choices: segmenter, points"),
        ({"blind": True}, "option 'blind' cannot be given here, because it is varied"),
        ({"codec": "hvec"}, "did you mean 'hevc'"),
    ],
)
def test_bad_options_are_refused_before_any_work(options, message):
    with pytest.raises(ValueError, match=message):
        semcom.compare("no-such-file.png", **options)


def test_single_values_need_no_list(photo):
    (row,) = semcom.sweep(
        photo, snr_db=10, cbr="1/4", systems={"one": {"codec": "webp"}}, segmenter="whole_image"
    )
    assert (row["system"], row["snr_db"], row["cbr_budget"]) == ("one", 10, 0.25)


def test_bad_sweeps_are_refused_before_any_work():
    for options, message in (
        ({"systems": {"a": {"snr_db": 3}}}, "'snr_db' cannot be given here"),
        ({"systems": {"a": {"colour": 3}}}, "unknown option 'colour'"),
        ({"draws": 0}, "draws must be at least 1, got 0"),
        ({"systems": {}}, "at least one system"),
        ({"snr_db": []}, "one SNR"),
        ({"cbr": "1/16 of it"}, "1/16 of it"),
        ({"snr_db": [1, float("nan")]}, "between -300 and 300 dB"),
        ({"cbr": ["1/0"]}, "1/0"),
    ):
        with pytest.raises(ValueError, match=message):
            semcom.sweep("no-such-file.png", **options)


@pytest.mark.parametrize("point", ["ab", (1,), (1, "2"), 5])
def test_prompts_are_numbers(photo, point):
    with pytest.raises(ValueError, match="a point needs 2 numbers, got"):
        semcom.send(photo, points=[point])
