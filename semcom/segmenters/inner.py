"""The segmenter inside of another one."""

from __future__ import annotations

from typing import Any

from semcom.checkpoints import mobile_sam as weights
from semcom.errors import InputError
from semcom.segmenters.base import SEGMENTERS, Segmenter

WRAPPERS = ("median", "blurred")
"""Segmenters that ask another one, which their option ``of`` names."""

PROMPTLESS = ("tile", "whole_image")
"""Segmenters that follow no prompts."""
TEXT_ALONE = ("sam3",)
"""Segmenters that neither points nor boxes can ask."""

_NOTED = ("hf", "sam3")
"""Segmenters whose provenance may end with a note on their weights."""


def resolved(spec: str) -> str:
    """Return a segmenter with what ``auto`` means on this machine, in one canonical form.

    Examples
    --------
    >>> resolved("blurred:sigma=3,of=graph")
    'blurred:of=graph,sigma=3.0'
    """
    name = spec.partition(":")[0]
    if name not in WRAPPERS:
        return _named(spec)
    _, options = SEGMENTERS.parse(spec)
    return describe(name, _named(str(options.pop("of", "auto"))), **options)


def describe(wrapper: str, of: str, **options: Any) -> str:
    """Return the canonical name of a wrapper with its options, which may be parsed again."""
    values = (f"{name}={options[name]}" for name in sorted(options))
    return f"{wrapper}:{','.join((f'of={of}', *values))}"


def asked(spec: str) -> str:
    """Return the name of the segmenter that does the work, be it inside of another one.

    Examples
    --------
    >>> asked("median:of=graph"), asked("graph:max_masks=4")
    ('graph', 'graph')
    """
    name = spec.partition(":")[0]
    if name in WRAPPERS:
        _, options = SEGMENTERS.parse(spec)
        return _named(str(options.get("of", "auto")))
    return name


def check_inner(who: str, of: str) -> str:
    """Return the name of the segmenter that ``of`` means; its weights are not loaded.

    Raises
    ------
    ValueError
        The name is unknown, has options, or is that of a segmenter that asks another one itself,
        needs a file, or takes texts that ``who`` does not pass on.
    """
    if of.partition(":")[0] in WRAPPERS:
        raise InputError(f"segmenter {who!r} cannot ask {of!r}, which asks another one itself")
    if ":" in of:
        raise InputError(f"segmenter {who!r} asks another one with its default options, got {of!r}")
    name = _named(of)
    if name == "from_file":
        raise InputError(
            f"segmenter {who!r} cannot ask 'from_file', which needs the path of a file"
        )
    if who == "median" and name in TEXT_ALONE:
        raise InputError(f"segmenter 'median' cannot ask {name!r}, which takes texts alone")
    SEGMENTERS.parse(name)
    return name


def build_inner(name: str) -> tuple[Segmenter, str]:
    """Build the segmenter, and return it with a note on its weights, if it has any."""
    segmenter: Segmenter = SEGMENTERS.create(name)
    provenance = str(getattr(segmenter, "provenance", name))
    return segmenter, f" ({provenance})" if provenance != name else ""


def without_note(provenance: str) -> str:
    """Return the name of a segmenter that can be built again, from that of a record."""
    if provenance.partition(":")[0] in (*WRAPPERS, *_NOTED):
        return provenance.partition(" (")[0]
    return provenance


def _named(of: str) -> str:
    if of == "auto":
        return "mobile_sam" if weights.available() else "graph"
    return of
