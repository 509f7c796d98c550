"""The encoder against words of Sionna's, kept as hashes: no Sionna is needed here.

``python -m experiments.benchmarks.ldpc_golden`` made them.
"""

import csv
from pathlib import Path

import pytest

from channels.fec.ldpc import LdpcCode
from channels.fec.ldpc.base_graph import LIFTING_SETS
from experiments.benchmarks.ldpc_golden import message, word_hash

FILE = Path(__file__).parent / "data" / "ldpc_sionna.csv"
LINES = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
ROWS = list(csv.DictReader(LINES))


def prepare(row: dict[str, str]) -> LdpcCode:
    k, n, bits, graph = (int(row[key]) for key in ("k", "n", "bits_per_symbol", "base_graph"))
    return LdpcCode(k, n, bits, base_graph=graph)


@pytest.mark.parametrize("rv", range(4))
def test_every_redundancy_version_is_sionnas_bit_for_bit(rv: int) -> None:
    wrong = []
    for row in ROWS:
        word = prepare(row).encode(message(int(row["k"]))[None], rv=rv)[0]
        if word_hash(word) != row[f"rv{rv}"]:
            wrong.append(row)
    assert not wrong


def test_the_words_cover_both_graphs_and_every_lifting_size() -> None:
    sizes = {size for sizes in LIFTING_SETS for size in sizes}
    for graph in ("1", "2"):
        codes = [prepare(row) for row in ROWS if row["base_graph"] == graph]
        assert {code.lifting_size for code in codes} == sizes
        assert {code.bits_per_symbol for code in codes} == {1, 2, 4, 6, 8}
        assert any(code.num_filler_bits == 0 for code in codes)
        assert any(code.num_filler_bits > code.lifting_size for code in codes)
