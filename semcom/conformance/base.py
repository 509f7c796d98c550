"""The codec to be checked; what a check is comes from :mod:`channels.conformance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from channels.conformance.base import Check as Check
from channels.conformance.base import CheckFailed as CheckFailed
from channels.conformance.base import told as told
from semcom.codecs.base import CODECS, DigitalCodec


@dataclass(frozen=True)
class Candidate:
    """The codec to be checked, by its name and options as users write them."""

    spec: str
    decode_limit_s: float = 20.0
    """What decoding a small picture may take."""
    max_growth_bytes: int = 10**9
    """What an image of 512x512, or garbage, may take in memory."""

    def __post_init__(self) -> None:
        if not 0 < self.decode_limit_s < 1e6:
            raise ValueError(
                f"the limit must be above 0 s and below 1e6 s, got {self.decode_limit_s}"
            )

    @property
    def name(self) -> str:
        """The name alone."""
        return self.spec.partition(":")[0]

    @property
    def process_limit_s(self) -> float:
        """What another process may take for one task."""
        return 10 * self.decode_limit_s

    @property
    def check_limit_s(self) -> float:
        """What a whole check may take."""
        return 15 * self.decode_limit_s

    def codec(self) -> DigitalCodec:
        """Build the sender's codec; what is wrong with name or options raises ``ValueError``."""
        return self._checked(self.spec)

    def receiver(self) -> DigitalCodec:
        """Build the receiver's: it knows the name, not the options."""
        return self._checked(self.name)

    def build(self, spec: str) -> Any:
        """Build what is installed by this name, with these options."""
        return CODECS.create(spec)

    def _checked(self, spec: str) -> DigitalCodec:
        built = self.build(spec)
        for attribute in ("steerable", "encode", "decode"):
            if not hasattr(built, attribute):
                raise ValueError(f"codec {spec!r} has no {attribute}")
        codec: DigitalCodec = built
        return codec


THREADS = "Threads may share one codec."


MEMORY = "Memory is bounded: an image of 512x512 takes less than 1 GB, and so does garbage."
