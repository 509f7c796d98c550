"""The segmenter inside of another one."""

from __future__ import annotations

from semcom.checkpoints import mobile_sam as weights
from semcom.errors import InputError
from semcom.segmenters.base import SEGMENTERS, Segmenter

WRAPPERS = ("median", "blurred")
"""Segmenters that use another one, which their option ``of`` names."""


def named(of: str) -> str:
    """Return the name of the segmenter that ``of`` means on this machine."""
    if of == "auto":
        return "mobile_sam" if weights.available() else "graph"
    return of


def inner(who: str, of: str) -> tuple[Segmenter, str]:
    """Build the segmenter that ``of`` names, and return it with a note on its weights, if any.

    Raises
    ------
    ValueError
        The name is unknown, or that of a segmenter that uses another one itself.
    """
    name = named(of)
    if name in WRAPPERS:
        raise InputError(f"segmenter {who!r} cannot use {name!r}, which uses another one itself")
    segmenter: Segmenter = SEGMENTERS.create(name)
    provenance = str(getattr(segmenter, "provenance", name))
    return segmenter, f" ({provenance})" if provenance != name else ""
