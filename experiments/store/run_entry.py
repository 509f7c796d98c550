"""Registration of a run in a results file: its suite, its images and its settings."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from experiments.datasets.items import Item
from experiments.path_text import to_text
from experiments.read_files import file_versions, other_files
from experiments.store.database import Database, TaskResult
from experiments.store.integrity import put
from experiments.store.provenance import commit, machine
from experiments.store.upgrade import image_set_id
from experiments.suites.setting import Setting
from experiments.suites.suite import Suite
from semcom.errors import InputError
from semcom.versions import versions


class RunContext(NamedTuple):
    """The ids and names of a run in a results file."""

    run: str
    suite: str
    image_set: str
    names: dict[tuple[str, str], str]
    """Names of the images, by the SHA-256 of their file and of their mask's file."""
    pictured: frozenset[str]
    """Images of which received pictures are kept, by the SHA-256 of their files."""

    def name(self, made: TaskResult) -> str:
        """Return the name of the image of a result."""
        every = (name for (image, _), name in self.names.items() if image == made.image)
        return self.names.get((made.image, made.mask)) or next(every, made.image)


def suite_id(suite: Suite) -> str:
    """Return the id of a suite: the SHA-256 of its content, with every default filled in."""
    return sha256(suite.model_dump_json().encode()).hexdigest()


def _specs(setting: Setting) -> Iterator[str]:
    """Yield the plug-ins of a setting that may read files; those of disturbances are in its id."""
    yield from (setting.channel, setting.codec, setting.segmenter, setting.detector)
    yield from setting.also


def _check_files(path: Path, before: dict[str, str], files: dict[str, str]) -> None:
    for name in other_files(before, files):
        raise InputError(
            f"{name} has changed since rows of {path} were made with it: give another folder with "
            "--out"
        )


def enter(
    database: Database, suite: Suite, name: str, items: list[Item], say: Callable[..., None]
) -> RunContext:
    """Register a run with its suite, images and settings.

    Raises
    ------
    ValueError
        A file that a channel, codec, segmenter or score reads is not the one that rows in the
        results file were made with.
    """
    names = {(item.sha256, item.mask_sha256): item.name for item in items}
    entry = RunContext(
        uuid.uuid4().hex,
        suite_id(suite),
        image_set_id(names),
        names,
        frozenset(item.sha256 for item in items[: suite.pictures]),
    )
    now, git, made_by = datetime.now(UTC).isoformat(timespec="seconds"), commit(), versions()
    files = file_versions(spec for _, one in suite.settings() for spec in _specs(one))
    made_by |= files
    for (text,) in database.query("SELECT DISTINCT versions FROM runs"):
        _check_files(database.path, json.loads(text), files)
        if differ := [f"{k} {v}" for k, v in json.loads(text).items() if made_by.get(k) != v]:
            say(f"{database.path} holds rows made with {', '.join(differ)}; they are kept")
    with database.transaction() as connection:
        put(connection, "suites", (entry.suite, suite.model_dump_json(), name), known="REPLACE")
        about = (entry.run, now, entry.suite, entry.image_set)
        put(connection, "runs", (*about, json.dumps(made_by), git, json.dumps(machine())))
        for key, shown in names.items():
            put(connection, "image_sets", (entry.image_set, *key, shown), known="REPLACE")
        for i in items:
            where = (to_text(i.path), i.mask and to_text(i.mask))
            put(connection, "images", (i.sha256, i.mask_sha256, i.name, *where), known="REPLACE")
        for place, (system, setting) in enumerate(suite.settings()):
            text = json.dumps(setting.about(), sort_keys=True)
            connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (setting.id, text))
            who = (system.name, json.dumps(dict(system.varies)))
            put(connection, "members", (entry.suite, place, setting.id, *who), known="REPLACE")
    return entry
