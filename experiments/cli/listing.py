"""``semcom list``: lists the codecs, channels and other parts that are registered."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from channels.catalogue import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from channels.fec.ldpc.decoders import DECODERS
from experiments.suites.shipped import shipped
from semcom.codecs.base import CODECS
from semcom.detectors.base import DETECTORS
from semcom.disturbances.base import DISTURBANCES
from semcom.scores.base import SCORES
from semcom.segmenters.base import SEGMENTERS

_REGISTRIES = {
    "codecs": CODECS,
    "channels": CHANNELS,
    "bit-channels": BIT_CHANNELS,
    "packet-channels": PACKET_CHANNELS,
    "decoders": DECODERS,
    "segmenters": SEGMENTERS,
    "detectors": DETECTORS,
    "disturbances": DISTURBANCES,
    "scores": SCORES,
}


def print_listing(kind: str) -> None:
    """Print the table of one kind, or all tables for ``"all"``."""
    for name in [*_REGISTRIES, "suites"] if kind == "all" else [kind]:
        table = Table(title=name, title_justify="left", title_style="bold")
        for column in ("name", "description", "source", "missing"):
            table.add_column(column)
        if name == "suites":
            for suite, path in shipped().items():
                table.add_row(suite, _question(path), "semcom", "")
        else:
            for entry in _REGISTRIES[name].entries():
                extra = f" (pip install 'semcom[{entry.extra}]')" if entry.extra else ""
                missing = ", ".join(entry.missing) + (extra if entry.missing else "")
                table.add_row(entry.name, entry.about, entry.source, missing)
        Console(markup=False, emoji=False).print(table)


def _question(suite: Path) -> str:
    """Read the question of a suite without checking the suite, which would import its parts."""
    return str(YAML(typ="safe").load(suite)["question"])
