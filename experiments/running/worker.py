"""The work of a worker: deliveries of one image with some settings."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import time
import traceback
from collections.abc import Callable
from typing import Any

from PIL import Image as PilImage

from experiments.datasets.items import Item
from experiments.path_text import readable
from experiments.running.best_fixed_scheme import best_fixed
from experiments.running.capacity_bound import bound
from experiments.running.looking import (
    load,
    look_of,
    region_to_score,
    region_to_send,
    scores_of_masks,
    seen_of,
)
from experiments.running.unit import Job, Unit
from experiments.store.database import TaskResult
from experiments.suites.setting import BEST_SCHEMES, Setting
from semcom.codecs.base import weighted_gain
from semcom.errors import InputError
from semcom.hashes import derive_seed, digest
from semcom.importance.maps import Importance
from semcom.importance.region import RegionOfInterest
from semcom.link.delivery import (
    bandwidth,
    expected_psnr_db,
    finite,
    receive_and_score,
)
from semcom.link.transmitter import Transmission, transmit
from semcom.processor import one_thread
from semcom.scores import score
from semcom.scores.base import Look
from semcom.scores.psnr import psnr_db, region_psnr_db
from semcom.types import Image

Do = Callable[[Unit], list[TaskResult]]
_STATE = re.compile(r"revision=[0-9a-f]{40}|\(sha256 [0-9a-f]+, settings [0-9a-f]+\)")
"""How a segmenter from the Hugging Face hub names the state of its weights."""


def work(unit: Unit) -> list[TaskResult]:
    """Do all jobs of a unit; a job that fails is reported and does not stop the others."""
    made = []
    for job in unit.jobs:
        start = time.perf_counter()
        try:
            about = _do(unit.item, job)
            json.dumps([about["record"], about["outcomes"]], allow_nan=False)  # what is stored
        except Exception as error:  # a task that fails is a result
            text = readable(" ".join(str(error).split()) or repr(error))
            if not isinstance(error, InputError):
                text = f"{type(error).__name__}: {text}"
            about = {"error": text, "trace": readable(traceback.format_exc())}
        made.append(unit.describe(job, seconds=time.perf_counter() - start, **about))
    return made


def segment(unit: Unit) -> list[TaskResult]:
    """Find the masks of an image, so that they are in the cache.

    Errors are not reported: :func:`work` does the same again, and records them.
    """
    with contextlib.suppress(Exception):
        for job in unit.jobs:
            region_to_send(unit.item, job.setting)
    return []


def _do(item: Item, job: Job) -> dict[str, Any]:
    setting = job.setting
    clean, seen = load(item), seen_of(item, setting.disturb)
    image = clean if setting.sent == "clean" else seen
    region, scored_region = region_to_send(item, setting), region_to_score(item, setting)
    look = look_of(item, setting)
    if setting.sent == "nothing":
        record, outcomes, shown = *_nothing(job, seen), seen
    elif setting.bound:
        record, outcomes, shown = _bound(image, region, scored_region, setting, look)
    else:
        beside = clean if setting.disturbance else None
        record, outcomes, shown = _draw(image, region, scored_region, job, beside, look)
    pictures = {}
    if job.pictures and job.first == 0:
        pictures = {
            "original": _webp(clean),
            **({"seen": _webp(seen)} if setting.disturbance else {}),
            "received": _webp(shown),
            "region": _webp(scored_region.region),
        }
    about = {
        "sha256": digest(clean),
        "height": image.shape[0],
        "width": image.shape[1],
        "num_masks": len(region.masks),
        "region_area": float(scored_region.region.mean()),
        **scores_of_masks(item, setting),
        **_doubt(region),
        **_asked(region),
        "notes": list(region.notes),
    }
    return {"record": {**about, **record}, "outcomes": outcomes, "pictures": pictures}


def _doubt(region: RegionOfInterest) -> dict[str, float]:
    """Return how sure the segmenter was, and the θ that follows, if the sender asked."""
    if "confidence" not in region.record:
        return {}
    return {"confidence": region.record["confidence"], "theta": region.importance.theta}


def _asked(region: RegionOfInterest) -> dict[str, Any]:
    """Return what a detector found, and which state of a model of the hub was used, if any."""
    known = region.record
    found: dict[str, Any] = {name: known[name] for name in ("detector", "found") if name in known}
    if _STATE.search(known["segmenter"]):
        found["segmenter"] = known["segmenter"]
    return found


def _nothing(job: Job, seen: Image) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Describe a delivery of nothing, of which only the masks are scored."""
    outcome = _outcome(job.first, 0, False, digest(seen), {}) | {"count": job.draws}
    return {"packets_sent": 0, "num_bits": 0, "num_uses": 0, "cbr": 0.0, "accounting": {}}, [
        outcome
    ]


def _bound(
    image: Image,
    region: RegionOfInterest,
    scored_region: Importance,
    setting: Setting,
    look: Look | None,
) -> tuple[dict[str, Any], list[dict[str, Any]], Image]:
    what = region.importance.blind() if setting.blind else region.importance
    record, shown = bound(
        image,
        what.w,
        codec=setting.codec,
        cbr=setting.budget,
        channel=setting.channel,
        snr_db=setting.snr_db,
    )
    scores = score(image, shown, scored_region, also=setting.also, look=look)
    return record, [_outcome(0, record["packets_sent"], False, digest(shown), scores)], shown


def _draw(
    image: Image,
    region: RegionOfInterest,
    scored_region: Importance,
    job: Job,
    clean: Image | None,
    look: Look | None,
) -> tuple[dict[str, Any], list[dict[str, Any]], Image]:
    """Send once over several draws of the channel; each distinct picture is scored once.

    If the picture was disturbed, it is also compared with the ``clean`` one.
    """
    setting = job.setting
    what = region.importance.blind() if setting.blind else region.importance
    outcomes: dict[tuple[int, bool, str], dict[str, Any]] = {}
    scored: dict[str, dict[str, float | None]] = {}
    further: dict[str, Any] = {"also": setting.also, "look": look}
    first = image
    with one_thread():
        sent = _transmit(image, what.w, setting)
        for draw in range(job.first, job.first + job.draws):
            seed = derive_seed(setting.seed + draw, digest(image))
            arrival = receive_and_score(
                image, scored_region, sent, setting.link, seed=seed, scored=scored, **further
            )
            first = arrival.received if draw == job.first else first
            seen = (arrival.packets_received, arrival.reception.all_lost, arrival.sha256)
            if seen in outcomes:
                outcomes[seen]["count"] += 1
            else:
                scores = arrival.scores | _against(clean, arrival.received, scored_region)
                outcomes[seen] = _outcome(draw, *seen, scores)
    record = {
        **bandwidth(image, sent),
        "expected_psnr_db": expected_psnr_db(image, what.w, sent),
    }
    return record, list(outcomes.values()), first


def _against(clean: Image | None, received: Image, scored: Importance) -> dict[str, float | None]:
    """Score a received picture against the clean one."""
    if clean is None:
        return {}
    return {
        "clean_psnr_db": psnr_db(clean, received),
        "clean_region_psnr_db": region_psnr_db(clean, received, scored.region),
    }


def _outcome(
    draw: int, packets_received: int, all_lost: bool, sha256: str, scores: dict[str, float | None]
) -> dict[str, Any]:
    """Describe what arrived in a draw, which is the first of ``count`` draws of this outcome."""
    return {
        "draw": draw,
        "count": 1,
        "packets_received": packets_received,
        "all_lost": all_lost,
        "sha256": sha256,
        "scores": finite(scores),
    }


def _transmit(image: Image, w: Any, setting: Setting) -> Transmission:
    send = functools.partial(transmit, image, w, codec=setting.codec, cbr=setting.budget)
    if setting.scheme in BEST_SCHEMES:
        error = weighted_gain(image, image, w)
        return best_fixed(send, setting.link, BEST_SCHEMES[setting.scheme], error)
    return send(link=setting.link)


def _webp(picture: Any) -> bytes:
    """Compress a picture without loss and with the least effort, at hardly more bytes."""
    sink, effort = io.BytesIO(), {"method": 0, "quality": 0}
    PilImage.fromarray(picture).convert("RGB").save(sink, "WEBP", lossless=True, **effort)
    return sink.getvalue()
