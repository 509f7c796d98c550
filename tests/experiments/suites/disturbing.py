"""Suites that disturb pictures, and what they store."""

from __future__ import annotations

import json

from experiments.store.database import Database
from experiments.suites.suite import Suite


def suite(folder, **about):
    shared = {"images": str(folder / "a.png"), "codec": "jpeg", "cbr": "1/8", "segmenter": "graph"}
    return Suite.model_validate({**shared, **about})


def rows(file):
    """Return the records and the scores of the first draws, by what their settings say."""
    with Database(file / "results.db") as database:
        found = database.query("SELECT setting, record, outcomes FROM rows ORDER BY rowid")
        return [
            (database.setting(setting), json.loads(record), json.loads(outcomes)[0]["scores"])
            for setting, record, outcomes in found
        ]
