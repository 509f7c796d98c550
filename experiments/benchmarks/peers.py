"""Peers of the link-level benchmarks: Sionna (torch on the CPU) and the package ``ldpc``."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from channels.fec.ldpc import LdpcCode
from channels.fec.ldpc.base_graph import INFO_COLUMNS
from channels.units import noise_var_from_snr_db

Bits = NDArray[np.uint8]
LLRs = NDArray[np.float32]

HAS_SIONNA = importlib.util.find_spec("sionna") is not None
HAS_LDPC = importlib.util.find_spec("ldpc") is not None
CASES = [
    (k, rate, name)
    for k in (1024, 4096)
    for rate, name in ((1 / 2, "1/2"), (1 / 3, "1/3"), (5 / 6, "5/6"))
]
"""k, code rate and name of the code rate of every row."""
NEAR_1E_2_DB = {
    (1024, "1/2"): 1.5,
    (1024, "1/3"): 0.95,
    (1024, "5/6"): 3.5,
    (4096, "1/2"): 1.15,
    (4096, "1/3"): 0.65,
    (4096, "5/6"): 3.15,
}
"""Eb/N0 in dB at which int8 has a BLER near 1e-2: QPSK, 20 iterations."""


def seconds(works: Mapping[str, Callable[[], Any]], *, runs: int = 5) -> dict[str, float]:
    """Return the time of the fastest run of each function, after one run that is not timed.

    The functions run in turn, because other programs may use the machine, and a processor may take
    seconds to reach its full speed.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(1 + runs):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken[1:]) for name, taken in times.items()}


def sionna_chain(code: LdpcCode, iterations: int) -> Callable[[Bits, float], Bits]:
    """Prepare Sionna's chain for the same code: a function of bits and Es/N0 in dB."""
    from sionna.phy.channel import AWGN
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
    from sionna.phy.mapping import Constellation, Demapper, Mapper

    k, n, bits_per_symbol = code.num_info_bits, code.num_coded_bits, code.bits_per_symbol
    encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=bits_per_symbol, device="cpu")
    decoder = LDPC5GDecoder(encoder, num_iter=iterations, device="cpu")
    points = Constellation("qam", bits_per_symbol, device="cpu")
    mapper = Mapper(constellation=points, device="cpu")
    demapper = Demapper("maxlog", constellation=points, device="cpu")
    channel = AWGN(device="cpu")

    def run(bits: Bits, snr_db: float) -> Bits:
        noise_var = torch.tensor(noise_var_from_snr_db(snr_db), dtype=torch.float32)
        with torch.inference_mode():
            x = mapper(encoder(torch.from_numpy(bits).float()))
            decided = decoder(demapper(channel(x, noise_var), noise_var))
        return np.asarray(decided.numpy().astype(np.uint8))

    return run


def ldpc_decoder(code: LdpcCode, iterations: int) -> Callable[[LLRs], Bits]:
    """Prepare the package ``ldpc`` for the same code: a function of LLRs (B, n) to bits (B, k).

    It runs scaled min-sum on a serial schedule, its counterpart of our layered schedule. The
    package finds the errors of hard decisions from the syndrome and the error probabilities of the
    bits. Columns of filler bits and rows without sent bits are left out.
    """
    from ldpc import BpDecoder
    from scipy.sparse import csr_matrix

    graph, z = code.graph, code.lifting_size
    info, num_rows = INFO_COLUMNS[code.base_graph], code.num_rows()
    entries = graph.rows < num_rows
    lane = np.arange(z)
    rows = (graph.rows[entries, None] * z + lane).ravel()
    columns = (graph.columns[entries, None] * z + (lane + graph.shifts[entries, None]) % z).ravel()
    shape = (num_rows * z, (info + num_rows) * z)
    full = csr_matrix((np.ones(len(rows), np.uint8), (rows, columns)), shape=shape)
    kept = np.concatenate([np.arange(code.num_info_bits), np.arange(info * z, shape[1])])
    checks = full[:, kept]
    place = np.full(shape[1], -1)
    place[kept] = np.arange(len(kept))
    sent = place[code.positions()]
    decoder = BpDecoder(
        checks,
        error_rate=0.1,
        max_iter=iterations,
        bp_method="minimum_sum",
        ms_scaling_factor=0.75,
        schedule="serial",
    )

    def run(llr: LLRs) -> Bits:
        decided = np.empty((len(llr), code.num_info_bits), dtype=np.uint8)
        for b, received in enumerate(llr):
            total = np.zeros(len(kept))
            np.add.at(total, sent, received.astype(np.float64))
            hard = (total > 0).astype(np.uint8)
            decoder.update_channel_probs(1 / (1 + np.exp(np.minimum(np.abs(total), 30))))
            error = decoder.decode(np.asarray(checks @ hard % 2, dtype=np.uint8))
            decided[b] = (hard ^ error)[: code.num_info_bits]
        return decided

    return run
