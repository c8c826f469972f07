"""Ranks on NumPy: the taps of all windows of a block, partly sorted."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.backends.common.integers import as_stored
from fastconv.backends.numpy.filter.correlation import block_of, blocks, index_bytes, padded_size
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.neighbors import RankProblem, padded_block, selected

VALUES = 1 << 17  # of the windows of a block


def _block(p: RankProblem) -> tuple[int, ...]:
    counts = list(block_of(p))
    for axis, n in enumerate(counts):
        rest = prod(counts) // n
        counts[axis] = max(1, min(n, VALUES // max(1, rest * p.window.total)))
    return tuple(counts)


class NumpyRank(Kernel[RankProblem]):
    """Any rank."""

    backend = "numpy"
    algorithm = "partition"
    row = "numpy.rank"

    def reject(self, problem: RankProblem) -> str | None:
        return None

    def features(self, problem: RankProblem) -> Features:
        p = problem
        counts, taps = _block(p), p.window.total
        many = prod(ceil_div(n, c) for n, c in zip(p.shape, counts, strict=True))
        return Features({"call": many * (taps + 20), "bytes": p.bytes, "element": p.size * taps})

    def workspace(self, problem: RankProblem) -> int:
        p, counts = problem, _block(problem)
        size, values = p.acc.itemsize, prod(counts) * p.window.total
        taps = values * (3 * size + (p.acc.kind == "f")) + 400 * p.window.total
        indices = index_bytes(p, counts)
        return 2 * padded_size(p, counts) * max(size, p.dtype.itemsize) + taps + prod(counts) * 40 + indices + (1 << 14)

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def prepare(self, problem: RankProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, counts = problem, _block(problem)
        offsets = p.window.offsets()

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            x, out = x.reshape(p.shape), out.reshape(p.shape)
            for starts, some in blocks(p, counts):
                padded = padded_block(x, starts, some, p.window, p.acc)
                values = np.stack([
                    padded[tuple(slice(o, o + n) for o, n in zip(offset, some, strict=True))].ravel()
                    for offset in offsets
                ])  # fmt: skip
                found = np.partition(values, p.rank, axis=0)[p.rank]
                if values.dtype.kind == "f":
                    for at in np.flatnonzero(np.isnan(values).any(axis=0)):
                        found[at] = selected(values[:, at].tolist(), p.rank)
                made = as_stored(found, p.out) if p.acc != p.out else found
                out[tuple(slice(s, s + n) for s, n in zip(starts, some, strict=True))] = made.reshape(some)

        return run


KERNELS = (NumpyRank(),)
