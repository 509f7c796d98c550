"""``semcom protection``: equal beside unequal protection on channels that the sender does not know.

An image is sent once and carried over many draws of the channel. Equal protection gets for every
image the fixed scheme that is expected to be best, for the error or for the PSNR, which is more
than a sender with one scheme for all would know. In a second experiment the sender plans for one
SNR, with or without doubt, and gets another.

Rows are appended to ``rows.jsonl`` as they are made, under an id that is the hash of everything
they depend on, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TextIO

from channels.adaptation import Target
from experiments.fixed_scheme import best_fixed
from experiments.protection_plot import plot_protection, print_protection
from experiments.store import Row, read_rows
from experiments.sweep import Say, look, progress_bar
from semcom.agreement import Link
from semcom.attention import Attention, Wishes
from semcom.codecs.base import grey, weighted_gain
from semcom.images import digest, find_images
from semcom.link import carry, derive_seed, one_thread
from semcom.scores import score
from semcom.session import versions
from semcom.transmitter import Transmission, transmit
from semcom.types import Image, Map
from semcom.unequal import expected_worth, worth

FADING, MISMATCH = "fading", "mismatch"
SAFE = Target(outage=0.02)
"""Of the header beside a fixed scheme, so that it does not decide about the frame."""


@dataclass(frozen=True)
class Case:
    """One system on one channel."""

    experiment: str
    system: str
    codec: str
    link: Link
    cbr: Fraction
    draws: int
    seed: int
    best_for: str = ""
    """Replace the link's scheme by the fixed one that is best for the image, in the sense of
    ``"unequal"`` or ``"graceful"`` protection."""

    def id(self, image: Image, w: Map, draw: int) -> str:
        """Hash everything that a row depends on."""
        about = [digest(image), hashlib.sha256(w.tobytes()).hexdigest(), versions(), draw]
        about += [self.codec, asdict(self.link), str(self.cbr), self.seed, self.best_for]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def as_sent(self) -> Case:
        """Return the same for all cases whose sender does the same."""
        link = self.link if self.link.planned_snr_db is None else replace(self.link, snr_db=0.0)
        return replace(self, link=link)


def protection(
    images: tuple[Path, ...],
    out: Path,
    *,
    wishes: Wishes,
    link: Link,
    codec: str,
    equal_codecs: Sequence[str],
    cbr: Fraction,
    draws: int,
    mismatch_db: tuple[float, float, float],
    std_db: float,
    seed: int,
    say: Say,
) -> int:
    """Measure both experiments over images and write rows, table and figure into ``out``.

    Parameters
    ----------
    images
        Files and folders. An image that cannot be read or sent is reported and left out.
    out
        Folder for ``rows.jsonl`` (the store) and ``protection`` as PNG and PDF.
    wishes
        What matters.
    link
        The channel of the first experiment: one that fades, or that loses packets.
    codec
        Of unequal protection; it should make several packets.
    equal_codecs
        Of equal protection.
    cbr
        Channel uses per source sample, for all.
    draws
        Of the channel, for every image and system of the first experiment.
    mismatch_db
        Lowest, planned and highest SNR in dB of the second experiment, over AWGN.
    std_db
        How unsure of the planned SNR a sender is that knows that it may be wrong.
    seed
        Of the draws; they are the same for all systems.
    say
        What gets notes and errors.

    Returns
    -------
    int
        How many images and systems were left out.

    Raises
    ------
    ValueError
        Draws below 1, SNRs that do not rise, or if not a single row could be made.
    """
    low, planned, high = mismatch_db
    if not low <= planned <= high:
        raise ValueError(f"mismatch must be LOW,PLANNED,HIGH, got {low:g},{planned:g},{high:g}")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    out.mkdir(parents=True, exist_ok=True)
    done = read_rows(out / "rows.jsonl", say)
    cases = [
        *_fading(link, codec, equal_codecs, cbr, draws, seed),
        *_mismatch(codec, equal_codecs, cbr, mismatch_db, std_db, seed),
    ]
    files, rows, failed = find_images(list(images)), [], 0
    with (out / "rows.jsonl").open("a", encoding="utf-8") as sink, progress_bar() as bar:
        progress = bar.add_task("", total=len(files) * len(cases))
        for file in files:
            bar.update(progress, description=file.name)
            if (found := look(file, wishes, say)) is None:
                failed += 1
                bar.advance(progress, len(cases))
                continue
            sent: dict[Case, Transmission] = {}
            for case in cases:
                try:
                    rows += _rows(case, *found, str(file), sent, done, sink)
                except ValueError as error:
                    say(f"Error: {file}, {case.system}: {error}; left out")
                    failed += 1
                bar.advance(progress)
    if not rows:
        raise ValueError("no image could be sent by any system")
    print_protection(rows)
    plot_protection(rows, out)
    say(f"{len(rows)} rows and the figure are in {out}")
    return failed


def _fading(
    link: Link, codec: str, equal: Sequence[str], cbr: Fraction, draws: int, seed: int
) -> Iterator[Case]:
    for name in equal:
        for best_for, what in (("unequal", "error"), ("graceful", "PSNR")):
            system = f"equal, fixed for {what}: {name}"
            fixed = replace(link, target=SAFE)
            yield Case(FADING, system, name, fixed, cbr, draws, seed, best_for)
    for kind in ("unequal", "graceful"):
        own = replace(link, protection=kind)
        yield Case(FADING, f"{kind}: {codec}", codec, own, cbr, draws, seed)


def _mismatch(
    codec: str,
    equal: Sequence[str],
    cbr: Fraction,
    mismatch_db: tuple[float, float, float],
    std_db: float,
    seed: int,
) -> Iterator[Case]:
    low, planned, high = mismatch_db
    for snr_db in sorted({*_grid(low, high), planned}):
        sure = Link("awgn", snr_db, planned_snr_db=planned)
        unsure = replace(sure, planned_std_db=std_db)
        for name in equal:
            for link, what in ((sure, ""), (unsure, f" ± {std_db:g}")):
                system = f"equal, for {planned:g}{what} dB: {name}"
                yield Case(MISMATCH, system, name, link, cbr, 1, seed)
        for kind in ("unequal", "graceful"):
            system = f"{kind}, for {planned:g} ± {std_db:g} dB: {codec}"
            own = replace(unsure, protection=kind)
            yield Case(MISMATCH, system, codec, own, cbr, 1, seed)


def _grid(low: float, high: float) -> list[float]:
    """SNRs from low to high, one per decibel."""
    count = max(1, round(high - low))
    return [low + (high - low) * i / count for i in range(count + 1)]


def _rows(
    case: Case,
    image: Image,
    seen: Attention,
    source: str,
    sent: dict[Case, Transmission],
    done: dict[str, Row],
    sink: TextIO,
) -> list[Row]:
    """Return the rows of a case on one image, from the store where they are there."""
    w = seen.importance.w
    ids = [case.id(image, w, draw) for draw in range(case.draws)]
    missing = [draw for draw in range(case.draws) if ids[draw] not in done]
    if missing:
        with one_thread():
            key = case.as_sent()
            if key not in sent:
                sent[key] = _send(case, image, w)
            scores: dict[tuple[bool, ...], Row] = {}
            for draw in missing:
                about = {"id": ids[draw], "image": source, "draw": draw}
                row = {**about, **_carry(case, image, seen, sent[key], draw, scores)}
                done[ids[draw]] = row
                sink.write(json.dumps(row, allow_nan=False) + "\n")
                sink.flush()
    named = {"experiment": case.experiment, "system": case.system}
    return [{**done[identity], **named} for identity in ids]


def _carry(
    case: Case,
    image: Image,
    seen: Attention,
    sent: Transmission,
    draw: int,
    scores: dict[tuple[bool, ...], Row],
) -> Row:
    """Let a transmission pass one draw of the channel; what is shown is scored once."""
    error = weighted_gain(image, image, seen.importance.w)
    reception = carry(sent, case.link, seed=derive_seed(case.seed, digest(image), draw))
    left = error - expected_worth(
        worth(sent.stream, Link(), error), sent.stream, sent.plan, sent.budget
    )
    arrived = tuple(packet is not None for packet in reception.packets)
    if arrived not in scores:
        shown = grey(*image.shape[:2]) if reception.image is None else reception.image
        values = score(image, shown, seen.importance)
        scores[arrived] = {
            name: value if value is not None and math.isfinite(value) else None
            for name, value in values.items()
        }
    return {
        "sha256": digest(image),
        "codec": case.codec,
        "channel": case.link.channel,
        "snr_db": case.link.snr_db,
        "planned_snr_db": case.link.planned_snr_db,
        "planned_std_db": case.link.planned_std_db,
        "losses": case.link.losses,
        "protection": case.link.protection,
        "best_for": case.best_for,
        "cbr": sent.num_uses / image.size,
        "scheme": ", ".join(packet.name for packet in sent.plan.packets),
        "expected_psnr_db": -10 * math.log10(max(left, 1e-6) / (255**2 * image.size)),
        "packets_sent": len(arrived),
        "packets_received": sum(arrived),
        **scores[arrived],
    }


def _send(case: Case, image: Image, w: Map) -> Transmission:
    send = functools.partial(transmit, image, w, codec=case.codec, cbr=case.cbr)
    if not case.best_for:
        return send(link=case.link)
    return best_fixed(send, case.link, case.best_for, weighted_gain(image, image, w))
