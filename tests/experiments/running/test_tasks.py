"""What is still to do: without a list of it in memory, and each draw once."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.datasets.items import Item
from experiments.running import tasks as planning
from experiments.running.tasks import (
    BATCH,
    PendingTask,
    count,
    gaps,
    pending,
    suite_items,
    tasks,
    units,
    without_missing,
)
from experiments.store.database import Database, TaskResult
from experiments.suites.draws import AS_NEEDED
from experiments.suites.setting import Setting
from experiments.suites.suite import Suite
from semcom.checkpoints import mobile_sam as weights

A, B = (Item(Path(f"{name}.png"), None, name * 64, "") for name in "ab")


def _suite(**axes: Any) -> Suite:
    return Suite.model_validate({"title": "t", "images": "a", "segmenter": "graph", **axes})


def test_many_tasks_are_planned_without_a_list_of_them() -> None:
    """Two times 10⁴ here; 10⁶ take as much memory."""
    suite = _suite(
        seed=list(range(20)),
        snr_db=[i / 10 for i in range(100)],
        theta=[0.5, 0.6, 0.7, 0.8, 0.9],
        exclude={"theta": 0.9, "seed": 3},
    )
    next(tasks(suite, [A, B]))
    tracemalloc.start()
    count = sum(len(unit.jobs) for unit in units(pending(suite, [A, B], None, until=1), size=8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2 * (20 * 100 * 5 - 100)
    assert peak < 2e6


def test_too_many_images_for_a_suite_are_refused_before_tasks_are_made(monkeypatch) -> None:
    suite = _suite(snr_db=[i / 10 for i in range(1000)], seed=list(range(100)))
    many = [replace(A, sha256=f"{i:064x}") for i in range(101)]
    monkeypatch.setattr(planning, "find_items", lambda *_, **__: many[:100])
    assert len(suite_items(suite, Path(), print)) == 100
    monkeypatch.setattr(planning, "find_items", lambda *_, **__: many)
    with pytest.raises(ValueError, match=r"^100,000 settings of 101 images .* 10,100,000 tasks, "):
        suite_items(suite, Path(), print)


RANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=8)


@given(covered=RANGES, until=st.integers(0, 300))
def test_gaps_are_what_no_range_covers(covered: list[tuple[int, int]], until: int) -> None:
    drawn = {i for first, draws in covered for i in range(first, first + draws)}
    found = list(gaps(covered, until))
    each = [i for first, draws in found for i in range(first, first + draws)]
    assert each == [i for i in range(until) if i not in drawn]
    assert all(1 <= draws <= BATCH for _, draws in found)


def test_units_share_image_map_and_codec() -> None:
    suite = _suite(codec=["jpeg", "hevc"], theta=[0.5, 0.7], snr_db=[1, 2, 3], draws=120)
    made = list(units(pending(suite, [A, B], None, until=120), size=4, pictures=[A.sha256]))
    jobs = [(unit.item, job) for unit in made for job in unit.jobs]
    assert len(jobs) == 2 * 2 * 2 * 3 * 3
    assert len(set(jobs)) == len(jobs)
    for unit in made:
        assert len({(job.setting.codec, job.setting.theta) for job in unit.jobs}) == 1
        assert len(unit.jobs) <= 4
        assert all(job.pictures == (unit.item == A) for job in unit.jobs)


def test_tasks_of_one_mask_are_not_done_with_another() -> None:
    """Two masks of one picture are two images with the same file."""
    masks = [replace(A, mask=Path(name), mask_sha256=name * 64) for name in "cd"]
    suite = _suite(segmenter="beside", codec="jpeg", snr_db=[1, 2, 3, 4])
    planned = list(pending(suite, masks, None, until=1))
    made = list(units(planned, size=8))
    done = Counter((unit.item, job.setting) for unit in made for job in unit.jobs)
    assert done == Counter((one.item, one.setting) for one in planned)
    assert len(done) == 8


def _ids(suite: Suite, item: Item) -> list[str]:
    return [task for _, _, task in tasks(suite, [item])]


def test_what_is_done_or_has_failed_is_left_out(tmp_path: Path) -> None:
    suite = _suite(snr_db=[1, 2, 3], draws=20)
    one, two, three = _ids(suite, A)
    (first, *_) = (setting for _, setting in suite.settings())

    def left(database: Database, **options: Any) -> list[tuple[float, int, int]]:
        found = pending(suite, [A], database, until=20, **options)
        return [(todo.setting.snr_db, todo.first, todo.draws) for todo in found]

    def made(task: str, first: int, draws: int, error: str = "") -> TaskResult:
        return TaskResult(task, first, draws, A.sha256, "", "s", 0, 0.0, error=error)

    with Database(tmp_path / "r.db", write=True) as database:
        assert left(database) == [(1.0, 0, 20), (2.0, 0, 20), (3.0, 0, 20)]
        database.add([made(one, 0, 8), made(two, 0, 20), made(three, 0, 20, "E")], "run")
        assert left(database) == [(1.0, 8, 12)]
        assert left(database, retry=True) == [(1.0, 8, 12), (3.0, 0, 20)]
        assert left(database, enough={first.id: 8}) == []
        assert left(database, enough={first.id: 10}) == [(1.0, 8, 2)]
        # Tried again with success: it counts as failed no more, and later draws are not held up.
        database.add([made(three, 0, 8)], "run")
        assert left(database) == [(1.0, 8, 12), (3.0, 8, 12)]


def test_a_bound_is_not_drawn(tmp_path: Path) -> None:
    del tmp_path
    suite = _suite(bound=[True, False], draws=5)
    found = [(t.setting.bound, t.draws) for t in pending(suite, [A], None, until=5)]
    assert sorted(found) == [(False, 5), (True, 1)]


def test_a_mask_beside_is_part_of_the_task_where_it_has_a_part_in_it() -> None:
    masked = Item(A.path, Path("a_mask.png"), A.sha256, "c" * 64)
    assert _ids(_suite(), A) == _ids(_suite(), masked)
    for how in ({"segmenter": "beside"}, {"scored": "beside"}):
        assert _ids(_suite(**how), A) != _ids(_suite(**how), masked)
    assert Setting(segmenter="beside").needs_mask


@pytest.mark.parametrize("most", [1, 7, 8, 100])
def test_rounds_double_and_end_at_the_most(most: int) -> None:
    rounds = _suite(draws={"most": most, "within": 0.1}).draws.rounds()
    assert rounds[-1] == most
    assert rounds == sorted(set(rounds))
    assert all(b <= 2 * a for a, b in itertools.pairwise(rounds))
    assert _suite(draws=most).draws.rounds() == [most]


def _draws(suite: Suite) -> dict[str, int]:
    """Return how many draws there may be, by channel or what it loses."""
    every = {s.losses or s.channel: suite.draws_of(s).most for _, s in suite.settings()}
    until = max(every.values())
    found: Counter[str] = Counter()
    for todo in pending(suite, [A], None, until=until):
        found[todo.setting.losses or todo.setting.channel] += todo.draws
    assert suite.rounds()[-1] == until
    return dict(found)


CHANNELS = ["awgn", "rayleigh_fast", "rayleigh", "rician:k_db=3", "rayleigh:block_length=100"]
CHANNELS += ["ofdm:over=tdl_a", "mimo"]


def test_a_channel_of_which_one_draw_says_little_is_drawn_as_often_as_it_takes() -> None:
    """Noise, and gains that are fresh for every symbol, average out within a frame."""
    once = {"awgn": 1, "rayleigh_fast": 1}
    many = dict.fromkeys(CHANNELS[2:], AS_NEEDED.most)
    suite = _suite(channel=CHANNELS)
    assert _draws(suite) == {**once, **many}
    assert suite.rounds() == [8, 16, 32]
    (said,) = suite.about_draws()
    assert said.startswith(
        f"{', '.join(CHANNELS[2:])}: 8 to 32 draws (realisations of the channel)"
    )
    assert _draws(_suite(losses="packet_erasure:p=0.1")) == {"packet_erasure:p=0.1": 32}
    quiet = _suite(channel=CHANNELS[:2])
    assert (list(quiet.about_draws()), quiet.rounds()) == ([], [1])
    assert _draws(_suite(bound=True)) == {"awgn": 1}


def test_draws_that_are_given_are_obeyed_and_one_is_marked() -> None:
    for draws in (1, 5):
        suite = _suite(channel=CHANNELS, draws=draws)
        assert _draws(suite) == dict.fromkeys(CHANNELS, draws)
        assert [("says little" in said) for said in suite.about_draws()] == [True] * (draws == 1)
    assert list(_suite(draws=1).about_draws()) == []
    # Several seeds are draws, too.
    seeds = _suite(channel="rayleigh", seed=[0, 1, 2])
    assert (_draws(seeds), list(seeds.about_draws())) == ({"rayleigh": 3}, [])


def test_without_weights_mobile_sam_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "available", lambda: False)
    axes = {
        "masks": {"segmenter": ["graph", "mobile_sam"]},
        "sam": {"segmenter": "mobile_sam", "theta": 0.8},
    }
    suite = Suite.model_validate({"title": "t", "images": "x", "systems": axes})
    told: list[str] = []
    left = without_missing(suite, told.append)
    assert {setting.segmenter for _, setting in left.settings()} == {"graph"}
    assert list(left.systems) == ["masks"]
    assert "semcom weights fetch" in told[0]
    # Where nothing would be left, its tasks say how to get them.
    alone = Suite.model_validate({"title": "t", "images": "x", "segmenter": "mobile_sam"})
    assert without_missing(alone, told.append) is alone
    monkeypatch.setattr(weights, "available", lambda: True)
    assert without_missing(suite, told.append) is suite
    assert len(told) == 1


def test_weights_of_the_users_own_are_left_in_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pt"
    monkeypatch.setenv(weights.ENVIRONMENT, str(own))
    own.write_bytes(b"of another size")
    axes = {"segmenter": ["graph", "mobile_sam"]}
    suite = Suite.model_validate({"title": "t", "images": "x", **axes})
    told: list[str] = []
    assert without_missing(suite, told.append) is suite
    assert told == [weights.why_unavailable()]
    assert str(own) in told[0]


def test_a_suite_says_which_segmenter_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where weights come later, it is another suite: else both would go under one name."""
    suite = Suite.model_validate({"title": "t", "images": "x", "blind": True})
    ids = set()
    for name in ("graph", "mobile_sam"):
        monkeypatch.setattr(weights, "available", lambda name=name: name == "mobile_sam")
        resolved = suite.resolved()
        assert {s.segmenter for _, s in resolved.settings()} == {name}
        assert [s.id for _, s in resolved.settings()] == [s.id for _, s in suite.settings()]
        ids.add(resolved.model_dump_json())
    assert len(ids) == 2
    own = suite.model_copy(update={"segmenter": ("graph",)})
    assert own.resolved() is own


def test_masks_that_no_system_uses_are_not_demanded(tmp_path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "plain.png")
    own = {"own": {"segmenter": "graph"}, "whole": {"segmenter": "whole_image"}}
    suite = _suite(images="plain.png", segmenter="beside", systems=own)
    assert [item.mask for item in suite_items(suite, tmp_path, print)] == [None]


def test_each_text_and_detector_is_looked_for() -> None:
    found = {"segmenter": "graph", "cbr": "1/16"}
    settings = [Setting(**found, text=text) for text in ("dog", "cat", "dog")]
    settings.append(Setting(**found, text="dog", detector="owlv2"))
    todo = [PendingTask(A, setting, 0, 1) for setting in settings]
    assert len(count(iter(todo)).looks) == 3
