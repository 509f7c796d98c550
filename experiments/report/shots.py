"""Pictures that arrived, and which of them can be shown: damage to one must not cost the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.database import Database
from experiments.grid import System
from experiments.integrity import seal_of
from experiments.measured import ImageRow
from experiments.report import pictures
from experiments.setting import Setting

_SQL = "SELECT kind, data, seal FROM pictures WHERE task = ?"


@dataclass(frozen=True)
class Shot:
    """A picture that arrived."""

    system: System
    setting: Setting
    row: ImageRow

    def value(self, axis: str) -> Any:
        """Return where it is on an axis of the viewer."""
        return self.row.key if axis == "image" else getattr(self.setting, axis)

    @property
    def outcome(self) -> dict[str, Any]:
        """What was shown of the first draw, of which the picture is."""
        outcomes = self.row.outcomes
        return next((one for one in outcomes if one["draw"] == 0), outcomes[0])

    @property
    def key(self) -> tuple[str, str]:
        """The image and what was shown; equal where the pictures are."""
        return self.row.image, self.outcome["sha256"]


def intact(database: Database, shots: Sequence[Shot]) -> tuple[list[Shot], list[Shot]]:
    """Return what can be shown, and that of which a picture is not what was written."""

    def stored() -> Iterator[tuple[Shot, list[tuple[Any, ...]]]]:
        for shot in shots:
            yield shot, list(database.query(_SQL, (shot.row.task,)))

    def is_whole(one: tuple[Shot, list[tuple[Any, ...]]]) -> bool:
        shot, rows = one
        task, size = shot.row.task, (shot.row.record["width"], shot.row.record["height"])
        try:
            return all(
                seal == seal_of(task, kind, data) and pictures.decode(data).size == size
                for kind, data, seal in rows
            )
        except Exception:  # Pillow raises nearly anything on damaged files
            return False

    whole = list(pictures.in_threads(is_whole, stored()))
    good = [shot for shot, fine in zip(shots, whole, strict=True) if fine]
    return good, [shot for shot, fine in zip(shots, whole, strict=True) if not fine]
