"""What every registered codec must do, also a third party's: the checks of ``semcom check-codec``.

On top of them Hypothesis searches for garbage that a decoder does not stand.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcom import cache
from semcom.codecs.base import CODECS, is_analog
from semcom.conformance.base import Candidate
from semcom.conformance.calls import check_harmless
from semcom.conformance.digital.calls import data_of, encode
from semcom.conformance.digital.checks import CODEC_CHECKS
from semcom.conformance.digital.promises import GARBAGE
from semcom.conformance.garbage import cut, flipped, replaced
from semcom.conformance.samples import crop

NEEDED = {
    "learned": "model=bmshj2018-factorized,checkpoint={haar_models}",
    "av1": "cpu_used=8",
    "vvc": "preset=faster",
    "tiny": "refine=false",
    "scalable": "base=webp",
}
"""Options without which a codec cannot be tested, or takes long; braces hold a fixture's name."""
INSTALLED = [name for name in CODECS.names() if not CODECS.entry(name).missing]
NAMES = [
    *(name for name in INSTALLED if not is_analog(CODECS.load(name))),
    "hevc:tiles=2x2",
]
ELSEWHERE = {
    ("learned", "other-process"),
    *(("hevc:tiles=2x2", name) for name in ("other-process", "memory", "threads", "same-bytes")),
}
"""What takes long: ``test_learned.py`` starts one process for all models; tiles are small, and
encoded as the whole picture is."""
ANEW = ("same-bytes", "other-process", "threads", "memory")
"""Checks of encoding itself; the others share what was encoded, which several of them ask for."""
CASES = [(name, check) for name in NAMES for check in CODEC_CHECKS]
CASES = [(name, check) for name, check in CASES if (name, check.name) not in ELSEWHERE]


@pytest.fixture
def candidate(request, encodings, monkeypatch):
    check = getattr(request.node, "callspec", None) and request.node.callspec.params.get("check")
    if check is None or check.name not in ANEW:
        monkeypatch.setenv(cache.ENVIRONMENT, str(encodings))
    needed = NEEDED.get(request.param, "")
    for fixture in re.findall(r"\{(\w+)\}", needed):
        needed = needed.replace(f"{{{fixture}}}", str(request.getfixturevalue(fixture)))
    return Candidate(f"{request.param}:{needed}" if needed else request.param)


@pytest.mark.parametrize(
    ("candidate", "check"),
    CASES,
    indirect=["candidate"],
    ids=[f"{name}-{check.name}" for name, check in CASES],
)
def test_check(candidate, check):
    remark = check.function(candidate)
    if check.name == "sizes" and candidate.spec == "hevc:tiles=2x2":
        assert remark.startswith("its options refuse 16x16, ")  # no two tiles fit into one block
    else:
        assert remark == ""


SIZES = st.one_of(
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.sampled_from([(40, 56), (1, 65_535), (65_535, 1), (16, 17_000), (25_400, 16)]),
)
PACKETS = st.lists(st.one_of(st.none(), st.binary(max_size=60), st.integers(0, 2**32)), max_size=9)
"""Lost ones, garbage, and seeds by which a real packet is chosen and damaged, or not."""


def made_of(packets, kinds):
    """Make the packets of a frame that nobody sent."""
    made = []
    for kind in kinds:
        if isinstance(kind, int):
            rng = np.random.default_rng(kind)
            damaged = flipped(packets, int(rng.integers(4)), rng)
            made.append(cut(damaged, rng.choice([0.5, 1]))[rng.integers(len(packets))])
        else:
            made.append(kind)
    return made


@pytest.fixture
def decodable(candidate):
    """Check what is made of a frame that nobody sent."""
    codec = candidate.codec()
    packets = data_of(encode(codec, crop(40, 90, 40, 56), 20_000))

    def check(kinds, size):
        check_harmless(
            codec, made_of(packets, kinds), *size, limit_s=candidate.decode_limit_s, promise=GARBAGE
        )

    return check


@pytest.mark.parametrize("candidate", NAMES, indirect=True)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(kinds=PACKETS, size=SIZES)
def test_any_frame_gives_an_error_or_an_image(decodable, kinds, size):
    decodable(kinds, size)


@pytest.fixture
def harmless(candidate):
    """Check what is made of a small picture's packets."""
    codec = candidate.codec()
    packets = data_of(encode(codec, crop(40, 90, 40, 56), 20_000))

    def check(damage):
        check_harmless(
            codec, damage(packets), 40, 56, limit_s=candidate.decode_limit_s, promise=GARBAGE
        )

    return check


@pytest.mark.parametrize("candidate", NAMES, indirect=True)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(min_size=1, max_size=400), keep=st.integers(0, 12))
def test_garbage_gives_an_error_or_an_image(harmless, garbage, keep):
    harmless(lambda packets: replaced(packets, keep, garbage))


@pytest.mark.parametrize("candidate", NAMES, indirect=True)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 8), share=st.floats(0, 1))
def test_damage_gives_an_error_or_an_image(harmless, seed, flips, share):
    """Bits flip anywhere, and where they are few the end is missing."""
    rng = np.random.default_rng(seed)
    harmless(lambda packets: cut(flipped(packets, flips, rng), share if flips < 4 else 1))
