"""The table of our results minus published ones at common points."""

from __future__ import annotations

from typing import Any

from experiments.analysis.papers.published import beside
from experiments.analysis.score_names import fine, short
from experiments.analysis.table import Table
from experiments.analysis.tables import PLACE, by_condition, place
from experiments.store.measured import Point, SuiteResults
from experiments.suites.literature import PUBLISHED_SCORES


def differences_table(study: SuiteResults) -> Table | None:
    """Return the table of scores minus published scores at common points; None without any.

    PSNR and MS-SSIM are compared, as far as the suite shows them and somebody published them.
    """
    shown = [name for name in PUBLISHED_SCORES if name in (*study.suite["scores"], "psnr_db")]
    points = [point for point in by_condition(study) if not point.setting.bound]
    rows = [row for score in shown for point in points for row in _rows(study, point, score)]
    if not rows:
        return None
    caption = "Over the whole image; the published systems do not favour any region."
    columns = (*PLACE, "published", "score", "its score", "difference")
    used = [score for score in shown if any(row[5] == short(score) for row in rows)]
    title = "scores minus published"
    return Table("differences", title, caption, columns, tuple(rows), fine=fine(used))


def _rows(study: SuiteResults, point: Point, score: str) -> list[tuple[Any, ...]]:
    ours = point.mean(score) if study.whole([point], score) else None
    if ours is None or point.setting.planned_snr_db is not None:
        return []
    found = []
    for one in beside(study, point.setting.channel):
        theirs = one.at(point.cbr_budget, point.setting.snr_db, score)
        if theirs is not None:
            found.append((*place(point), one.name, short(score), theirs, ours - theirs))
    return found
