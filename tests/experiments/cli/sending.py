"""What ``semcom send`` prints: records and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

ROOT = Path(__file__).parents[3]
SCORES = (
    "psnr_db",
    "ssim",
    "ms_ssim",
    "region_psnr_db",
    "background_psnr_db",
    "theta_psnr_db",
)
Semcom = Callable[..., Result]


def send_quickly(semcom: Semcom, *arguments: str, images: tuple[str, ...] = ("a.png",)) -> Result:
    """Send quickly; arguments win over the defaults given here."""
    return semcom("send", *images, "--mask", "m.png", "--codec", "jpeg", "--cbr", "1/4", *arguments)


def records_of(result: Result) -> list[dict[str, Any]]:
    """Parse the output as strict JSON lines and nothing else."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in result.stdout.splitlines()]


def error_of(result: Result) -> str:
    """Return the error lines of a command that failed."""
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert lines, result.output
    return "\n".join(lines)
