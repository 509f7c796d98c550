"""Binary symmetric and erasure channels: their laws, their capacities, and a code that nears them.

Bounds are four standard errors, or a chi-square test at one in a thousand, at fixed seeds.
"""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from channels.base import BitChannel
from channels.discrete.binary_erasure import BinaryErasure
from channels.discrete.binary_symmetric import BinarySymmetric
from channels.discrete.events import CERTAIN_LLR
from channels.fec.ldpc import ldpc_code

NUM_BITS = 400_000
CHANNELS: list[BinarySymmetric | BinaryErasure] = [
    *(BinarySymmetric(p=p) for p in (0.001, 0.11, 0.4, 0.5, 0.8)),
    *(BinaryErasure(p=p) for p in (0.001, 0.3, 0.9)),
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def send(channel: BitChannel, num_bits: int = NUM_BITS) -> tuple[torch.Tensor, torch.Tensor]:
    bits = torch.randint(0, 2, (num_bits,), generator=rng(1), dtype=torch.uint8)
    return bits, channel(bits, rng(2))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: f"{type(c).__name__}-{c.p}")
def test_capacity_is_the_information_in_the_llrs(channel: BinarySymmetric | BinaryErasure) -> None:
    """``1 - E log2(1 + exp(∓LLR))`` for equally likely bits, which reach capacity here."""
    bits, llr = send(channel)
    loss = torch.nn.functional.softplus((1 - 2.0 * bits) * llr.double()) / math.log(2)
    information, error = 1 - float(loss.mean()), 4 * float(loss.std()) / math.sqrt(NUM_BITS)
    assert abs(information - channel.capacity) <= error + 1e-7  # LLRs are in single precision


def test_capacities_of_the_book() -> None:
    """Half a bit at a flip rate of 0.110028; nothing at one half, all of it where p is 0 or 1."""
    assert BinarySymmetric(p=0.1100278644).capacity == pytest.approx(0.5, abs=1e-9)
    assert BinarySymmetric(p=0.5).capacity == 0
    assert BinarySymmetric(p=0.0).capacity == BinarySymmetric(p=1.0).capacity == 1
    assert [BinaryErasure(p=p).capacity for p in (0.0, 0.25, 1.0)] == [1, 0.75, 0]


@pytest.mark.parametrize("p", [0.02, 0.3])
@pytest.mark.parametrize("kind", [BinarySymmetric, BinaryErasure])
def test_events_are_independent(kind: type[BinarySymmetric | BinaryErasure], p: float) -> None:
    """Flips or erasures per 16 bits are binomial, whatever is sent."""
    bits, llr = send(kind(p=p))
    event = (llr > 0) != (bits == 1) if kind is BinarySymmetric else llr == 0
    for value in (0, 1):
        count = event[bits == value]
        words = count[: len(count) // 16 * 16].reshape(-1, 16).sum(dim=-1)
        expected = stats.binom(16, p).pmf(np.arange(17)) * len(words)
        observed = np.bincount(words.numpy(), minlength=17)
        many = int((expected >= 10).sum())  # the rare counts together
        groups = [np.append(c[:many], c[many:].sum()) for c in (observed, expected)]
        assert stats.chisquare(*groups).pvalue > 1e-3


@pytest.mark.parametrize(
    ("channel", "wrong", "llr"),
    [
        (BinarySymmetric(p=0.0), 0.0, CERTAIN_LLR),
        (BinarySymmetric(p=1e-300), 0.0, CERTAIN_LLR),
        (BinarySymmetric(p=1.0), 0.0, CERTAIN_LLR),
        (BinarySymmetric(p=0.5), 0.5, 0.0),
        (BinaryErasure(p=0.0), 0.0, CERTAIN_LLR),
        (BinaryErasure(p=1.0), 0.5, 0.0),
    ],
)
def test_limits(channel: BitChannel, wrong: float, llr: float) -> None:
    """Certain bits are right and finite; useless channels say nothing."""
    bits, llrs = send(channel, 1_000)
    assert bool((llrs.abs() == llr).all())
    if wrong == 0:
        assert bool(((llrs > 0) == (bits == 1)).all())


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(p: float) -> None:
    for kind in (BinarySymmetric, BinaryErasure):
        with pytest.raises(ValueError, match=r"p must be a probability in \[0, 1\]"):
            kind(p=p)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (BinarySymmetric(p=0.06), BinarySymmetric(p=0.15)),
        (BinaryErasure(p=0.4), BinaryErasure(p=0.55)),
    ],
)
@pytest.mark.parametrize("decoder", ["int8", "float32"])
def test_ldpc_works_below_capacity_and_not_above(
    good: BinarySymmetric | BinaryErasure, bad: BinarySymmetric | BinaryErasure, decoder: str
) -> None:
    """Rate 1/2 and 4,000 bits: all of 50 blocks get through well below capacity, none above."""
    code = ldpc_code(2_000, 4_000)
    bits = torch.randint(0, 2, (50, 2_000), generator=rng(3), dtype=torch.uint8).numpy()
    sent = torch.from_numpy(code.encode(bits))
    assert good.capacity > 0.59
    assert bad.capacity < 0.46
    for channel, arrives in ((good, True), (bad, False)):
        decided, _ = code.decode(channel(sent, rng(4)).numpy(), 50, decoder=decoder)
        right = (decided == bits).all(axis=1)
        assert bool((right == arrives).all())
