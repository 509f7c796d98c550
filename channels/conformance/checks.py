"""The checks of channels.

Each is a function of a :class:`~channels.conformance.base.Candidate`. It raises
:class:`~channels.conformance.base.CheckFailed` if a promise of
``docs/tutorials/adding-a-channel.md`` is broken, and otherwise returns a remark, which is usually
empty. Draws are seeded, and means may be off by :data:`~channels.conformance.trial.SIGMAS` standard
errors.

A channel may declare deviations from the plain model by attributes:

- ``estimated = True``: ``h`` is the receiver's estimate, so that ``y - h·x`` has the reported
  variance only on average;
- ``mismatched = True``: the receiver is not told about an error in ``h``, so that ``y - h·x`` has
  more than the reported variance;
- ``noise_varies = True``: ``noise_var`` is reported symbol by symbol and equals the requested value
  only in the mean;
- ``linear = False``: ``y`` is not a multiple of ``x`` plus noise;
- ``num_streams``: this many symbols share a channel use and are separated by a detector, and ``h``
  is the gain after the detector: without noise ``y = h·x`` except for rounding, and the mean power
  of ``h`` is not 1.
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
