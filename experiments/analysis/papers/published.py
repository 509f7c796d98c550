"""Published curves for the same images and channel."""

from __future__ import annotations

from experiments.store.measured import SuiteResults
from experiments.suites.literature import Published, choose, is_kodak


def beside(study: SuiteResults, channel: str) -> list[Published]:
    """Return the curves that a suite requests, if the images are all 24 of Kodak."""
    names = ",".join(study.suite["beside"])
    every = {row.key for point in study.points for row in point.rows}
    if not names or not is_kodak(study.digests) or study.counted["psnr_db"] != every:
        return []
    return choose(names, channel)[0]
