"""Numbers that users give: each is refused by name, with its range, or works at once."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from channels.catalogue import BIT_CHANNELS, CHANNELS, PACKET_CHANNELS
from channels.conformance.trial import rng, symbols
from semcom.codecs.base import CODECS, is_analog
from semcom.segmenters.base import SEGMENTERS

NEEDED = {"trace": f"file={Path(__file__).with_name('trace.csv')}"}
WHOLE = ("-1", "0", "1", "1000", "1000000", "1000000000", f"{10**18}", f"{10**40}")
REAL = ("nan", "inf", "-inf", "-1", "0", "0.5", "1e-300", "1e-3", "1e3", "1e6", "1e300")


def _send(channel):
    return channel(symbols(2, 60), 0.1, rng()).y


def _decode(codec):
    none = torch.zeros(0)
    received = (none.cfloat(), none.cfloat(), none) if is_analog(codec) else ()
    return codec.decode(*received, [None], 20, 30)


USES = {
    "channel": (CHANNELS, _send),
    "bit channel": (BIT_CHANNELS, lambda c: c(torch.ones(9, dtype=torch.uint8), rng())),
    "packet channel": (PACKET_CHANNELS, lambda c: c((2, 9), rng())),
    "codec": (CODECS, _decode),
    "segmenter": (SEGMENTERS, lambda s: s(np.zeros((20, 30, 3), dtype=np.uint8))),
}
"""What to do with a plugin of each kind."""
WITH_WEIGHTS = ("mobile_sam", "hf", "sam3")
"""Segmenters whose options are tested in tests/semcom, with weights made there."""
OPTIONS = [
    (kind, entry.name, option.name, type(option.default))
    for kind, (registry, _) in USES.items()
    for entry in registry.entries()
    if entry.name not in WITH_WEIGHTS and not entry.missing
    for option in inspect.signature(registry.load(entry.name)).parameters.values()
    if type(option.default) in (int, float)
]


def test_there_are_options():
    """Enough of them that the list above finds them."""
    assert len(OPTIONS) >= 30
    assert ("channel", "ofdm", "slot", int) in OPTIONS


@pytest.mark.parametrize(
    ("kind", "name", "option", "number"), OPTIONS, ids=[f"{o[1]}-{o[2]}" for o in OPTIONS]
)
def test_any_number_is_refused_with_its_range_or_works(kind, name, option, number):
    registry, use = USES[kind]
    needed = f"{NEEDED[name]}," if name in NEEDED else ""
    refused = 0
    for value in WHOLE if number is int else REAL:
        try:
            plugin = registry.create(f"{name}:{needed}{option}={value}")
        except ValueError as error:
            refused += 1
            message = str(error)
            assert option in message
            assert "\n" not in message
            assert re.search(r"\d", message.partition("got")[0])  # the range
            continue
        result = use(plugin)
        if torch.is_tensor(result) and result.is_complex():
            assert bool(result.isfinite().all())
    assert refused


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ofdm:subcarriers=1024,slot=10000000", "slot must be between 1 and 16 .* got 10000000"),
        ("ofdm:subcarriers=1024,pilot_step=1", "at most 1024 pilots .* got 2048"),
        ("rayleigh:block_length=100000000000", "to 1000000000 symbols, got 100000000000"),
        ("rayleigh:block_length=-1", "block_length must be 0 .* got -1"),
    ],
)
def test_what_would_take_minutes_is_refused_at_once(spec, message):
    with pytest.raises(ValueError, match=message):
        CHANNELS.create(spec)


@pytest.mark.parametrize("spec", ["rayleigh", "rician", "nakagami", "mimo:csi=pilots,antennas=2x2"])
def test_a_block_longer_than_the_transmission_is_one_block(spec):
    joint = "," if ":" in spec else ":"
    whole, longest = (
        _send(CHANNELS.create(f"{spec}{joint}block_length={n}")) for n in (0, 1_000_000_000)
    )
    assert torch.equal(whole, longest)
