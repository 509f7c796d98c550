"""The checks of channels.

Each is a function of a :class:`~channels.conformance.base.Candidate`. It raises
:class:`~channels.conformance.base.CheckFailed` where a promise of
``docs/tutorials/adding-a-channel.md`` is broken, and else returns a remark, mostly empty. Draws are
seeded, and means may be off by :data:`~channels.conformance.trial.SIGMAS` standard errors.

What a channel may say of itself, as attributes:

- ``estimated = True``, if its ``h`` is the receiver's estimate, so that ``y - h·x`` has the
  reported variance on average only;
- ``mismatched = True``, if the receiver is not told of an error in ``h``, so that ``y - h·x`` has
  more than the reported variance;
- ``noise_varies = True``, if ``noise_var`` is told symbol by symbol, so that it is as asked for in
  the mean only;
- ``linear = False``, if ``y`` is no multiple of ``x`` plus noise;
- ``num_streams``, if that many symbols share a channel use and a detector takes them apart, so that
  ``h`` is the gain behind it: without noise ``y = h·x`` but for rounding, and its mean is not 1.
"""

from __future__ import annotations

from channels.conformance import laws, promises, signals
from channels.conformance.base import Check

CHANNEL_CHECKS = (
    Check("shapes", promises.SHAPES, signals.check_shapes),
    Check("gradient", promises.GRADIENT, signals.check_gradient),
    Check("batch", promises.BATCH, signals.check_batch),
    Check("randomness", promises.RANDOMNESS, signals.check_randomness),
    Check("bad-input", promises.BAD_INPUT, signals.check_bad_input),
    Check("power", promises.POWER, laws.check_power),
    Check("noise", promises.POWER, laws.check_noise),
    Check("noise-apart", promises.POWER, laws.check_noise_per_transmission),
    Check("gain", promises.ALONE, laws.check_gain),
    Check("coherence", promises.COHERENCE, laws.check_coherence),
    Check("quantile", promises.QUANTILE, laws.check_quantile),
    Check("cost", promises.COST, laws.check_cost),
)
