"""Upgrade of results files from version 1 to version 2.

Version 1 identified systems by their labels and did not record the images of a run. The upgrade
finds systems again in their suites, and assumes that every run was over all images that its suite
has in the file. Rows, settings and pictures stay unchanged. Intervals are left out, because they
were over the images of all runs; the next run computes them again from the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from experiments.store.integrity import prepare, put
from experiments.store.schema import RESULTS, SCHEMA, SCHEMA_VERSION
from experiments.suites.axes import System

_CHANGED = ("suites", "runs", "images", "members", "failures", "intervals", "pictures")
_UNCHANGED = (
    "INSERT OR IGNORE INTO suites "
    "SELECT id, content, name, seal_of(id, content, name) FROM old_suites",
    "INSERT OR IGNORE INTO failures SELECT *, seal_of(task, first, draws, image, mask, setting, "
    "error, trace, run) FROM old_failures",
    "INSERT OR IGNORE INTO pictures SELECT *, seal_of(task, kind, data) FROM old_pictures",
)
_IMAGES = """
SELECT suite, image, mask FROM old_members JOIN rows USING (setting)
UNION SELECT suite, image, mask FROM old_members JOIN failures USING (setting)
"""
_NAMES = """
SELECT DISTINCT i.id, coalesce(s.mask, ''), i.name, i.path, i.mask_path FROM old_images i
LEFT JOIN image_sets s ON s.image = i.id
"""


def image_set_id(images: Iterable[tuple[str, str]]) -> str:
    """Return the id of a set of images, given by the SHA-256 of image files and mask files."""
    return sha256(json.dumps(sorted(set(images))).encode()).hexdigest()


@contextmanager
def upgraded(connection: sqlite3.Connection) -> Iterator[Path]:
    """Provide an upgraded copy of a file of version 1 that is only read."""
    with TemporaryDirectory(prefix="semcom-") as folder:
        file = Path(folder) / RESULTS
        with closing(sqlite3.connect(file, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            prepare(copy)
            upgrade(copy)
        yield file


def upgrade(connection: sqlite3.Connection) -> None:
    """Upgrade a file from version 1 to version 2, completely or not at all."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DROP VIEW IF EXISTS open_failures")
        for table in _CHANGED:
            connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        new = ("VIEW open_failures", *(f"TABLE {name} (" for name in (*_CHANGED, "image_sets")))
        for statement in SCHEMA.split(";\n"):
            if any(f"CREATE {one}" in statement for one in new):
                connection.execute(statement)
        for statement in _UNCHANGED:
            connection.execute(statement)
        _image_sets(connection)
        for row in connection.execute(_NAMES).fetchall():
            put(connection, "images", row)
        _members(connection)
        for table in _CHANGED:
            connection.execute(f"DROP TABLE old_{table}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _image_sets(connection: sqlite3.Connection) -> None:
    """Write the images of every run: all images of its suite."""
    found: dict[str, set[tuple[str, str]]] = {}
    for suite, image, mask in connection.execute(_IMAGES):
        found.setdefault(suite, set()).add((image, mask))
    names = dict(connection.execute("SELECT id, name FROM old_images"))
    for run in connection.execute("SELECT * FROM old_runs ORDER BY rowid").fetchall():
        images = with_masks(found.get(run[2], set()))
        image_set = image_set_id(images)
        put(connection, "runs", (*run[:3], image_set, *run[3:]))
        for image, mask in images:
            put(connection, "image_sets", (image_set, image, mask, names.get(image, image)))


def with_masks(images: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out images without a mask that also occur with one."""
    masked = {image for image, mask in images if mask}
    return {(image, mask) for image, mask in images if mask or image not in masked}


def _members(connection: sqlite3.Connection) -> None:
    sql = (
        "SELECT suite, place, setting, system, content FROM old_members "
        "JOIN suites ON suites.id = suite ORDER BY suite"
    )
    known: dict[str, System] = {}
    last = ""
    for suite, place, setting, label, content in connection.execute(sql).fetchall():
        if suite != last:
            known, last = _systems(content), suite
        # If MobileSAM's weights are present on only one of the machines, only the label is known.
        system = known.get(setting) or known.get(label) or System(label)
        values = (suite, place, setting, system.name, json.dumps(dict(system.varies)))
        put(connection, "members", values)


def _systems(content: str) -> dict[str, System]:
    """Return the systems of a suite by the ids of their settings, and by their labels."""
    from experiments.suites.suite import Suite

    known: dict[str, System] = {}
    try:
        for system, setting in Suite.model_validate_json(content).settings():
            known[setting.id] = system
            known.setdefault(system.label, system)
    except ValidationError:  # a plugin that is missing here: systems keep their labels
        return {}
    return known
