"""All tables of the results of a suite."""

from __future__ import annotations

from experiments.analysis.bd_rate import bd_table
from experiments.analysis.cue_conflict import texture_table
from experiments.analysis.draws_table import draws_table
from experiments.analysis.needed_bandwidth import needed_table
from experiments.analysis.papers.differences import differences_table
from experiments.analysis.points import prepare
from experiments.analysis.robustness import robustness_table, success_table
from experiments.analysis.table import Table, Tell, spared
from experiments.analysis.tables import gains_table, lost_table, means_table
from experiments.store.measured import SuiteResults

TABLES = (
    *(means_table, gains_table, robustness_table, success_table, texture_table, bd_table),
    needed_table,
    *(differences_table, draws_table, lost_table),
)


def tables(study: SuiteResults, *, tell: Tell | None = None) -> list[Table]:
    """Return every table that the data support; ``tell`` receives those that fail.

    Without ``tell``, an error is raised.
    """
    study = prepare(study)
    found = []
    for table in TABLES:
        with spared(table.__name__.replace("_", "-"), tell):
            found.append(table(study))
    return [table for table in found if table is not None]
