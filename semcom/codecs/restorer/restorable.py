"""Codecs whose pictures are restored, and the qualities at which they are."""

from __future__ import annotations

from typing import Literal, get_args

Restorable = Literal["jpeg", "hevc", "softcast", "jpeg2000", "hybrid"]
"""Codecs whose pictures the network restores."""
RESTORABLE: tuple[Restorable, ...] = get_args(Restorable)
QUALITIES = {"jpeg": (4, 90), "hevc": (24, 46), "jpeg2000": (20, 42)}
"""Qualities, base QPs and PSNRs in dB at which the network was trained and helps."""
