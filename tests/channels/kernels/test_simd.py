"""Where vectors cannot be compiled: one warning, and the same numbers."""

import hashlib
import json
import subprocess
import sys
import warnings
from typing import Any

WITHOUT = """
import json, warnings
from numba.core import cgutils

known = cgutils.get_or_insert_function

def unknown(module, kind, name):
    if name.startswith("llvm.sadd.sat.v"):
        raise NotImplementedError("no saturating addition of vectors")
    return known(module, kind, name)

cgutils.get_or_insert_function = unknown
"""
WORK = """
import numpy as np
from channels.kernels import simd
from channels.fec.ldpc import ldpc_code

found = []
for k, n, base_graph in ((100, 250, 2), (1500, 1800, 1)):  # Z = 18 and 72: no whole vectors
    code = ldpc_code(k, n, 2, base_graph=base_graph)
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (40, k), dtype=np.uint8)
    coded = code.encode(bits)
    noise = {2: 3.0, 1: 1.5}[base_graph] * rng.standard_normal(coded.shape)
    llr = (6.0 * coded - 3 + noise).astype(np.float32)
    for iterations in (1, 8):
        decided, ok = code.decode(llr, iterations, decoder="int8")
        found += [coded, decided, ok]
"""


def numbers(work: dict[str, Any]) -> list[str]:
    return [hashlib.sha256(array.tobytes()).hexdigest() for array in work["found"]]


def test_without_vectors_one_warning_and_the_same_numbers() -> None:
    """LLVM that lacks an instruction on vectors, in a fresh process: the module tries once."""
    script = f"""{WITHOUT}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
{_indent(WORK)}
    from hashlib import sha256
said = [str(one.message) for one in caught if "vectors" in str(one.message)]
print(json.dumps([simd.VECTORS, said, [sha256(a.tobytes()).hexdigest() for a in found]]))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    vectors, said, without = json.loads(run.stdout)
    assert not vectors
    (message,) = said
    assert message.startswith("vectors cannot be compiled here, so decoding will be slow: ")
    assert "no saturating addition of vectors" in message
    here: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(WORK, here)
    for ok in here["found"][5::6]:
        assert 0 < int(ok.sum()) < len(ok)  # blocks that end early, and blocks that do not
    assert without == numbers(here)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
