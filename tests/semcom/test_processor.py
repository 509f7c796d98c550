"""What semcom asks of the processor's memory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

_COUNT = """
import resource, sys
import numpy as np
from semcom.processor import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def work():
    return float(sum(np.ones(1 << 21) * k for k in range(4))[0])  # arrays of 16 MB
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str, **variables: str) -> int:
    """Return how many pages the system had to map anew."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", _COUNT, how]
    told = subprocess.run(command, env=known | variables, capture_output=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again():
    kept, usual = _faults("keep"), _faults("no")
    assert usual > 5_000
    assert kept < usual / 20
    told_otherwise = _faults("keep", MALLOC_MMAP_THRESHOLD_="1000000")
    assert told_otherwise > usual / 2
