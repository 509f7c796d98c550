"""Published curves to draw beside ours: ``experiments/results/paper-*.json``.

They were measured by others or read off their figures, not computed by this code; each file states
its source and how its numbers were obtained. The layout is that of CompressAI's results, with the
channel in addition, and with a CBR and an SNR in dB for every point. A value that
was not published there is null.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files

from semcom.errors import InputError

Curve = list[tuple[float, float]]
"""Points (x, score), x ascending."""

PUBLISHED_SCORES = {"psnr_db": "psnr-rgb", "ms_ssim": "ms-ssim-rgb"}
"""The scores that papers publish, with the key in the files, which is that of CompressAI."""

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
    ms_ssim: dict[tuple[float, float], float] = field(default_factory=dict)
    """Mean over the images of MS-SSIM on 8-bit RGB, where it is published as well."""

    def over_cbr(self, snr_db: float, score: str = "psnr_db") -> Curve:
        """Return a score against CBR at one SNR; empty if nothing is published."""
        return sorted((c, value) for (c, snr), value in self._of(score).items() if snr == snr_db)

    def over_snr(self, cbr: float, score: str = "psnr_db") -> Curve:
        """Return a score against SNR at one CBR; empty if nothing is published."""
        return sorted((snr, value) for (c, snr), value in self._of(score).items() if _same(c, cbr))

    def at(self, cbr: float, snr_db: float, score: str = "psnr_db") -> float | None:
        """Return a score at one point; None if nothing is published."""
        return next((value for c, value in self.over_cbr(snr_db, score) if _same(c, cbr)), None)

    def _of(self, score: str) -> dict[tuple[float, float], float]:
        return {"psnr_db": self.psnr_db, "ms_ssim": self.ms_ssim}.get(score, {})


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
    places = list(zip(results["cbr"], results["snr_db"], strict=True))
    values = {
        score: {
            place: value
            for place, value in zip(places, results.get(name, [None] * len(places)), strict=True)
            if value is not None
        }
        for score, name in PUBLISHED_SCORES.items()
    }
    names = ("name", "source", "obtained", "dataset", "channel", "bound")
    about = {name: content[name] for name in names}
    return Published(key, **about, psnr_db=values["psnr_db"], ms_ssim=values["ms_ssim"])


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
