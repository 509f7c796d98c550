"""Hash the words of Sionna's LDPC encoder for ``tests/channels/fec/ldpc/data/ldpc_sionna.csv``.

    python -m experiments.benchmarks.ldpc_golden

There are two cases for every lifting size of both base graphs: the shortest block that uses it,
which consists mostly of filler bits, and a randomly drawn one. The length and the modulation are
drawn as well, and all four redundancy versions are encoded. A hash is the first 16 hexadecimal
digits of the SHA-256 of the word, packed eight bits to a byte, most significant bit first. Our
encoder is not involved, so that a comparison with the file is meaningful without Sionna.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from channels.fec.ldpc.base_graph import (
    LIFTING_SETS,
    MAX_INFO_BITS,
    MIN_INFO_BITS,
    choose_lifting_size,
)
from channels.units import BITS_PER_SYMBOL
from experiments.csv_table import to_csv

OUT = Path(__file__).parents[2] / "tests" / "channels" / "fec" / "ldpc" / "data" / "ldpc_sionna.csv"
RATES = {1: (0.34, 0.94), 2: (0.21, 0.94)}
"""Range of code rates. Sionna allows no lower rates, since it does not repeat bits, and the
standard no higher ones."""


def message(num_bits: int) -> NDArray[np.uint8]:
    """Return reproducible information bits: the SHAKE-256 of their number."""
    stream = hashlib.shake_256(str(num_bits).encode()).digest(-(-num_bits // 8))
    return np.unpackbits(np.frombuffer(stream, dtype=np.uint8))[:num_bits]


def word_hash(word: NDArray[np.uint8]) -> str:
    """Return the hash of a word of bits, shape (n,)."""
    return hashlib.sha256(np.packbits(word).tobytes()).hexdigest()[:16]


def cases(seed: int) -> Iterator[tuple[int, int, int, int]]:
    """Choose (base graph, k, n, bits per symbol)."""
    rng = np.random.default_rng(seed)
    for graph, most in MAX_INFO_BITS.items():
        by_size: dict[int, list[int]] = {}
        for k in range(MIN_INFO_BITS, most + 1):
            by_size.setdefault(choose_lifting_size(k, graph), []).append(k)
        for size in sorted(size for sizes in LIFTING_SETS for size in sizes):
            for k in (by_size[size][0], int(rng.choice(by_size[size]))):
                bits = int(rng.choice(BITS_PER_SYMBOL))
                n = bits * math.floor(k / rng.uniform(*RATES[graph]) / bits)
                # Rounding down may make a short word shorter than the code allows.
                yield graph, k, n + bits * (k > 0.95 * n), bits


def sionna_words(graph: int, k: int, n: int, bits: int) -> NDArray[np.uint8]:
    """Encode :func:`message` with Sionna: redundancy versions 0 to 3, shape (4, n)."""
    import torch
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=bits, bg=f"bg{graph}", device="cpu")
    info = torch.from_numpy(message(k)).float()[None]
    return np.asarray(encoder(info, rv=[0, 1, 2, 3])[0].numpy().astype(np.uint8))


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seed: int, out: Path) -> None:
    """Hash the words of every case."""
    import sionna

    rows = [
        (*case, *map(word_hash, sionna_words(*case)))
        for case in track(list(cases(seed)), description="cases")
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# Sionna {sionna.__version__}: python -m experiments.benchmarks.ldpc_golden")
        file.write(f" --seed {seed}\n")
        columns = "base_graph", "k", "n", "bits_per_symbol", "rv0", "rv1", "rv2", "rv3"
        file.write(to_csv(columns, rows))


if __name__ == "__main__":
    main()
