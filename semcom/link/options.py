"""The options of a link, defined once for Python, the command line and suites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from semcom.codecs.side_margin import SIDE_MARGIN_DB

DEFAULT_PILOTS = 8


def _option(default: Any, text: str, **about: str) -> Any:
    """Define an option by its default value and its help text on the command line."""
    return field(default=default, metadata={"help": text, **about})


@dataclass(frozen=True)
class LinkOptions:
    """Options of a link; :class:`semcom.link.config.LinkConfig` explains each of them.

    The metadata of a field holds its ``help`` for the command line and, where needed, a
    ``metavar``, the meaning of leaving it ``unset``, and its ``axis``: the name that it has in
    suites and on the command line.
    """

    channel: str = _option(
        "awgn", "Channel to use, with options, such as rician:k_db=9.", metavar="NAME"
    )
    snr_db: float = _option(10.0, "Mean SNR (Es/N0) of the channel in dB.")
    csi: Literal["perfect", "pilots"] = _option(
        "perfect",
        "Channel knowledge of the receiver: perfect, or pilots (estimated from pilots, which cost "
        "channel uses).",
        metavar="KIND",
    )
    num_pilots: int = _option(
        DEFAULT_PILOTS,
        "Number of pilots per coherence block, for --csi pilots.",
        axis="pilots",
    )
    scheme: str = _option(
        "",
        "Fixed modulation and code rate, by its name or number in semcom mcs.",
        metavar="NAME",
        unset="chosen by the SNR",
    )
    schemes: Literal["nr", "papers", "shaped"] = _option(
        "nr",
        "Set of modulation and coding schemes that sender and receiver agreed on: nr (the tables "
        "of 5G NR, and rates in between), papers (LDPC blocks of 6144 coded bits, as in papers on "
        "semantic communication), or shaped (nr, and shaped QAM closer to capacity, on AWGN and "
        "fading that holds for a whole frame).",
        metavar="NAME",
    )
    protection: Literal["equal", "unequal", "graceful"] = _option(
        "equal",
        "equal: protect all packets alike; unequal: protect important packets more, for the least "
        "expected error; graceful: the same, for the highest expected PSNR.",
        metavar="KIND",
    )
    copies: int = _option(1, "Number of times to send every packet, 1 to 4.")
    planned_snr_db: float | None = _option(
        None, "Mean SNR that the sender assumes.", metavar="DB", unset="the true value"
    )
    planned_std_db: float = _option(
        0.0,
        "Standard deviation in dB of the mean SNR that the sender assumes, as under shadowing.",
        metavar="DB",
    )
    side_margin_db: float = _option(
        SIDE_MARGIN_DB,
        "Margin in dB below the planned SNR for which side information of analog codecs is "
        "protected.",
        metavar="DB",
    )
    losses: str = _option(
        "",
        "Additional packet loss, by a packet channel such as packet_erasure:p=0.1.",
        metavar="NAME",
        unset="none",
    )
