"""FFmpeg has a limit of time where the receiver runs it."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.base import CODECS, DecodeError
from tests.semcom.codecs.needs import needs


@needs("av1")
@pytest.mark.parametrize("spec", ["av1:cpu_used=8", "vvc:preset=faster"])
def test_a_decoder_that_takes_too_long_is_stopped(monkeypatch, photo, spec):
    from semcom.codecs.parts import ffmpeg

    codec = CODECS.create(spec)
    w = np.ones(photo.shape[:2], dtype=np.float32)
    (packet,) = codec.encode(photo, w, 40_000).packets
    monkeypatch.setattr(ffmpeg, "_LEAST_LIMIT_S", 0)
    monkeypatch.setattr(ffmpeg, "_DECODED_PER_S", 1e12)
    with pytest.raises(DecodeError, match="ffmpeg was stopped after"):
        codec.decode([packet.data], *photo.shape[:2])


@needs("av1")
@pytest.mark.parametrize("head", [b"\0\0", b"\4"], ids=["av1", "vvc"])
def test_headers_that_take_too_long_are_given_up(monkeypatch, head):
    """The receiver encodes a grey picture of the announced size to know them."""
    from semcom.codecs.parts import ffmpeg

    codec = CODECS.create("av1" if len(head) == 2 else "vvc")
    monkeypatch.setenv("SEMCOM_CACHE", "off")
    monkeypatch.setattr(ffmpeg, "_LEAST_LIMIT_S", 0)
    monkeypatch.setattr(ffmpeg, "_ENCODED_PER_S", 1e12)
    with pytest.raises(DecodeError, match=r"^a picture of 104x72 cannot be encoded: ffmpeg was st"):
        codec.decode([head + bytes(100)], 72, 104)
