"""The codec under test. The checks themselves are those of :mod:`channels.conformance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from channels.conformance.base import Check as Check
from channels.conformance.base import CheckFailed as CheckFailed
from channels.conformance.base import told as told
from semcom.codecs.base import CODECS, DigitalCodec
from semcom.errors import InputError


@dataclass(frozen=True)
class Candidate:
    """The codec under test, by its name and options as users write them.

    Examples
    --------
    >>> Candidate("hevc:tiles=2x2").name
    'hevc'
    """

    spec: str
    decode_limit_s: float = 20.0
    """Maximum time to decode a small picture."""
    max_growth_bytes: int = 10**9
    """Maximum memory for an image of 512x512, or for garbage."""

    def __post_init__(self) -> None:
        if not 0 < self.decode_limit_s < 1e6:
            raise InputError(
                f"the limit must be above 0 s and below 1e6 s, got {self.decode_limit_s}"
            )

    @property
    def name(self) -> str:
        """The name without options."""
        return self.spec.partition(":")[0]

    @property
    def process_limit_s(self) -> float:
        """Maximum time of one task in another process."""
        return 10 * self.decode_limit_s

    @property
    def check_limit_s(self) -> float:
        """Maximum time of a whole check."""
        return 15 * self.decode_limit_s

    def codec(self) -> DigitalCodec:
        """Build the sender's codec; raise ``ValueError`` if name or options are wrong."""
        return self._checked(self.spec)

    def receiver(self) -> DigitalCodec:
        """Build the receiver's codec, from the name without the options."""
        return self._checked(self.name)

    def build(self, spec: str) -> Any:
        """Build the installed codec of this name and options."""
        return CODECS.create(spec)

    def _checked(self, spec: str) -> DigitalCodec:
        built = self.build(spec)
        for attribute in ("steerable", "encode", "decode"):
            if not hasattr(built, attribute):
                raise InputError(f"codec {spec!r} has no {attribute}")
        codec: DigitalCodec = built
        return codec


THREADS = "Threads may share one codec."


MEMORY = "Memory is bounded: an image of 512x512 takes less than 1 GB, and so does garbage."
