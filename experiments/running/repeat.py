"""``semcom repeat``: repeats a delivery and compares it with the record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.datasets.items import Item, find_items
from experiments.path_text import from_text
from experiments.read_files import versions_here
from experiments.running.unit import Job, Unit
from experiments.running.worker import work
from experiments.store.database import Database, TaskResult, opened
from experiments.store.queries import (
    MadeBy,
    find_task,
    made_by,
    path_of_image,
    rows_of_task,
)
from experiments.store.record_comparison import TOLERANCE, Difference, differences
from semcom.detectors.base import DEFAULT as DEFAULT_DETECTOR
from semcom.disturbances.apply import Disturb
from semcom.errors import InputError
from semcom.hashes import digest
from semcom.images import load_image
from semcom.importance.maps import AUTO, Theta
from semcom.importance.region import RegionOptions
from semcom.link.config import LinkConfig
from semcom.link.options import LinkOptions
from semcom.processor import processor
from semcom.scene import find_scene, send_scene
from semcom.scores.masks import MASK_SCORES
from semcom.segmenters.inner import without_note
from semcom.types import Prompts
from semcom.versions import versions

_SHORTEST_ID = 4


def repeat(results: Path, task: str, *, image: Path | None, say: Callable[..., None]) -> bool:
    """Repeat the rows of a task and return whether they are the same.

    Pictures, packets and counts must be identical. Other numbers must agree to within
    :data:`experiments.store.record_comparison.TOLERANCE`, because their last bits may differ on
    another processor.

    Parameters
    ----------
    results
        Results file, or the folder that holds it.
    task
        Id of the task, or the start of it.
    image
        File of the image, if it is no longer at the recorded path.
    say
        Function that receives the verdict and the differences.

    Raises
    ------
    ValueError
        If there is no such task, the image has changed, or the task fails (again).
    """
    with opened(results) as database:
        if len(task) < _SHORTEST_ID or set(task) - set("0123456789abcdef"):
            raise InputError(
                f"a task is named by {_SHORTEST_ID} or more hexadecimal digits, got {task}"
            )
        whole, failed = find_task(database, task)
        rows = list(rows_of_task(database, whole, failed=failed))
        item = _item(database, rows[0], image)
        setting = database.setting(rows[0]["setting"])
        runs = made_by(database)
    same = True
    for row in rows:
        (made,) = work(Unit(item, (Job(setting, row["first"], row["draws"]),)))
        if made.error:
            say(made.trace)
            raise InputError(f"task {made.task[:12]} fails: {made.error}")
        if row["failed"]:
            say(f"task {made.task[:12]} failed before ({row['failed']}) and works now")
            continue
        then = runs.get(row["run"], MadeBy({}, {}))
        found, made_on = _compare(row, made), then.machine.get("cpu")
        same &= _verdict(f"task {made.task[:12]}", found, then.versions, made_on, say)
    return same


def repeat_record(file: Path, *, image: Path | None, say: Callable[..., None]) -> bool:
    """Repeat a delivery from the record of ``semcom send``; return whether the record is equal."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        options, link = _region_options(record), _link(record)
        about = {
            "codec": record["codec"],
            "cbr": Fraction(record["cbr_budget"]).limit_denominator(10**6),
            "seed": record["seed"],
            "scores": tuple(record.get("scores", ())),
        }
        blind, source = record["system"] == "blind", record["image"]
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{file}: not a record of semcom send ({error!r})") from None
    pixels, _ = load_image(image or source)
    disturb = Disturb(record["disturbance"], record["severity"]) if "severity" in record else None
    if digest(pixels) != record["sha256" if disturb is None else "clean_sha256"]:
        raise InputError(
            f"{image or source} is not the image that was sent; name the right file with --image"
        )
    # A mask file for several images refers to the image by its original name.
    scene = find_scene(pixels, options, source=source, disturb=disturb)
    again = send_scene(scene, link=link, blind=blind, **about).record
    again = json.loads(json.dumps(again))
    then, made_on = record.pop("versions", {}), record.pop("cpu", None)
    for name in ("versions", "cpu", *({"received_sha256"} - record.keys())):  # older ones lack it
        again.pop(name)
    return _verdict(str(file), list(differences(record, again)), then, made_on, say)


def _region_options(record: dict[str, Any]) -> RegionOptions:
    prompts = Prompts(
        tuple(tuple(point) for point in record["points"]),
        tuple(tuple(box) for box in record["boxes"]),
        tuple(record.get("text", ())),
    )
    segmenter = without_note(record.get("segmenter_asked") or record["segmenter"])
    if segmenter.startswith("mobile_sam:") and "=" not in segmenter:
        segmenter = "mobile_sam"  # the record has the checkpoint's hash behind it
    if record["mask"] is not None:
        segmenter = "auto"
    theta: Theta = AUTO if "confidence" in record else record["theta"]
    # A detector is recorded with its commit; a folder is followed by the hash of its weights.
    detector = str(record.get("detector", DEFAULT_DETECTOR)).partition(" (")[0]
    return RegionOptions(
        segmenter, prompts, record["mask"], theta, record["importance"], detector=detector
    )


_LINK_DEFAULTS = {option.name: option.default for option in dataclasses.fields(LinkOptions)}


def _link(record: dict[str, Any]) -> LinkConfig:
    from channels.packets.target import Target

    # A record from before an option existed was made with its default value.
    record |= {name: value for name, value in _LINK_DEFAULTS.items() if name not in record}
    values = {field.name: record[field.name] for field in dataclasses.fields(LinkConfig)}
    values["target"] = Target(**values["target"])
    if not record["scheme_fixed"]:
        values["scheme"] = ""
    return LinkConfig(**values)


def _item(database: Database, row: dict[str, Any], image: Path | None) -> Item:
    """Find the image of a row and check that it is the same."""
    known = path_of_image(database, row["image"], row["mask"])
    path = image or (None if known is None else Path(from_text(known)))
    if path is None or not path.is_file():
        raise InputError(f"{path or 'the image'} is missing; name its file with --image")
    (item,) = find_items([str(path)], Path())
    if item.sha256 != row["image"]:
        raise InputError(f"{path} is not the image that was sent; name the right file with --image")
    if row["mask"] and item.mask_sha256 != row["mask"]:
        raise InputError(f"the mask beside {path} is not the one that was used")
    return item


def _compare(row: dict[str, Any], made: TaskResult) -> list[Difference]:
    recorded = {"record": json.loads(row["record"]), "outcomes": json.loads(row["outcomes"])}
    # Rows from before masks were scored lack their scores.
    known = recorded["record"].keys() | made.record.keys() - {*MASK_SCORES, "mask_area"}
    kept = {name: value for name, value in made.record.items() if name in known}
    again = {"record": kept, "outcomes": made.outcomes}
    return list(differences(recorded, json.loads(json.dumps(again))))


def _verdict(
    what: str,
    found: list[Difference],
    made_by: dict[str, str],
    made_on: dict[str, str] | None,
    say: Callable[..., None],
) -> bool:
    """Report whether a row is the same, and the differences; ``made_on`` is the processor."""
    others = _others(made_by, made_on)
    if not found:
        say(f"{what}: the same, bit for bit")
        return True
    if all(one.is_rounding for one in found):
        most = max(one.size for one in found)
        say(
            f"{what}: the same pictures and packets; numbers differ by at most {most:.1e}, within "
            f"{TOLERANCE:.0e}: {'; '.join(others) or 'the record does not say why'}"
        )
        return True
    for one in found:
        say(f"{what}: {one.what} is {one.again!r}, recorded as {one.recorded!r}")
    if others:
        say(f"{what}: it was made with {'; '.join(others)}")
    return False


def _others(made_by: dict[str, str], made_on: dict[str, str] | None) -> list[str]:
    """List the versions and the processor that differ from those of the recorded run."""
    here = versions() | versions_here(made_by)
    others = [f"{k} {v} (here {here.get(k)})" for k, v in made_by.items() if here.get(k) != v]
    if made_on is None:
        return [*others, "the record does not say which CPU it was"]
    cpu = list(_other_cpu(made_on, processor()))
    return [*others, f"another CPU: {', '.join(cpu)}"] if cpu else others


def _other_cpu(then: dict[str, str], here: dict[str, str]) -> Iterator[str]:
    for what in ("name", "torch", "numba"):
        if then.get(what) != here[what]:
            yield f"{what} {then.get(what)} (here {here[what]})".removeprefix("name ")
    mine, theirs = (one.get("numpy", "").split() for one in (here, then))
    if only := [feature for feature in theirs if feature not in mine]:
        yield f"numpy with {' '.join(only)} (here without)"
    if only := [feature for feature in mine if feature not in theirs]:
        yield f"numpy without {' '.join(only)} (here with)"
