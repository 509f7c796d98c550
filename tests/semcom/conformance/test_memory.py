"""Peaks of memory, after other processes took more."""

import subprocess
import sys

import numpy as np

from semcom.conformance.memory import grown_bytes, start_measuring


def test_growth_shows_whatever_an_earlier_process_took():
    hungry = "import numpy as np; np.ones(600_000_000, dtype=np.uint8)"
    subprocess.run([sys.executable, "-c", hungry], check=True)
    start = start_measuring()
    if not start.own:
        return
    assert grown_bytes(start) < 50_000_000
    assert np.ones(300_000_000, dtype=np.uint8).all()
    assert 290_000_000 < grown_bytes(start) < 400_000_000
