"""Values of axes as suites give them, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, create_model

from channels.catalogue import CHANNELS, PACKET_CHANNELS
from channels.packets.mcs import find_scheme
from channels.packets.scheme_sets import SCHEME_SETS, scheme_set
from channels.units import parse_cbr
from experiments.axis_values import parse_snrs
from experiments.suites.setting import AXES, BESIDE, BEST_SCHEMES, LINK_AXES, Choice
from experiments.suites.value_types import (
    Real,
    Section,
    Several,
    Whole,
    checked,
    several,
)
from semcom.codecs.base import CODECS
from semcom.detectors.base import DETECTORS
from semcom.disturbances.apply import Disturb
from semcom.errors import InputError
from semcom.importance.maps import AUTO, Theta, check_kind, check_theta
from semcom.link.config import MAX_COPIES, MAX_SIDE_MARGIN_DB
from semcom.link.options import LinkOptions
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.inner import resolved
from semcom.types import phrases


def _snrs(value: Any) -> tuple[Any, ...]:
    found: list[Any] = []
    problems = []
    for part in several(value):
        try:
            found += parse_snrs(part) if isinstance(part, str) else (part,)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    return tuple(found)


def _cbr(value: Any) -> str:
    return str(parse_cbr(str(value)))


def this_segmenter(value: str) -> str:
    """Return the segmenter that ``auto`` means on this machine; check others."""
    if value == BESIDE:
        return value
    SEGMENTERS.check(value := resolved(value))
    return value


def _scheme(value: str) -> str:
    if not value or value in BEST_SCHEMES:
        return value
    errors = []
    for name in SCHEME_SETS:  # which set the link uses is another axis
        try:
            find_scheme(value, scheme_set(name))
        except InputError as error:
            errors.append(error)
        else:
            return value
    raise InputError(f"{errors[0]}; or {', '.join(BEST_SCHEMES)}")


def _losses(value: str) -> str:
    if value:
        PACKET_CHANNELS.check(value)
    return value


def _disturbance(value: str) -> str:
    if value in ("", "none"):
        return ""
    return Disturb(value).pinned  # results depend on the files, not on their names


def _text(value: str) -> str:
    return "; ".join(phrases(value))


def _theta(value: Any) -> Theta:
    if isinstance(value, bool) or not isinstance(value, float | int | str):
        raise InputError(f"theta must be in (0, 1), or {AUTO}, got {value!r}")
    check_theta(value)
    return AUTO if isinstance(value, str) else float(value)


Decibels = Annotated[Real, Field(ge=-300, le=300)]


class _ImageAxes(Section):
    """Axes of the region and of the codec."""

    segmenter: Several[Annotated[str, AfterValidator(this_segmenter)]] | None = None
    scored: Several[Literal["own", "beside", "clean"]] | None = None
    disturbance: Several[Annotated[str, AfterValidator(_disturbance)]] | None = None
    severity: Several[Annotated[Whole, Field(ge=1, le=5)]] | None = None
    prompt: Several[Literal["none", "point", "box"]] | None = None
    text: Several[Annotated[str, AfterValidator(_text)]] | None = None
    detector: Several[Annotated[str, checked(DETECTORS.check)]] | None = None
    masks: Several[Choice] | None = None
    sent: Several[Literal["seen", "clean", "nothing"]] | None = None
    importance: Several[Annotated[str, checked(check_kind)]] | None = None
    theta: Several[Annotated[Any, AfterValidator(_theta)]] | None = None
    blind: Several[bool] | None = None
    codec: Several[Annotated[str, checked(CODECS.check)]] | None = None
    bound: Several[bool] | None = None


_KINDS: dict[Any, Any] = {int: Whole, float: Real}
_CHECKED: dict[str, Any] = {
    "channel": Annotated[str, checked(CHANNELS.check)],
    "pilots": Annotated[Whole, Field(ge=1)],
    "scheme": Annotated[str, AfterValidator(_scheme)],
    "copies": Annotated[Whole, Field(ge=1, le=MAX_COPIES)],
    "planned_snr_db": Decibels | None,
    "planned_std_db": Annotated[Real, Field(ge=0, le=30)],
    "side_margin_db": Annotated[Real, Field(ge=0, le=MAX_SIDE_MARGIN_DB)],
    "losses": Annotated[str, AfterValidator(_losses)],
}
"""Axes of a link with checks beyond the type of the value."""


def _link_axes() -> dict[str, Any]:
    """Make an axis of every option of a link except the SNR, which may also be a range."""
    hints = get_type_hints(LinkOptions)
    kinds = {axis: _KINDS.get(hints[name], hints[name]) for axis, name in LINK_AXES.items()}
    kinds |= _CHECKED
    del kinds["snr_db"]
    return {axis: (Several[kind] | None, None) for axis, kind in kinds.items()}  # type: ignore[valid-type]


if TYPE_CHECKING:

    class LinkAxes(_ImageAxes):  # noqa: D101
        pass

else:
    LinkAxes = create_model("LinkAxes", __base__=_ImageAxes, **_link_axes())


class Axes(LinkAxes):
    """Values for some of the axes that :class:`experiments.suites.setting.Setting` explains."""

    seed: Several[Annotated[Whole, Field(ge=0, lt=2**53)]] | None = None
    cbr: Several[Annotated[str, BeforeValidator(_cbr)]] | None = None
    snr_db: Annotated[tuple[Decibels, ...], BeforeValidator(_snrs), Field(min_length=1)] | None = (
        None
    )

    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    def place(self, axis: str) -> str:
        """Return where an axis is given, such as ``"my.yaml:7: points.1.prompt"``, for messages.

        It is the mere axis if this part comes from no file.
        """
        return self._places.get(axis, axis)

    def put_places(self, places: Mapping[str, str]) -> None:
        """Say where axes are given."""
        self._places.update(places)

    def values(self) -> dict[str, tuple[Any, ...]]:
        """Return the given axes with their values, each value once."""
        given = ((name, getattr(self, name, None)) for name in AXES)
        return {name: tuple(dict.fromkeys(v)) for name, v in given if v is not None}
