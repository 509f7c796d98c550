"""The check of digital codecs that involves another process."""

from __future__ import annotations

import numpy as np

from semcom.conformance.base import Candidate, CheckFailed
from semcom.conformance.digital import promises
from semcom.conformance.digital.calls import data_of, decode, encode, send
from semcom.conformance.isolated_process import ProcessError, run
from semcom.conformance.samples import crop
from semcom.types import Image

_BITS = 12_000


def check_other_process(candidate: Candidate) -> str:
    """Send a picture to another process, where the receiver only knows the codec's name."""
    image = crop(40, 90, 40, 56)
    stream, shown = send(candidate.codec(), image, _BITS, what="a part of the photo")
    asked = "decode in another process what was encoded here"
    try:
        there, encoded = run(
            _receive, candidate, data_of(stream), image, limit_s=candidate.process_limit_s
        )
    except ProcessError as error:
        raise CheckFailed(asked, str(error), promises.BYTES_ALONE) from error
    if not np.array_equal(there, shown):
        raise CheckFailed(asked, "a different picture from here", promises.BYTES_ALONE)
    if encoded != data_of(stream):
        asked = "encode the same picture here and in another process"
        raise CheckFailed(asked, "different bytes", promises.SAME_BYTES)
    return ""


def _receive(candidate: Candidate, packets: list[bytes], image: Image) -> tuple[Image, list[bytes]]:
    """Decode ``packets`` before anything is encoded here; then encode ``image``."""
    sender = candidate.codec()  # it may open files that both ends need
    shown = decode(
        candidate.receiver(),
        packets,
        *image.shape[:2],
        what="in another process a part of the photo",
        promise=promises.BYTES_ALONE,
    )
    return shown, data_of(encode(sender, image, _BITS, what="a part of the photo"))
