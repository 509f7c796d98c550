"""The table of draws: expected and simulated errors, and how often the region is shown."""

from __future__ import annotations

from experiments.analysis.outages import outage_of, with_region
from experiments.analysis.points import at_own_theta, draws_words
from experiments.analysis.table import Table
from experiments.analysis.tables import COUNT, PLACE, by_condition, place, titles
from experiments.store.measured import Point, SuiteResults


def draws_table(study: SuiteResults) -> Table | None:
    """Return a row for each point with several draws; None if there is none.

    The sender minimises the expected squared error, weighted by its importance map. This
    corresponds to θ-PSNR at the system's own θ, or to PSNR if the system is blind.
    """
    found = []
    for point in by_condition(study):
        score = "psnr_db" if point.setting.blind else "theta_psnr_db"
        some = at_own_theta(point).over(score)
        if _plain(some) and min(row.draws for row in some.rows) > 1:
            every = with_region(point.over("lost"), "region_psnr_db")
            expected = some.mean("expected_psnr_db")
            decibels = expected, some.psnr_of_mean_error(score), some.mean(score)
            least = float(study.suite["shown_db"])
            shown = 100 * (1 - outage_of(every, least)) if every.rows else None
            found.append((point, decibels, len(some.rows), shown, len(every.rows)))
    if all(expected is None for _, (expected, *_), *_ in found):
        return None
    fewer = any(images < rows for *_, images, _, rows in found)
    columns = list(PLACE)
    for name in ("expected", "simulated", "mean"):
        columns += [name, *[name + COUNT] * fewer]
    columns += ["shown, %", "images"]
    lines = []
    for point, decibels, images, shown, rows in found:
        cells = [cell for value in decibels for cell in (value, *[images] * fewer)]
        lines.append((*place(point), *cells, shown, rows))
    caption = (
        "Expected: PSNR of the expected squared error, which follows from the channel's law and "
        "the measured thresholds; an analog codec has none. Simulated: PSNR of the mean squared "
        "error over the draws, in "
        "which a few lost pictures weigh much. Mean: mean of the dB values. All are θ-PSNR at the "
        "system's θ, or PSNR if the system is blind, in dB. Shown: share of draws with a region "
        f"PSNR of at least {study.suite['shown_db']:g} dB, over the images that have a region."
    )
    title = f"over {draws_words(study.points)}"
    named = titles("over the draws", study)
    return Table("draws", title, caption, tuple(columns), tuple(lines), titles=named)


def _plain(point: Point) -> bool:
    """Whether the error that the sender minimises corresponds to one of the scores."""
    score = "psnr_db" if point.setting.blind else "theta_psnr_db"
    told = point.setting.blind or point.setting.importance == "region"
    return told and point.mean(score) is not None
