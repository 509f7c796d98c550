"""Published curves to draw beside ours: ``experiments/results/paper-*.json``.

They were measured by others or read off their figures, not computed by this code; each file states
its source and how its numbers were obtained. The layout is that of CompressAI's results, with the
channel in addition, and with a CBR and an SNR in dB for every point.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from semcom.errors import InputError

Curve = list[tuple[float, float]]
"""Points (x, PSNR in dB), x ascending."""

_KODAK = "9d2fddc339cb44249411cc9225fe9901e37e0fcfc9f057a718260951c8f325cf"
# SHA-256 of the sorted digests (semcom.hashes.digest) of the 24 images.


@dataclass(frozen=True)
class Published:
    """The published results of one scheme."""

    key: str
    """Key in suites; the file is ``paper-KEY.json``."""
    name: str
    source: str
    """arXiv number."""
    obtained: str
    dataset: str
    channel: str
    """Name of the channel in semcom."""
    bound: bool
    """Whether this is a bound, computed with as many bits as the capacity carries."""
    psnr_db: dict[tuple[float, float], float]
    """Mean over the images of the PSNR on 8-bit RGB, by (CBR, SNR in dB)."""

    def over_cbr(self, snr_db: float) -> Curve:
        """Return PSNR against CBR at one SNR; empty if nothing is published."""
        return sorted((c, psnr) for (c, snr), psnr in self.psnr_db.items() if snr == snr_db)

    def over_snr(self, cbr: float) -> Curve:
        """Return PSNR against SNR at one CBR; empty if nothing is published."""
        return sorted((snr, psnr) for (c, snr), psnr in self.psnr_db.items() if _same(c, cbr))

    def at(self, cbr: float, snr_db: float) -> float | None:
        """Return the PSNR at one point; None if nothing is published."""
        return next((psnr for c, psnr in self.over_cbr(snr_db) if _same(c, cbr)), None)


@functools.cache
def literature() -> dict[str, Published]:
    """Read all published schemes, by key.

    Examples
    --------
    >>> literature()["ntscc"].at(cbr=1 / 16, snr_db=10)
    34.1
    """
    folder = files("experiments").joinpath("results")
    names = (file.name for file in folder.iterdir())
    papers = (name for name in names if name.startswith("paper-") and name.endswith(".json"))
    keys = sorted(name.removeprefix("paper-").removesuffix(".json") for name in papers)
    read = (folder.joinpath(f"paper-{key}.json").read_text(encoding="utf-8") for key in keys)
    return {key: _read(key, text) for key, text in zip(keys, read, strict=True)}


def _read(key: str, text: str) -> Published:
    content = json.loads(text)
    results = content["results"]
    points = zip(results["cbr"], results["snr_db"], results["psnr-rgb"], strict=True)
    names = ("name", "source", "obtained", "dataset", "channel", "bound")
    return Published(
        key,
        **{name: content[name] for name in names},
        psnr_db={(cbr, snr_db): psnr for cbr, snr_db, psnr in points},
    )


def choose(names: str, channel: str) -> tuple[list[Published], list[str]]:
    """Choose published schemes for a channel.

    ``names`` are keys separated by commas, ``"all"``, or empty for none. Only schemes that were
    published for ``channel`` are returned. The second list has a note for each other scheme that
    was requested by name.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = literature()
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in (*known, "all"):
            choices = ", ".join(("all", *known))
            raise InputError(f"unknown published curve {name!r}; choices: {choices}")
    keys = known if "all" in wanted else dict.fromkeys(wanted)
    chosen = [known[key] for key in keys if known[key].channel == channel]
    notes = [
        f"{known[key].name} is published over {known[key].channel}, not {channel}: not shown"
        for key in dict.fromkeys(wanted)
        if key != "all" and known[key].channel != channel
    ]
    if wanted and not chosen and not notes:
        notes.append(f"nothing is published over {channel}: no published curve is shown")
    return chosen, notes


def is_kodak(digests: Iterable[str]) -> bool:
    """Whether these are the digests of Kodak's 24 images, which all published curves are for."""
    return hashlib.sha256("".join(sorted(set(digests))).encode()).hexdigest() == _KODAK


def _same(cbr: float, other: float) -> bool:
    return math.isclose(cbr, other, rel_tol=1e-6)
