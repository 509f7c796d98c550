"""CP-OFDM over a channel with memory; pilots and cyclic prefix are paid for.

Data symbols fill the resource elements of slots, frequency first. Each element has its own gain H,
``y = H x + n`` with ``E|H|² = 1``. The receiver estimates H from pilots of the same slot
(:mod:`channels.ofdm.estimation`) and returns the estimate as ``h``, with the variance of its error
added to ``noise_var``. ``estimation=perfect`` returns H itself and pays for the same pilots.

SNR is Es/N0 per resource element, ``1/N0``: pilots and data have power 1, the transform is unitary,
and the energy of the prefix is not counted in Es. Channel uses are complex samples at the critical
rate, ``subcarriers + prefix`` per OFDM symbol. Whole slots are sent, and the part of the last slot
that the data leave empty is lost.

Assumptions: the prefix is longer than the channel (checked), the gain is constant within an OFDM
symbol, and synchronisation is perfect. Time samples therefore need not be generated; tests show
that they would give the same result. The Doppler shift is limited to 2 % of the spacing. There, the
neglected leakage between carriers, ``(2π f_D/spacing)²/24`` for Clarke's spectrum, is -32 dB. There
are no guard bands, no interleaving and no limit on the peak power.

References
----------
3GPP TS 38.211, clauses 4.3, 4.4 and 7.4.1.1: numerology, slots, comb of pilots.
Y. Li, L. J. Cimini, "Bounds on the interchannel interference of OFDM in time-varying impairments",
IEEE Trans. Commun. 49(3), 2001.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from channels.base import (
    Channel,
    ChannelOutput,
    Coherence,
    check_input,
    draw_noise,
    noise_per_transmission,
)
from channels.catalogue import CHANNELS
from channels.errors import InputError
from channels.ofdm.estimation import Estimator, Layout, LeastSquares, Lmmse
from channels.ofdm.multipath import Flat, Grid, Multipath
from channels.ofdm.options import check_grid, check_pilots
from channels.ofdm.tdl import Tdl
from channels.registry import Entry, Registry

_REPLAYS = Registry(
    "multipath", [Entry("cir", "channels.ofdm.measured_cir:TraceCir")], group="semcom.multipaths"
)
_MAX_DOPPLER_SHARE = 0.02


def build_multipath(
    over: str, *, delay_spread_ns: float, doppler_hz: float, period_s: float
) -> Multipath:
    """Build the channel below the OFDM modem.

    Parameters
    ----------
    over
        ``"tdl_a"`` to ``"tdl_e"``, ``"cdl_a"`` to ``"cdl_e"``, measured impulse responses
        (``"cir:file=PATH"``), or a flat channel by name with options (``"jakes:doppler=0.01"``),
        several of them in quotes. In the options of a flat channel, a symbol means an OFDM symbol.
    delay_spread_ns, doppler_hz
        Options of the TDL or CDL; flat channels have their own.
    period_s
        Duration of an OFDM symbol with its prefix.

    Raises
    ------
    ValueError
        An unknown or unsuitable channel.
    """
    kind, _, profile = over.partition("_")
    if kind == "tdl":
        return Tdl(profile=profile, delay_spread_ns=delay_spread_ns, doppler_hz=doppler_hz)
    if kind == "cdl":
        from channels.ofdm.cdl import Cdl  # Sionna is optional, and slow to import

        return Cdl(profile=profile, delay_spread_ns=delay_spread_ns, doppler_hz=doppler_hz)
    if over.partition(":")[0] == "cir":
        replay, options = _REPLAYS.parse(over)
        cir: Multipath = replay(period_s=period_s, **options)
        return cir
    channel: Channel = CHANNELS.create(over)
    return Flat(channel, period_s=period_s)


class Ofdm:
    """An OFDM link as a channel of data symbols.

    Parameters
    ----------
    over
        Channel below the modem: see :func:`build_multipath`.
    delay_spread_ns
        Root mean square delay spread of a TDL or CDL in ns.
    doppler_hz
        Maximum Doppler shift of a TDL or CDL in Hz (speed over wavelength), at most 2 % of the
        spacing; 10 Hz is a pedestrian at 3.5 GHz.
    estimation
        ``"lmmse"``, ``"ls"`` or ``"perfect"``.
    subcarriers
        Size of the transform, 2 to 1024; all subcarriers carry symbols.
    spacing_khz
        Subcarrier spacing in kHz, 0.001 to 1e6.
    prefix_us
        Cyclic prefix in µs, 0 to 10,000, rounded up to samples; must be longer than the channel.
    slot
        OFDM symbols per slot, 1 to 1000; at most 16,384 resource elements per slot.
    pilot_symbols
        OFDM symbols with pilots in each slot, evenly spaced; 0 is for perfect knowledge only.
    pilot_step
        Spacing of the pilots in subcarriers (comb); 1 makes every subcarrier a pilot (block). A
        slot has at most 1024 pilots, or any number with perfect knowledge.

    Raises
    ------
    ValueError
        A value outside these ranges.

    Examples
    --------
    A slot of 14 OFDM symbols on 72 subcarriers loses 72 elements to pilots; each symbol has a
    prefix of 6 samples:

    >>> ofdm = Ofdm()
    >>> ofdm.num_uses(14 * 72 - 72)
    1092
    >>> x = torch.ones(936, dtype=torch.complex64)
    >>> y, h, noise_var = ofdm(x, 0.1, torch.Generator().manual_seed(0))
    >>> bool((noise_var > 0.1).all())  # noise plus the error of the estimate h
    True
    """

    coherence: Coherence = "varying"

    def __init__(
        self,
        *,
        over: str = "tdl_a",
        delay_spread_ns: float = 100.0,
        doppler_hz: float = 10.0,
        estimation: str = "lmmse",
        subcarriers: int = 72,
        spacing_khz: float = 15.0,
        prefix_us: float = 4.69,
        slot: int = 14,
        pilot_symbols: int = 2,
        pilot_step: int = 2,
    ) -> None:
        check_grid(subcarriers, spacing_khz, prefix_us, slot)
        check_pilots(estimation, subcarriers, slot, pilot_symbols, pilot_step)
        spacing_hz = spacing_khz * 1e3
        # The tolerance stops rounding errors from adding a sample to a whole prefix.
        self.prefix = math.ceil(prefix_us * 1e-6 * spacing_hz * subcarriers - 1e-9)
        """Cyclic prefix in samples."""
        period_s = (subcarriers + self.prefix) / (subcarriers * spacing_hz)
        self.multipath = build_multipath(
            over, delay_spread_ns=delay_spread_ns, doppler_hz=doppler_hz, period_s=period_s
        )
        prefix_s = self.prefix / (subcarriers * spacing_hz)
        if self.multipath.max_delay_s > prefix_s * (1 + 1e-9):
            raise InputError(
                f"the cyclic prefix of {prefix_s * 1e6:.3g} µs must be longer than the channel, "
                f"whose last path arrives after {self.multipath.max_delay_s * 1e6:.3g} µs: lower "
                "delay_spread_ns, or raise prefix_us of ofdm"
            )
        most_hz = _MAX_DOPPLER_SHARE * spacing_hz
        if isinstance(self.multipath, Flat):  # which does not use doppler_hz
            shift_hz = getattr(self.multipath.channel, "doppler", 0.0) / period_s
            if shift_hz > most_hz:
                raise InputError(
                    f"the doppler of {over} must be at most {most_hz * period_s:.3g} cycles per "
                    f"OFDM symbol ({_MAX_DOPPLER_SHARE:g} of the subcarrier spacing), got "
                    f"{shift_hz * period_s:g}"
                )
            if not 0 <= doppler_hz < math.inf:
                raise InputError(f"doppler_hz must be at least 0 and finite, got {doppler_hz}")
        elif not 0 <= doppler_hz <= most_hz:
            raise InputError(
                f"doppler_hz must be between 0 and {_MAX_DOPPLER_SHARE:g} of the subcarrier "
                f"spacing ({most_hz:g} Hz): lower it or raise spacing_khz, got {doppler_hz}"
            )
        self.slot_grid = Grid(slot, period_s, subcarriers, spacing_hz)
        """The resource elements of one slot."""
        self.estimation = estimation
        pilot_times = [(2 * i + 1) * slot // (2 * pilot_symbols) for i in range(pilot_symbols)]
        self.layout = Layout(slot, subcarriers, pilot_times, pilot_step)
        """The positions of pilots and data."""
        self.estimated = estimation != "perfect"
        """Whether ``h`` is an estimate, so that ``y - h·x`` contains its error and the noise."""
        if self.estimated:
            _ = self.estimator  # refuses, before anything is sent, a channel without an estimator

    @functools.cached_property
    def estimator(self) -> Estimator:
        """The estimator for one slot; not for ``estimation="perfect"``."""
        kind = Lmmse if self.estimation == "lmmse" else LeastSquares
        return kind(self.multipath, self.slot_grid, self.layout)

    def _num_slots(self, num_symbols: int) -> int:
        return -(-num_symbols // len(self.layout.data))

    def num_uses(self, num_symbols: int) -> int:
        """Return the complex samples of ``num_symbols`` symbols: whole slots with prefixes."""
        grid = self.slot_grid
        per_slot = grid.num_times * (grid.num_subcarriers + self.prefix)
        return self._num_slots(num_symbols) * per_slot

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Returns
        -------
        ChannelOutput
            Data only; ``noise_var`` has their shape and includes the error of the estimate.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative, not finite, or
            varies within a transmission.
        """
        noise = noise_per_transmission(check_input(x, noise_var), x)
        num_symbols = x.shape[-1]
        num_slots = self._num_slots(num_symbols)
        # If there is only one slot, nothing beyond its data is computed.
        data = self.layout.data[:num_symbols].to(x.device)
        slots = self._draw_slots(x, num_slots, rng)
        filled = torch.nn.functional.pad(x, (0, num_slots * len(data) - num_symbols))
        sent = filled.reshape(*x.shape[:-1], num_slots, len(data))
        h = slots[..., data]
        spread = noise[..., None]
        y = h * sent + draw_noise(sent, spread, rng)
        total = spread.expand(sent.shape)
        if self.estimated:
            pilots = slots[..., self.layout.pilots.to(x.device)]
            pilots = pilots + draw_noise(pilots, spread, rng)
            estimate, error = self.estimator(pilots, spread)
            h = estimate[..., : len(data)]
            total = total + error[..., : len(data)]
        return ChannelOutput(*(part.flatten(-2)[..., :num_symbols] for part in (y, h, total)))

    def _draw_slots(self, x: Tensor, num_slots: int, rng: torch.Generator) -> Tensor:
        """Draw gains, complex (..., num_slots, slot·subcarriers); fading continues over slots."""
        one = self.slot_grid
        grid = Grid(num_slots * one.num_times, one.period_s, one.num_subcarriers, one.spacing_hz)
        gains = self.multipath.frequency_response(x.shape[:-1], grid, x, rng)
        return gains.reshape(*x.shape[:-1], num_slots, one.num_times * one.num_subcarriers)


def ofdm_tdl(
    *,
    profile: str = "a",
    delay_spread_ns: float = 100.0,
    doppler_hz: float = 10.0,
    estimation: str = "lmmse",
) -> Ofdm:
    """Build :class:`Ofdm` over a TDL; ``profile`` is ``"a"`` to ``"e"``.

    Examples
    --------
    >>> ofdm_tdl(profile="c", estimation="perfect").estimated
    False
    """
    return Ofdm(
        over=f"tdl_{profile}",
        delay_spread_ns=delay_spread_ns,
        doppler_hz=doppler_hz,
        estimation=estimation,
    )


def ofdm_cdl(
    *,
    profile: str = "a",
    delay_spread_ns: float = 100.0,
    doppler_hz: float = 10.0,
    estimation: str = "lmmse",
) -> Ofdm:
    """Build :class:`Ofdm` over one of Sionna's CDLs; ``profile`` is ``"a"`` to ``"e"``."""
    return Ofdm(
        over=f"cdl_{profile}",
        delay_spread_ns=delay_spread_ns,
        doppler_hz=doppler_hz,
        estimation=estimation,
    )
