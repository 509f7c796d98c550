"""Published curves to draw beside ours: ``experiments/results/paper-*.json``.

They were measured by others or read off their figures, not by this code; each file says how it was
obtained and from where. The layout is that of CompressAI's results, with the channel, and a CBR and
an SNR in dB for every point.
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
    """One scheme as published."""

    key: str
    """What the command line calls it: ``paper-KEY.json``."""
    name: str
    source: str
    """arXiv number."""
    obtained: str
    dataset: str
    channel: str
    """As we call it."""
    bound: bool
    """Whether these are bits at capacity, which were never sent."""
    psnr_db: dict[tuple[float, float], float]
    """By (CBR, SNR in dB): mean over the images of the PSNR on 8-bit RGB."""

    def over_cbr(self, snr_db: float) -> Curve:
        """PSNR against CBR at one SNR; empty where nothing is published."""
        return sorted((c, psnr) for (c, snr), psnr in self.psnr_db.items() if snr == snr_db)

    def over_snr(self, cbr: float) -> Curve:
        """PSNR against SNR at one CBR; empty where nothing is published."""
        return sorted((snr, psnr) for (c, snr), psnr in self.psnr_db.items() if _same(c, cbr))

    def at(self, cbr: float, snr_db: float) -> float | None:
        """PSNR at one point; None where nothing is published."""
        return next((psnr for c, psnr in self.over_cbr(snr_db) if _same(c, cbr)), None)


@functools.cache
def literature() -> dict[str, Published]:
    """Read every published scheme, by key."""
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
    """Choose schemes by name, separated by commas, ``all`` or none (empty text).

    Only those that were published over ``channel`` are of use; the others that were asked for by
    name are reported in the second list, a line each.

    Raises
    ------
    ValueError
        An unknown name.
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
    """Whether these are the digests of Kodak's 24 images, which all that is published is about."""
    return hashlib.sha256("".join(sorted(set(digests))).encode()).hexdigest() == _KODAK


def _same(cbr: float, other: float) -> bool:
    return math.isclose(cbr, other, rel_tol=1e-6)
