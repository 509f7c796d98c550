"""Texture against shape: which of two cues a segmenter follows."""

from __future__ import annotations

from typing import NamedTuple

from experiments.analysis.robustness import kind_of, name_of
from experiments.analysis.table import Table
from experiments.store.measured import Key, SuiteResults
from experiments.suites.axes import System
from semcom.disturbances.cue_conflict import CONTOUR

_DECIDED = 0.5
_TEXTURE, _CONTOUR = "iou_truth", "iou_mirrored"


class Share(NamedTuple):
    """How often a segmenter followed the texture."""

    kind: System
    severity: int
    texture: int
    """Masks that follow the texture."""
    decided: int
    """Masks that follow either cue."""
    pictures: int


def texture_shares(study: SuiteResults) -> list[Share]:
    """Count decisions for the texture, for each system and weight of the contour.

    A mask decides for a cue if its IoU with that one is at least 0.5, and with the other less.
    """
    found: dict[tuple[System, int], dict[Key, tuple[float, float]]] = {}
    for point in study.points:
        if point.setting.disturbance.partition(":")[0] == "cue_conflict":
            # A picture counts once, at however many bandwidths and SNRs it was sent.
            cell = found.setdefault((kind_of(point), point.setting.severity), {})
            for row in point.rows:
                texture, contour = row.mean(_TEXTURE), row.mean(_CONTOUR)
                if texture is not None and contour is not None:
                    cell[row.key] = texture, contour
    return [_share(kind, severity, [*some.values()]) for (kind, severity), some in found.items()]


def _share(kind: System, severity: int, some: list[tuple[float, float]]) -> Share:
    decided = [(t, c) for t, c in some if (t >= _DECIDED) != (c >= _DECIDED)]
    return Share(kind, severity, sum(t > c for t, c in decided), len(decided), len(some))


def texture_table(study: SuiteResults) -> Table | None:
    """Return the share of decisions for the texture; None if no picture has conflicting cues."""
    rows = tuple(
        (
            *(name_of(share.kind), CONTOUR[share.severity - 1], share.pictures, share.decided),
            share.texture / share.decided if share.decided else None,
        )
        for share in texture_shares(study)
    )
    if not rows:
        return None
    return Table(
        "texture-share",
        "texture or shape",
        "contour: weight of the contour, which is that of the mirrored object; the texture, which "
        "is that of the object, has the rest. decided: masks with an IoU of at least 0.5 with one "
        "of both, and less with the other. texture: the share of these that show the texture.",
        ("system", "contour", "pictures", "decided", "texture"),
        rows,
    )
