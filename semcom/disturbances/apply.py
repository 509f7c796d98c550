"""Disturbing a picture by name, with checks before and after."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from typing import Any

import numpy as np

from semcom import cache
from semcom.disturbances.base import DISTURBANCES, LEAST_SIDE, SEVERITIES, Disturbance
from semcom.disturbances.pin import unpinned
from semcom.errors import InputError, check_types
from semcom.hashes import changes, derive_seed, digest
from semcom.images import check_pixels
from semcom.types import Image, Region

DEFAULT_SEVERITY = 3
PIN = 12
"""Digits of a hash in :attr:`Disturb.pinned`."""
_LIBRARIES = (
    *("numpy", "scipy", "torch", "imagecorruptions-imaug"),
    *("pillow", "scikit-image", "opencv-python", "numba"),
)
"""What the pixels of slow disturbances depend on."""


@dataclass(frozen=True)
class Disturb:
    """How a picture is disturbed.

    Parameters
    ----------
    name
        Disturbance by name, with options.
    severity
        1 to 5.

    Raises
    ------
    ValueError
        If the name is unknown, an option is invalid, a package is missing, or the severity is none.

    Examples
    --------
    >>> Disturb("fog", 5).severity
    5
    >>> Disturb("fogg")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: unknown disturbance 'fogg' (did you mean 'fog'?); choices: fog, ...
    """

    name: str
    severity: int = DEFAULT_SEVERITY

    def __post_init__(self) -> None:
        check_types({"disturbance": self.name}, {"disturbance": (str, "a name")})
        _build(self.name)
        whole = hasattr(self.severity, "__index__") and not isinstance(self.severity, bool)
        if not whole or self.severity not in SEVERITIES:
            raise InputError(f"severity must be 1 to 5, got {self.severity!r}")
        object.__setattr__(self, "severity", operator.index(self.severity))

    @property
    def needs_truth(self) -> bool:
        """Whether the true mask of the object is needed."""
        return bool(getattr(_build(self.name), "needs_truth", False))

    @property
    def victim(self) -> str:
        """The segmenter that an attack computes gradients of; empty if this is no attack."""
        return str(getattr(_build(self.name), "victim", ""))

    @property
    def pinned(self) -> str:
        """The name with the hash of the files that the result depends on, if there are any.

        A disturbance of that name refuses to be built when the files have changed.
        """
        if self.victim or "sha256=" in self.name:  # the network of a victim is recorded elsewhere
            return self.name
        identity = str(getattr(_build(self.name), "identity", ""))
        if not identity:
            return self.name
        return f"{self.name}{',' if ':' in self.name else ':'}sha256={identity[:PIN]}"

    def check_sources(self, sources: Iterable[str]) -> None:
        """Refuse a file of a picture for which the disturbance says that it has nothing."""
        disturb: Any = _build(self.name)
        if hasattr(disturb, "check_source"):
            for source in sources:
                disturb.check_source(source, self.severity)

    def __str__(self) -> str:
        """Return the name and the severity."""
        return f"{self.name}, severity {self.severity}"


def disturbed(
    image: Image, how: Disturb, *, truth: Region | None = None, source: str | None = None
) -> Image:
    """Return the picture that the camera sees.

    The seed follows from the pixels and the name, but not from the severity, so that the levels of
    a disturbance share their random numbers where it draws the same of them.

    Parameters
    ----------
    image
        The clean picture, (H, W, 3) uint8.
    how
        The disturbance and its severity.
    truth
        The true mask of the object, (H, W) bool, for disturbances that need one.
    source
        File of the picture, for ``from_folder``.

    Raises
    ------
    ValueError
        If the image is none or smaller than 32x32, ``how`` is no :class:`Disturb`, a mask or file
        is missing or does not fit, or the disturbance breaks its contract.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> near, thick = (disturbed(photo, Disturb("fog", level)) for level in (1, 5))
    >>> float(near.std()) > float(thick.std())
    True
    """
    check_pixels(image)
    check_types({"how": how}, {"how": (Disturb, "a Disturb such as Disturb('fog')")})
    if min(image.shape[:2]) < LEAST_SIDE:
        height, width = image.shape[:2]
        raise InputError(
            f"a picture to disturb needs at least {LEAST_SIDE}x{LEAST_SIDE} pixels, this one has "
            f"{width}x{height}"
        )
    disturb: Any = _build(how.name)
    if how.needs_truth and truth is None:
        raise InputError(
            f"disturbance {how.name!r} needs the true mask of the object: give a mask, or a point "
            "or box that marks the object"
        )
    if not how.needs_truth:
        truth = None
    elif truth is not None and (truth.shape != image.shape[:2] or truth.dtype != bool):
        raise InputError(
            f"the true mask must be bool of shape {image.shape[:2]}, got {truth.dtype} of shape "
            f"{truth.shape}"
        )
    seed = derive_seed("disturbance", unpinned(how.name), digest(image))
    if hasattr(disturb, "of"):
        disturb = disturb.of(source)

    def make() -> bytes:
        seen = disturb(image.copy(), severity=how.severity, seed=seed, truth=truth)
        _check(how.name, image, seen)
        return np.ascontiguousarray(seen).tobytes()

    if not (getattr(disturb, "slow", False) and _is_ours(how)):
        return _from_bytes(make(), image)
    about = (
        *(image, how.name, how.severity, seed, getattr(disturb, "identity", "")),
        *(np.zeros(0, bool) if truth is None else truth, [*map(_version, _LIBRARIES)]),
        cache.sources("segmenters") if how.victim else b"",
    )
    return _from_bytes(cache.recall(make, *about, part="disturbances"), image)


def _is_ours(how: Disturb) -> bool:
    """Whether the code of the disturbance, and of its victim, is that of semcom.

    Only then does the cache know when it has changed.
    """
    if DISTURBANCES.entry(how.name.partition(":")[0]).source != "semcom":
        return False
    victim = how.victim.partition(":")[0]
    return not victim or victim == "mobile_sam"


def _version(package: str) -> str:
    """Return the version of a package, or that it is not installed."""
    try:
        return cache.version(package)
    except PackageNotFoundError:
        return f"{package} none"


def _from_bytes(data: bytes, image: Image) -> Image:
    return np.frombuffer(data, np.uint8).reshape(image.shape).copy()


def _check(name: str, image: Image, seen: Any) -> None:
    if not isinstance(seen, np.ndarray) or seen.shape != image.shape or seen.dtype != np.uint8:
        got = f"{getattr(seen, 'dtype', type(seen).__name__)} {getattr(seen, 'shape', '')}"
        raise InputError(f"disturbance {name!r} gave {got} instead of uint8 {image.shape}")


def _build(name: str) -> Disturbance:
    """Build a disturbance, or return the one that was built before of the same files."""
    _, options = DISTURBANCES.parse(name)
    return _built(name, changes(options))


@functools.lru_cache(maxsize=64)
def _built(name: str, changed: tuple[int, ...]) -> Disturbance:  # noqa: ARG001
    disturbance: Disturbance = DISTURBANCES.create(name)
    return disturbance
